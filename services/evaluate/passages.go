package evaluate

import (
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
)

// coarse is a delivery's state in the words of the truth.
var coarse = map[string]string{
	event.StateApplied: StateDelivered, event.StateVerified: StateDelivered, event.StateOverwritten: StateDelivered,
	event.StateNotApplied: StateSilent, event.StateFailed: StateFailed, event.StateAttempted: StateFailed,
	event.StateStalled: StateWaiting, event.StateObserved: StateWaiting, event.StateSuperseded: StateSuperseded,
	event.StateAcknowledged: StateUnknown, event.StateUnobserved: StateUnknown,
}

// byDelivery is the change that a delivery carries, or nil.
func (w *World) byDelivery(id string) *Change {
	if w.deliveries == nil {
		w.deliveries = map[string]*Change{}
		for _, c := range w.Changes {
			w.deliveries[event.DeliveryID(c.Sync, c.Object, c.SourceID, c.ID)] = c
		}
	}
	return w.deliveries[id]
}

// What KPI 1's record success rate makes of a change.
const (
	inTime = "in time"
	tardy  = "late"
	missed = "not delivered"
	left   = "in neither term"
)

// fate is what it makes of one by the truth.
func (w *World) fate(c *Change) string {
	switch {
	case c.state == StateSuperseded:
		return left
	case c.delivered == 0:
		return missed
	case c.delivered > int64(c.At)+w.Deadline:
		return tardy
	}
	return inTime
}

// said is what it makes of a delivery as it was told.
func (d *Delivery) said() string {
	switch coarse[d.State] {
	case StateDelivered:
		switch {
		case d.State == event.StateOverwritten:
			return left
		case d.Late:
			return tardy
		}
		return inTime
	case StateSuperseded, StateUnknown:
		return left
	}
	return missed
}

// fates scores what goes into the record success rate, change by change.
func (s *sheet) fates(w *World, f *Findings) {
	right, all, confusion := 0, 0, map[string]int{}
	for i := range f.Deliveries {
		d := &f.Deliveries[i]
		c := w.byDelivery(d.ID)
		if c == nil || !w.counts(c) {
			continue
		}
		all++
		if was, said := w.fate(c), d.said(); was == said {
			right++
		} else {
			confusion[was+" read as "+said]++
			s.miss(Miss{
				Group: GroupDeliveries, What: was + " read as " + said, Sync: c.Sync, Object: c.Object, SourceID: c.SourceID,
				Cause: c.Cause, ID: d.ID, At: c.At, Ended: truth.Time(c.delivered), Note: c.ID + " " + d.State,
			})
		}
	}
	s.share(GroupDeliveries, "in time, late or not right", right, all)
	s.rows[len(s.rows)-1].Note = worst(confusion)
}

// deliveries scores the final state of every change that was due.
func (s *sheet) deliveries(w *World, f *Findings) {
	states := map[string]string{}
	for _, d := range f.Deliveries {
		states[d.ID] = coarse[d.State]
	}
	due, followed, known, right := 0, 0, 0, 0
	confusion := map[string]int{}
	for id, c := range w.all() {
		if c.Lost || !w.due(c) {
			continue
		}
		due++
		said, ok := states[id]
		if !ok {
			continue
		}
		followed++
		if said == StateUnknown {
			continue
		}
		known++
		if said == c.state {
			right++
		} else {
			confusion[c.state+" read as "+said]++
			s.miss(Miss{
				Group: GroupDeliveries, What: c.state + " read as " + said, Sync: c.Sync, Object: c.Object, SourceID: c.SourceID,
				Cause: c.Cause, ID: id, At: c.At, Note: c.ID,
			})
		}
	}
	s.share(GroupDeliveries, "followed", followed, due)
	s.share(GroupDeliveries, "known", known, followed)
	s.share(GroupDeliveries, "final state right", right, known)
	s.rows[len(s.rows)-1].Note = worst(confusion)
	s.fates(w, f)
}

// all are the changes by delivery id.
func (w *World) all() map[string]*Change {
	w.byDelivery("")
	return w.deliveries
}

// worst names the most frequent confusions.
func worst(confusion map[string]int) string {
	type pair struct {
		what string
		n    int
	}
	var list []pair
	for what, n := range confusion {
		list = append(list, pair{what, n})
	}
	slices.SortFunc(list, func(a, b pair) int {
		if a.n != b.n {
			return b.n - a.n
		}
		return strings.Compare(a.what, b.what)
	})
	var out []string
	for _, p := range list[:min(3, len(list))] {
		out = append(out, fmt.Sprintf("%s: %d", p.what, p.n))
	}
	return strings.Join(out, ", ")
}

// failures scores the class, recoverability and attribution of each failed
// attempt that was reported.
func (s *sheet) failures(w *World, f *Findings) {
	said := map[string]*Failure{}
	for i := range f.Failures {
		x := &f.Failures[i]
		said[x.Integration+"/"+x.AttemptID] = x
	}
	var all, found int
	var class, recover, blame tallies
	for _, l := range w.Attempts {
		if !l.Reported || l.Outcome != event.OutcomeError {
			continue
		}
		all++
		x := said[l.Sync+"/"+l.ID]
		if x == nil {
			continue
		}
		found++
		class.add(l.Class, l.Class == x.Class, x.Class)
		recover.add(l.Recoverability, l.Recoverability == x.Recoverability, x.Recoverability)
		blame.add(strings.Join(l.Attribution, " or "), slices.Contains(l.Attribution, x.Attribution), x.Attribution)
	}
	s.share(GroupFailures, "listed", found, all)
	class.row(s, "class right")
	recover.row(s, "recoverability right")
	blame.row(s, "attribution right")
}

// tallies count right answers, and which wrong ones were given.
type tallies struct {
	hits, of  int
	confusion map[string]int
}

func (t *tallies) add(want string, right bool, got string) {
	if want == "" { // the truth does not say
		return
	}
	t.of++
	if right {
		t.hits++
		return
	}
	if t.confusion == nil {
		t.confusion = map[string]int{}
	}
	t.confusion[want+" read as "+got]++
}

func (t *tallies) row(s *sheet, name string) {
	s.share(GroupFailures, name, t.hits, t.of)
	s.rows[len(s.rows)-1].Note = worst(t.confusion)
}

// writes are the attempts that count in the success rate, as they were
// reported: what a worker says counts there, true or not (kpis.md 1). Untold
// are the failures that it kept to itself or called a success.
func (w *World) writes(integration string) (ok, ended, untold int) {
	for _, l := range w.Attempts {
		if l.Sync != integration || l.Operation == event.OpAuthRefresh || int64(l.At) >= w.Until() {
			continue
		}
		untold += boolInt(l.Outcome != event.OutcomeOK && (!l.Reported || l.Told() == event.OutcomeOK))
		if !l.Reported {
			continue
		}
		ended++
		ok += boolInt(l.Told() == event.OutcomeOK)
	}
	return ok, ended, untold
}
