package agent

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// lateAfter is when writes are history: a backlog that arrives at once was not
// written at once, so it counts in the day and in no minute.
const lateAfter = 2 * event.Minute

// take folds one second of what the agent did.
func (a *Agent) take(e *event.Activity) {
	a.roll(e.Second)
	a.Last = max(a.Last, e.Second)
	c := Counts{
		Writes: e.Writes, Attempts: e.Attempts, Failed: e.Failed, Creates: e.Creates, Deletes: e.Deletes, Again: e.Again,
		Reverts: e.Reverts, FieldWrites: e.FieldWrites, Replaced: e.Replaced, Human: e.Human,
	}
	minute := int64(a.At) / event.Minute
	if e.Second-e.First <= lateAfter {
		a.Minutes[minute%60].add(&c)
	}
	a.Hours[minute/60%24].add(&c)
	a.Days[minute/60/24%28].add(&c)
	a.takeRun(e, c.tried())
	for i := range e.Fields {
		a.takeField(e, &e.Fields[i])
	}
}

func (a *Agent) takeRun(e *event.Activity, n int64) {
	if e.Actor.Run == "" {
		return
	}
	if r := a.run(e.Actor.Run); r != nil {
		r.Writes, r.Last = r.Writes+n, e.Second
		return
	}
	if len(a.Runs) == maxRuns {
		oldest := 0
		for i := range a.Runs {
			if a.Runs[i].Last < a.Runs[oldest].Last {
				oldest = i
			}
		}
		a.Runs = append(a.Runs[:oldest], a.Runs[oldest+1:]...)
	}
	a.Runs = append(a.Runs, Run{ID: e.Actor.Run, Writes: n, Last: e.Second})
}

func (a *Agent) run(id string) *Run {
	for i := range a.Runs {
		if id != "" && a.Runs[i].ID == id {
			return &a.Runs[i]
		}
	}
	return nil
}

// takeField adds up a field's hour, and carries the hour before so that an
// agent is not saved by the clock striking.
func (a *Agent) takeField(e *event.Activity, w *event.FieldWrites) {
	if w.Field == "" {
		return
	}
	hour := int64(e.Second) / event.Hour
	f := a.field(e.Object, w.Field)
	if f == nil {
		if len(a.Fields) == maxWatch {
			a.Fields = append(a.Fields[:0], a.Fields[1:]...)
		}
		a.Fields = append(a.Fields, Field{Name: w.Field, Object: e.Object, Hour: hour})
		f = &a.Fields[len(a.Fields)-1]
	}
	if f.Hour != hour {
		before := [2]int64{}
		if f.Hour == hour-1 {
			before = [2]int64{f.N, f.TopN}
		}
		*f = Field{Name: f.Name, Object: f.Object, Hour: hour, Top: f.Top, Show: f.Show, Before: before}
	}
	f.N += w.N
	switch {
	case f.Top == w.Top:
		f.TopN += w.TopN
	case w.TopN > f.TopN+f.Before[1]:
		f.Top, f.Show, f.TopN, f.Before[1] = w.Top, w.Show, w.TopN-f.TopN-f.Before[1], 0
	default:
		f.TopN -= w.TopN
	}
}

func (a *Agent) field(object, name string) *Field {
	for i := range a.Fields {
		if a.Fields[i].Name == name && a.Fields[i].Object == object {
			return &a.Fields[i]
		}
	}
	return nil
}

// excuse notes announced work. A later word on the same announcement, with
// its end, replaces the first.
func (a *Agent) excuse(s *event.Signal) {
	x := Excuse{ID: s.ID, From: s.StartedAt, To: s.EndedAt, Run: s.Actor.Run, Reason: s.Summary}
	for i := range a.Excused {
		if a.Excused[i].ID == x.ID {
			a.Excused[i] = x
			return
		}
	}
	if len(a.Excused) == maxExcuse {
		a.Excused = append(a.Excused[:0], a.Excused[1:]...)
	}
	a.Excused = append(a.Excused, x)
}

// excuseFor bounds an announcement that nobody ended.
const excuseFor = event.Day

func (a *Agent) excused(e *event.Activity) bool {
	for i := range a.Excused {
		x := &a.Excused[i]
		to := x.To
		if to == 0 {
			to = x.From + excuseFor
		}
		if e.Second >= x.From-event.Minute && e.Second <= to+event.Minute && (x.Run == "" || x.Run == e.Actor.Run) {
			return true
		}
	}
	return false
}

// matches compares an agent's id with a configured one: a * at the end stands for the rest.
func matches(pattern, id string) bool {
	if head, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(id, head)
	}
	return pattern == id
}
