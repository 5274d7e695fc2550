package drift

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"plumbline.dev/schemas/event"
)

const (
	// slack is how far before its cause a difference may have begun: what was on
	// its way already, and clocks.
	slack = 2 * event.Minute
	// tail is how long what is over still does harm.
	tail = 2 * event.Minute
	// leastCases and leastChanges are without which nothing is said, or contrasted.
	leastCases   = 3
	leastChanges = 10
	// believed is what the lower bound of the ratio must exceed; wider claims more.
	believed     = 1.5
	believedWide = 2.5
	// enough is how many differences should have been among the changes of a time
	// that is to be held against another: of none among them, Katz's interval is
	// then clear of 1.
	enough = 15.0
	// unlikely is how many cases may be missing between a cause and the first
	// difference: with e^-7 it is not the cause.
	unlikely = 7.0
	// justBefore is where it must have been better, by how much at least.
	justBefore = 20 * event.Minute
	alike      = 0.3
)

// reach is how much a candidate names: the more, the earlier it is asked.
type reach int

const (
	reachActor reach = iota
	reachField
	reachObject
	reachAll
	reaches
)

func (c *Candidate) reach() reach {
	switch {
	case machine(c.By):
		return reachActor
	case c.Field != "":
		return reachField
	case c.Object != "":
		return reachObject
	}
	return reachAll
}

// when is the interval in which what it caused began.
func (c *Candidate) when() (from, to event.Time) {
	from, to = c.Start-c.Start%event.Minute-slack, event.Time(math.MaxInt64)
	if c.End != 0 {
		to = c.End + tail
	}
	return from, to
}

// touches reports whether it reaches what differs: its field, or the field for
// which the write was refused as a whole. Who made the change is asked only of
// machines.
func (c *Candidate) touches(x *Cell) bool {
	if machine(c.By) && !same(c.By, x.By) {
		return false
	}
	return (c.Object == "" || c.Object == x.Object) && (c.Field == "" || c.Field == x.Field || c.Field == x.Refused)
}

// field is the field that a difference in its reach counts under.
func (c *Candidate) field(x *Cell) string { return cmp.Or(c.Field, x.Field) }

// same holds a named machine against who made a change; runs count if both say.
func same(a, b event.Actor) bool {
	return a.Kind == b.Kind && a.ID == b.ID && (a.Run == "" || b.Run == "" || a.Run == b.Run)
}

func (c *Candidate) hits(x *Cell) bool {
	from, to := c.when()
	return x.Began >= from && x.Began < to && c.touches(x)
}

// risk is cases of changes.
type risk struct{ cases, of float64 }

func (r risk) rate() float64 { return (r.cases + 0.5) / (max(r.of, r.cases) + 1) }

// fit is how well a candidate explains.
type fit struct {
	inside, outside  risk
	ratio, low, high float64
	first            event.Time // of the differences inside
	total            int64      // differences of the same reach, whenever they began
	witnesses        float64    // those whose write was refused as the verdict is about
}

// whole are the classes of failures that are no single record's: an outage may
// look like any of them.
var whole = map[string]bool{
	event.ClassAuth: true, event.ClassVendorOutage: true, event.ClassRateLimit: true, event.ClassNetwork: true,
}

// witnesses counts the differences of which the target itself said why, for a
// verdict on just such answers. They need no contrast.
func (s *scene) witnesses(c *Candidate) float64 {
	if c.Kind != event.CauseVerdictKind {
		return 0
	}
	return s.cases(func(x *Cell) bool { return whole[x.Class] && c.hits(x) })
}

// contrast is the ratio of two risks with its 95 % interval: Katz's on the
// logarithm, with half a case added.
func (f *fit) contrast(out risk) {
	in := f.inside
	n1, n0 := max(in.of, in.cases)+1, max(out.of, out.cases)+1
	ratio := in.rate() / out.rate()
	se := math.Sqrt(max(1/(in.cases+0.5)-1/n1+1/(out.cases+0.5)-1/n0, 0))
	low := ratio * math.Exp(-1.96*se)
	if f.low == 0 || low < f.low {
		f.outside, f.ratio, f.low, f.high = out, ratio, low, ratio*math.Exp(1.96*se)
	}
}

// tells reports whether so many changes outside could have shown that it is no
// better there: of few, none may differ by chance.
func (f *fit) tells(out risk) bool {
	expected := out.of * f.inside.rate()
	return expected >= enough || out.cases >= expected
}

// series are the changes of one field, by whom.
type series struct {
	object, field string
	by            string // "" = all
	days          map[event.Time]*Flow
}

// between is how many changes there were in an interval; a slot counts by its share.
func (s *series) between(from, to event.Time) (n float64) {
	for day, f := range s.days {
		if day >= to || day+event.Day <= from {
			continue
		}
		for i, k := range f.N {
			at := day + event.Time(i)*slot
			if share := float64(min(to, at+slot)-max(from, at)) / float64(slot); share > 0 && k > 0 {
				n += share * float64(k)
			}
		}
	}
	return n
}

// scene is all that is known of an integration while it is judged.
type scene struct {
	now    event.Time
	cells  []*Cell
	left   []bool // not explained yet
	open   []bool // in the end
	flows  []*series
	causes []*Candidate
	spoken map[*Cell]bool // the target's own answer says why, whoever made the change
}

func (d *Drift) scene(now event.Time, integration string) *scene {
	s := &scene{now: now}
	for _, key := range under(d.cells.Keys(), integration) {
		s.cells, s.left = append(s.cells, d.cells.Get(key)), append(s.left, true)
	}
	for _, key := range under(d.causes.Keys(), integration) {
		if c := d.causes.Get(key); !machine(c.By) || c.Writes == 0 || c.Writes >= few && !d.announced(integration, c) {
			s.causes = append(s.causes, s.placed(c))
		}
	}
	s.listen()
	var last *series
	for _, key := range under(d.flows.Keys(), integration) {
		part := strings.Split(key, sep)
		if len(part) != 5 {
			continue
		}
		if last == nil || last.object != part[1] || last.field != part[2] || last.by != part[3] {
			last = &series{object: part[1], field: part[2], by: part[3], days: map[event.Time]*Flow{}}
			s.flows = append(s.flows, last)
		}
		day, err := strconv.ParseInt(part[4], 10, 64)
		if err == nil {
			last.days[event.Time(day)*event.Day] = d.flows.Get(key)
		}
	}
	return s
}

// listen notes where the target's own answer says why: it let nobody in, or it named
// a field of which it is known what happened to it. The maker did nothing then.
func (s *scene) listen() {
	s.spoken = map[*Cell]bool{}
	for _, x := range s.cells {
		s.spoken[x] = whole[x.Class] || x.Refused != "" && slices.ContainsFunc(s.causes, func(c *Candidate) bool {
			return c.reach() == reachField && c.Field == x.Refused && c.hits(x)
		})
	}
}

// hits reports whether a candidate may have made the records of a cell differ.
func (s *scene) hits(c *Candidate, x *Cell) bool {
	return c.hits(x) && (!machine(c.By) || !s.spoken[x])
}

// placed puts a candidate that happened between two looks where the first
// difference in its reach began meanwhile.
func (s *scene) placed(c *Candidate) *Candidate {
	if c.Latest <= c.Start {
		return c
	}
	first := c.Latest
	for _, x := range s.cells {
		if x.Began >= c.Start && x.Began < first && c.touches(x) {
			first = x.Began
		}
	}
	at := *c
	at.Start = first
	return &at
}

// announced reports whether a signal tells of the same work of the machine.
func (d *Drift) announced(integration string, run *Candidate) bool {
	return slices.ContainsFunc(under(d.causes.Keys(), integration), func(key string) bool {
		c := d.causes.Get(key)
		return c.Writes == 0 && machine(c.By) && same(c.By, run.By) && c.Start <= run.End && (c.End == 0 || c.End >= run.Start)
	})
}

// cases counts differences that are not explained yet.
func (s *scene) cases(which func(*Cell) bool) (n float64) {
	for i, x := range s.cells {
		if s.left[i] && which(x) {
			n += float64(x.N)
		}
	}
	return n
}

func (s *scene) changes(from, to event.Time, which func(*series) bool) (n float64) {
	for _, f := range s.flows {
		if which(f) {
			n += f.between(from, to)
		}
	}
	return n
}

// fit holds the risk inside a candidate's reach against that outside, before
// it and beside it; nil where it cannot be the cause.
func (s *scene) fit(c *Candidate) *fit {
	from, to := c.when()
	to = min(to, s.now+event.Minute)
	f := &fit{}
	for i, x := range s.cells {
		if !c.touches(x) {
			continue
		}
		f.total += x.N
		if s.left[i] && s.hits(c, x) {
			f.inside.cases += float64(x.N)
		}
	}
	if f.inside.cases < leastCases {
		return nil
	}
	inReach := func(x *series) bool { return s.reaches(c, x) }
	f.inside.of = s.changes(from, to, inReach)
	f.witnesses = s.witnesses(c)
	told := f.witnesses >= leastCases && 2*f.witnesses >= f.inside.cases
	if !s.timely(c, f) || !s.contrasts(c, f, from, to, inReach) && !told {
		return nil
	}
	if told {
		return f
	}
	floor := believed
	if c.reach() >= reachObject || s.unchanged(c, f, from, to, inReach) {
		floor = believedWide
	}
	if f.low < floor {
		return nil
	}
	return f
}

// unchanged reports whether a machine that nobody announced was at work before and
// after, and all went well: something else began, and hit others too.
func (s *scene) unchanged(c *Candidate, f *fit, from, to event.Time, inReach func(*series) bool) bool {
	if !machine(c.By) || c.Writes == 0 {
		return false
	}
	first, last := to, from
	for i, x := range s.cells {
		if s.left[i] && s.hits(c, x) {
			first, last = min(first, x.Began), max(last, x.Began+event.Minute)
		}
	}
	meanwhile := s.changes(first, last, inReach)
	return (f.inside.of-meanwhile)*f.inside.cases/max(meanwhile, f.inside.cases) >= unlikely
}

// reaches reports whether the candidate reaches a series of changes: those of
// its machine, or everybody's.
func (s *scene) reaches(c *Candidate, x *series) bool {
	if machine(c.By) {
		if x.by == "" || !strings.HasPrefix(x.by, machineName(c.By)) {
			return false
		}
	} else if x.by != "" {
		return false
	}
	return (c.Object == "" || c.Object == x.object) && (c.Field == "" || c.Field == x.field)
}

// timely: right before a cause changes went well, and between it and the
// differences there are not many that did. Asked of the field that is hit most:
// a cause that reaches everything may still harm a part of it.
func (s *scene) timely(c *Candidate, f *fit) bool {
	object, field, cases := s.hitMost(c)
	began := s.now
	for i, x := range s.cells { // those of one maker after the other: not in the order of time
		if !s.left[i] || !s.hits(c, x) || x.Object != object || c.field(x) != field {
			continue
		}
		if f.first == 0 || x.Began < f.first {
			f.first = x.Began
		}
		if x.Began < began && s.before(c, object, field, x.Began) >= cases/10 {
			began = x.Began
		}
	}
	if machine(c.By) {
		return true
	}
	its := func(x *series) bool { return x.by == "" && x.object == object && x.field == field }
	from, to := c.when()
	since := max(c.Start, min(c.Latest, began))
	quiet := s.changes(since, began, its)
	rate := min(cases/max(s.changes(from, to, its)-quiet, cases), 1)
	went := quiet - s.wrong(c, object, field, since, began) // well; also what another cause explains did not
	if went*rate-s.before(c, object, field, began) >= unlikely {
		return false
	}
	already := s.cases(func(x *Cell) bool {
		return x.Object == object && c.field(x) == field && c.touches(x) && x.Began < from && x.Began >= from-justBefore
	})
	return already < 2 || already < alike*rate*s.changes(from-justBefore, from, its)
}

// wrong is how many differences of a field began in an interval, explained or not.
func (s *scene) wrong(c *Candidate, object, field string, from, to event.Time) (n float64) {
	for i, x := range s.cells {
		if !s.left[i] && x.Object == object && c.field(x) == field && c.touches(x) && x.Began >= from && x.Began < to {
			n += float64(x.N)
		}
	}
	return n
}

// before is how many differences of a field began by an instant.
func (s *scene) before(c *Candidate, object, field string, at event.Time) float64 {
	return s.cases(func(x *Cell) bool {
		return x.Object == object && c.field(x) == field && x.Began <= at && s.hits(c, x)
	})
}

// hitMost is the field with the most differences in a candidate's reach.
func (s *scene) hitMost(c *Candidate) (object, field string, cases float64) {
	byField := map[[2]string]float64{}
	for i, x := range s.cells {
		if !s.left[i] || !s.hits(c, x) {
			continue
		}
		at := [2]string{x.Object, c.field(x)}
		byField[at] += float64(x.N)
		if n := byField[at]; n > cases || n == cases && at[0]+sep+at[1] < object+sep+field {
			object, field, cases = at[0], at[1], n
		}
	}
	return object, field, cases
}

// contrasts measures against what was before, and against what it does not
// reach meanwhile: both have to differ, as far as there is enough of either.
func (s *scene) contrasts(c *Candidate, f *fit, from, to event.Time, inReach func(*series) bool) bool {
	start := s.now - horizon
	out := risk{of: s.changes(start, from, inReach) + s.changes(to, s.now, inReach)}
	out.cases = s.cases(func(x *Cell) bool { return c.touches(x) && !s.hits(c, x) })
	any := false
	if out.of >= leastChanges && !machine(c.By) && (c.reach() == reachAll || f.tells(out)) {
		f.contrast(out)
		any = true
	}
	if c.reach() == reachAll {
		return any
	}
	// Beside it: what others did meanwhile, and what was done to other fields.
	beside := risk{of: s.changes(from, to, func(x *series) bool { return x.by == "" }) - f.inside.of}
	beside.cases = s.cases(func(x *Cell) bool {
		return x.Began >= from && x.Began < to && !s.hits(c, x) && (!machine(c.By) || !s.spoken[x])
	})
	if beside.of >= leastChanges {
		f.contrast(beside)
		any = true
	}
	return any
}
