package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// deadlines judges what is due, asks what only a look can settle, and says
// farewell to what can no longer heal. Only a tick gets here: stream time has
// really passed.
func (f *folding) deadlines() {
	f.each(func(o *Open) {
		if o.waits() && o.Judge <= f.ctx.Now {
			f.doubt(o)
			o.missed()
		}
	})
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o.suspected() && o.Judge <= f.ctx.Now {
			o.Judged = true
			f.silent(o)
		}
	}
	f.readback()
	f.gapsDue()
	f.editsDue()
	f.forget()
	f.r.Kept = slices.DeleteFunc(f.r.Kept, func(k Kept) bool { return k.Until <= f.ctx.Now })
	f.flush()
}

// doubt drops the suspicion of a coerced value where the target's own events
// have told since that the write was of other fields, and where the field is
// settled: of one that a later change took over, that one's echo was seen.
func (f *folding) doubt(o *Open) {
	saw := false
	for i := range o.Wants {
		w := &o.Wants[i]
		if w.Saw != nil && (!w.pending() || f.r.Memory.elsewhere(o.D.Reverse, w.Target, w.Saw.Moved)) {
			w.Saw = nil
		}
		saw = saw || w.Saw != nil
	}
	o.Coerced = o.Coerced && saw
}

// forget lets deliveries go. What is older than one that goes, and settled,
// goes too: it would look like the last word.
func (f *folding) forget() {
	gone := [2]event.Time{}
	for i := range f.r.Open {
		if o := &f.r.Open[i]; o.settled() && o.Forget <= f.ctx.Now {
			gone[o.way()] = max(gone[o.way()], o.D.ChangedAt)
		}
	}
	f.r.Open = slices.DeleteFunc(f.r.Open, func(o Open) bool {
		return !o.waits() && o.Forget <= f.ctx.Now || o.settled() && o.D.ChangedAt <= gone[o.way()]
	})
}

func (o *Open) way() int {
	if o.D.Reverse {
		return 1
	}
	return 0
}

// readback asks for what the deadline passed without a sight of it.
func (f *folding) readback() {
	for i := range f.r.Open {
		o := &f.r.Open[i]
		if o.asks() && o.Forget > f.ctx.Now && o.due(f.r.Asked) <= f.ctx.Now {
			o.Asked = true
			side := event.Target
			if o.D.Reverse {
				side = event.Source
			}
			f.wonder(event.CheckReadback, side, f.deliveryID(o), pendingFields(o))
		}
	}
}

func pendingFields(o *Open) []string {
	var names []string
	for i := range o.Wants {
		if o.Wants[i].pending() {
			names = append(names, o.Wants[i].Target)
		}
	}
	return names
}

// missed gives a delivery whose deadline passed the state that follows.
func (o *Open) missed() {
	switch o.D.State {
	case event.StateAcknowledged, event.StateUnobserved:
		o.D.State = event.StateUnobserved // nobody looked: counted neither way
		if o.Coerced {
			o.D.State, o.D.Coerced = event.StateNotApplied, true
		}
	case event.StateAttempted:
		o.D.State = event.StateFailed // tried, and the last try said no
	case event.StateObserved, event.StateStalled:
		o.D.State = event.StateStalled
		if o.Coerced {
			o.D.State, o.D.Coerced = event.StateNotApplied, true
		}
	}
}

// keep remembers what was tried or seen, for changes that arrive after it.
func (f *folding) keep(k Kept) {
	k.Until = f.clock + f.m.recent
	if len(f.r.Kept) >= maxKept {
		f.r.Kept = slices.Delete(f.r.Kept, 0, len(f.r.Kept)-maxKept+1)
	}
	f.r.Kept = append(f.r.Kept, k)
}
