package ledger

import (
	"slices"

	"plumbline.dev/schemas/event"
)

// deadlines judges what is due and says farewell to what can no longer heal.
// Only a tick gets here: stream time has really passed.
func (f *folding) deadlines() {
	f.each(func(o *Open) {
		if o.waits() && o.Judge <= f.ctx.Now {
			o.missed()
		}
	})
	f.r.Open = slices.DeleteFunc(f.r.Open, func(o Open) bool { return !o.waits() && o.Forget <= f.ctx.Now })
	f.r.Kept = slices.DeleteFunc(f.r.Kept, func(k Kept) bool { return k.Until <= f.ctx.Now })
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
	case event.StateObserved:
		o.D.State = event.StateStalled
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
