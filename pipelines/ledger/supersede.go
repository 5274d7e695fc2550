package ledger

import "plumbline.dev/schemas/event"

// replace retires what a new change replaces, field by field. A tie goes to
// the one that arrived later.
func (f *folding) replace(n *Open) {
	f.each(func(o *Open) {
		if o.D.ChangedAt <= n.D.ChangedAt && o.D.Reverse == n.D.Reverse {
			f.pass(o, n)
		}
	})
}

// replaced does the same to a change that arrives after newer ones.
func (f *folding) replaced(n *Open) {
	var newest *Open
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if o.D.Reverse == n.D.Reverse && o.D.ChangedAt > n.D.ChangedAt && replaces(o, n) && (newest == nil || o.D.ChangedAt >= newest.D.ChangedAt) {
			newest = o
		}
	}
	if newest == nil {
		return
	}
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o != newest && o.D.Reverse == n.D.Reverse && o.D.ChangedAt > n.D.ChangedAt {
			mark(n, o)
		}
	}
	f.pass(n, newest)
}

// replaces reports whether a newer change takes anything over from an older.
func replaces(newer, older *Open) bool {
	if newer.isDelete() || older.isDelete() {
		return true
	}
	for i := range older.Wants {
		if newer.wants(older.Wants[i].Target) {
			return true
		}
	}
	return false
}

func (o *Open) wants(target string) bool {
	for i := range o.Wants {
		if o.Wants[i].Target == target {
			return true
		}
	}
	return false
}

// mark notes which fields of the older one are replaced.
func mark(older, newer *Open) {
	for i := range older.Wants {
		if newer.isDelete() || newer.wants(older.Wants[i].Target) {
			older.Wants[i].replacedAt(newer.D.ChangedAt)
		}
	}
}

func (w *Want) replacedAt(at event.Time) {
	if !w.Past || at < w.Until {
		w.Past, w.Until = true, at
	}
}

// current reports whether the field was still to be delivered at that time.
func (w *Want) current(at event.Time) bool { return !w.Past || at <= w.Until }

// pass hands the older one's fields over to the newer. What is proven stands:
// a later edit does not undo that the target never took the value.
func (f *folding) pass(older, newer *Open) {
	if !replaces(newer, older) {
		return
	}
	mark(older, newer)
	if older.D.State == event.StateNotApplied && older.D.SupersededBy == "" && older.outcome() != "" {
		older.D.SupersededBy = f.deliveryID(newer) // it still never arrived, but nobody waits for it
	}
	if older.D.State == event.StateSuperseded && older.D.SupersededBy == "" {
		older.D.SupersededBy = f.deliveryID(newer) // it was seen before anybody told of it
	}
	if older.settled() || older.D.State == event.StateNotApplied {
		return
	}
	f.retire(older, f.deliveryID(newer), newer.isDelete() || older.isDelete())
}

// retire settles a delivery of which nothing is waited for any more. Fields
// that had arrived before the rest was replaced make it applied.
func (f *folding) retire(o *Open, by string, wholly bool) {
	switch out := o.outcome(); {
	case out == event.StateApplied:
		f.applied(o)
	case out == event.StateOverwritten:
		f.overwritten(o)
	case wholly || out == event.StateSuperseded && len(o.Wants) > 0:
		o.D.SupersededBy = by
		f.settle(o, event.StateSuperseded)
	}
}

// arrived takes the target's own word that it had the value before the next
// change was made: the news of that one was only faster than the news of it.
func (f *folding) arrived(o *Open, e *Evidence) {
	for i := range o.Wants {
		w := &o.Wants[i]
		shown, ok := event.Find(e.Fields, w.Target)
		if ok && w.Past && w.current(e.At) && f.m.same(o, w, shown) {
			w.Shown = true
			o.see(e, f.p.skew)
		}
	}
	if o.outcome() == event.StateApplied {
		o.D.SupersededBy = ""
		f.applied(o)
	}
}

// mergedAway ends what is open of a record that ceased to exist: the surviving
// record's change carries on. The system holds it no more, whatever else is shown.
func (f *folding) mergedAway(by string, at event.Time) {
	f.each(func(o *Open) {
		if o.D.Reverse || o.D.ChangedAt > at || o.settled() || o.D.State == event.StateNotApplied {
			return
		}
		for i := range o.Wants {
			o.Wants[i].Past = true
		}
		f.retire(o, by, true)
	})
	f.close(func(*Gap) bool { return true }, event.DivergenceResolved)
	f.keep(Kept{Evidence: &Evidence{At: at, Modified: at, FoundBy: event.FoundByEcho, Source: true, Event: true, Missing: true}})
}

// undone retires what the system itself does not hold any more, where the
// change was made: the sync wrote another value over it, or a look shows what
// was saved since, of which no news came. Nobody waits for it any more.
func (f *folding) undone(o *Open, e *Evidence) {
	if e.Missing || o.settled() || o.D.State == event.StateNotApplied || !f.later(o, e) {
		return
	}
	undone := false
	for i := range o.Wants {
		w := &o.Wants[i]
		shown, ok := event.Find(e.Fields, w.Target)
		if !ok || !w.pending() || f.m.unchanged(w.Target, w.Value, shown) {
			continue
		}
		if w.Past, undone = true, true; !e.Event {
			w.Until = e.Modified
		}
	}
	if undone {
		f.retire(o, "", false)
	}
}

// later reports whether evidence of the system where a change was made is of
// something that happened to the record afterwards.
func (f *folding) later(o *Open, e *Evidence) bool {
	if e.Event {
		return e.At >= o.D.ChangedAt && f.m.ours(e.side(), e.Writer)
	}
	return e.Modified > o.D.ChangedAt
}

// loop reports whether a change is the sync's own write, though nobody told
// which user it writes as: its values are the ones that somebody put into the
// target a moment before.
func (f *folding) loop(c *event.Change) bool {
	if f.m.integration.Source.SyncUser != "" || c.Operation != event.OpUpdate || len(c.Fields) == 0 {
		return false
	}
	for i := range f.r.Kept {
		e := f.r.Kept[i].Evidence
		if e == nil || e.Source || !e.Event || f.m.ours(event.Target, e.Writer) ||
			e.At+f.p.skew >= c.ChangedAt || e.At+f.p.deadline < c.ChangedAt {
			continue
		}
		if f.repeats(c, e) {
			return true
		}
	}
	return false
}

// repeats reports whether everything a change holds was in the evidence.
func (f *folding) repeats(c *event.Change, e *Evidence) bool {
	n := 0
	for _, field := range f.m.renamed(c.Fields) {
		shown, ok := event.Find(e.Fields, field.Name)
		if equal, _ := f.m.equal(field.Name, field.Value, shown); !ok || !equal {
			return false
		}
		n++
	}
	return n > 0
}

// These stand where others name the delivery that took over.
const (
	outOfScope = "out_of_scope"
	mergedInto = "merged_into/" // and the id of the record that survived
)

// leaveScope ends whatever is open of a record that is not meant to be synced
// any more.
func (f *folding) leaveScope() {
	f.each(func(o *Open) {
		if !o.settled() && o.D.State != event.StateNotApplied {
			o.D.SupersededBy = outOfScope
			f.settle(o, event.StateSuperseded)
		}
	})
	f.close(func(*Gap) bool { return true }, event.DivergenceOutOfScope)
}
