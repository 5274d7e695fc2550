package ledger

import "plumbline.dev/schemas/event"

// replace retires what a new change replaces, field by field. A tie goes to
// the one that arrived later.
func (f *folding) replace(n *Open) {
	f.each(func(o *Open) {
		if o.D.ChangedAt <= n.D.ChangedAt {
			f.pass(o, n)
		}
	})
}

// replaced does the same to a change that arrives after newer ones.
func (f *folding) replaced(n *Open) {
	var newest *Open
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if o.D.ChangedAt > n.D.ChangedAt && replaces(o, n) && (newest == nil || o.D.ChangedAt >= newest.D.ChangedAt) {
			newest = o
		}
	}
	if newest == nil {
		return
	}
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o != newest && o.D.ChangedAt > n.D.ChangedAt {
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
			older.Wants[i].Past = true
		}
	}
}

// pass hands the older one's fields over to the newer. What is proven stands:
// a later edit does not undo that the target never took the value.
func (f *folding) pass(older, newer *Open) {
	if !replaces(newer, older) {
		return
	}
	mark(older, newer)
	if older.settled() || older.D.State == event.StateNotApplied {
		return
	}
	f.retire(older, newer.D.ID, newer.isDelete() || older.isDelete())
}

// retire settles a delivery of which nothing is waited for any more. Fields
// that had arrived before the rest was replaced make it applied.
func (f *folding) retire(o *Open, by string, wholly bool) {
	switch out := o.outcome(); {
	case out == event.StateApplied:
		f.applied(o)
	case out == event.StateOverwritten:
		f.settle(o, out)
	case wholly || out == event.StateSuperseded && len(o.Wants) > 0:
		o.D.SupersededBy = by
		f.settle(o, event.StateSuperseded)
	}
}

// mergedAway ends the deliveries of a record that ceased to exist: the
// surviving record's change carries on.
func (f *folding) mergedAway(c *event.Change) {
	by := event.DeliveryID(c.Integration, c.Object, c.MergedInto, c.ID)
	f.each(func(o *Open) {
		if o.D.ChangedAt > c.ChangedAt || o.settled() || o.D.State == event.StateNotApplied {
			return
		}
		for i := range o.Wants {
			o.Wants[i].Past = true
		}
		f.retire(o, by, true)
	})
}
