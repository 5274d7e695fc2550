package process

import (
	"context"
	"fmt"
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// ReplayOptions say which history is folded again, and with what.
type ReplayOptions struct {
	Bus      bus.Options
	Topics   bus.Topics
	From, To event.Time // what is counted; To = 0: up to the end
	Old, New StageOptions
}

// Report is what would be different. What both sides agree on is counted too:
// a replay that counts nothing proved nothing.
type Report struct {
	Facts       int                       `json:"facts"`         // folded
	Since       event.Time                `json:"since"`         // the log begins there: state of before is not known
	Through     event.Time                `json:"through"`       // stream time at the end
	Classes     map[string]map[string]int `json:"classes"`       // failures: old class -> new class
	Deliveries  map[string]Change         `json:"deliveries"`    // last state of each
	Divergences map[string]Change         `json:"divergences"`   // kind and last state of each
	Gained      []AlertLine               `json:"alerts_gained"` // would have fired
	Lost        []AlertLine               `json:"alerts_lost"`
	Kept        int                       `json:"alerts_kept"`
}

// Change is a count with the old rules, and with the new ones.
type Change struct {
	Old int `json:"old"`
	New int `json:"new"`
}

// AlertLine is an alert that one side fired and the other did not.
type AlertLine struct {
	Rule        string     `json:"rule"`
	Integration string     `json:"integration"`
	Subject     string     `json:"subject"`
	Severity    string     `json:"severity"`
	At          event.Time `json:"at"`
}

// Replay folds the facts that are still there twice, with the old and with the
// new rules, and compares what comes out. It reads topics and writes nothing.
func Replay(ctx context.Context, o ReplayOptions) (*Report, error) {
	log, err := bus.NewChangelog(o.Bus)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	r := &Report{Since: 1 << 62}
	older, newer := newPast(o.Old, o), newPast(o.New, o)
	for p := range o.Topics.Partitions[topic.Facts] {
		older.open(track(o.Old))
		newer.open(track(o.New))
		err := log.Records(ctx, topic.Facts, p, func(rec stream.Record) error {
			if o.To != 0 && rec.Time > o.To {
				return nil
			}
			r.Facts++
			r.Since, r.Through = min(r.Since, rec.Time), max(r.Through, rec.Time)
			again, err := copyOf(rec)
			if err != nil {
				return err
			}
			older.fold(&rec)
			newer.fold(again)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	if err := watched(ctx, log, o, older, newer); err != nil {
		return nil, err
	}
	older.watch(r.Through)
	newer.watch(r.Through)
	r.compare(older, newer)
	return r, nil
}

// copyOf is the record again: an operator keeps and changes what it is given.
func copyOf(rec stream.Record) (*stream.Record, error) {
	if rec.Event == nil {
		return &rec, nil
	}
	b, err := event.Encode(nil, rec.Event)
	if err != nil {
		return nil, err
	}
	rec.Event, err = event.Decode(rec.Event.EventType(), b)
	return &rec, err
}

// watched hands over what watch hears besides track: signals, clicks, access
// lines. They do not depend on the rules.
func watched(ctx context.Context, log *bus.Changelog, o ReplayOptions, to ...*past) error {
	for p := range o.Topics.Partitions[topic.Partials] {
		err := log.Records(ctx, topic.Partials, p, func(rec stream.Record) error {
			if rec.Cause.Topic != topic.Intake || rec.Event == nil || o.To != 0 && rec.Time > o.To {
				return nil
			}
			for _, side := range to {
				again, err := copyOf(rec)
				if err != nil {
					return err
				}
				side.heard = append(side.heard, heard{again.Time, again.Key, again.Event})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// past is history as one set of rules tells it.
type past struct {
	o      ReplayOptions
	stages StageOptions
	task   *stream.Task
	out    stream.Out

	classes     map[string]string // of a failure
	deliveries  map[string]string // state
	divergences map[string]string // kind and state
	heard       []heard
	fired       map[string]AlertLine
}

// heard is what the watch stage gets.
type heard struct {
	at  event.Time
	key string
	ev  event.Event
}

func newPast(stages StageOptions, o ReplayOptions) *past {
	return &past{
		o: o, stages: stages, classes: map[string]string{}, deliveries: map[string]string{}, divergences: map[string]string{},
		fired: map[string]AlertLine{},
	}
}

func (p *past) open(op stream.Operator) { p.task = stream.NewTask(op, 0) }

func (p *past) fold(rec *stream.Record) {
	p.task.Process(rec, &p.out)
	for _, o := range p.out.List {
		if o.Topic == topic.Partials {
			p.heard = append(p.heard, heard{o.Time, o.Key, o.Event})
			continue
		}
		if o.Time < p.o.From {
			continue
		}
		switch e := o.Event.(type) {
		case *event.Failure:
			p.classes[e.ID] = e.Verdict.Class
		case *event.Delivery:
			p.deliveries[e.ID] = e.State
		case *event.Divergence:
			p.divergences[e.ID] = e.Kind + " " + e.State
		}
	}
}

// watch folds the partials of all partitions in the order of time, with a tick
// a second, as the clock would have given it.
func (p *past) watch(through event.Time) {
	slices.SortStableFunc(p.heard, func(a, b heard) int { return int(a.at - b.at) })
	if len(p.heard) == 0 {
		return
	}
	task, offset := stream.NewTask(watch(p.stages), 0), int64(0)
	next := p.heard[0].at
	step := func(at event.Time, key string, ev event.Event) {
		task.Process(&stream.Record{Topic: topic.Partials, Offset: offset, Time: at, Key: key, Event: ev}, &p.out)
		offset++
		p.alerts()
	}
	for _, h := range p.heard {
		for ; next <= h.at; next += event.Second {
			step(next, "", &event.Tick{At: next})
		}
		step(h.at, h.key, h.ev)
	}
	for ; next <= through; next += event.Second {
		step(next, "", &event.Tick{At: next})
	}
}

func (p *past) alerts() {
	for _, o := range p.out.List {
		a, ok := o.Event.(*event.Alert)
		if !ok || o.Topic != topic.Alerts || a.Status != event.AlertFiring || a.Rule == event.RuleWatchdog || o.Time < p.o.From {
			continue
		}
		if _, again := p.fired[a.ID]; !again {
			p.fired[a.ID] = AlertLine{Rule: a.Rule, Integration: a.Integration, Subject: a.Subject, Severity: a.Severity, At: o.Time}
		}
	}
}

// absent stands where one side has no failure of that id.
const absent = "(none)"

func (r *Report) compare(older, newer *past) {
	r.Classes = map[string]map[string]int{}
	count := func(from, to string) {
		if r.Classes[from] == nil {
			r.Classes[from] = map[string]int{}
		}
		r.Classes[from][to]++
	}
	for id, class := range older.classes {
		to, ok := newer.classes[id]
		if !ok {
			to = absent
		}
		count(class, to)
	}
	for id, class := range newer.classes {
		if _, ok := older.classes[id]; !ok {
			count(absent, class)
		}
	}
	r.Deliveries, r.Divergences = counts(older.deliveries, newer.deliveries), counts(older.divergences, newer.divergences)
	r.Gained, r.Lost = missing(newer.fired, older.fired), missing(older.fired, newer.fired)
	r.Kept = len(newer.fired) - len(r.Gained)
}

func counts(older, newer map[string]string) map[string]Change {
	out := map[string]Change{}
	for _, state := range older {
		c := out[state]
		c.Old++
		out[state] = c
	}
	for _, state := range newer {
		c := out[state]
		c.New++
		out[state] = c
	}
	return out
}

// missing lists what is in a and not in b, in the order of time.
func missing(a, b map[string]AlertLine) []AlertLine {
	out := []AlertLine{}
	for id, line := range a {
		if _, ok := b[id]; !ok {
			out = append(out, line)
		}
	}
	slices.SortFunc(out, func(a, b AlertLine) int {
		if a.At != b.At {
			return int(a.At - b.At)
		}
		return slices.Compare([]byte(fmt.Sprint(a)), []byte(fmt.Sprint(b)))
	})
	return out
}
