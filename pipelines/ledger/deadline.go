package ledger

import (
	"plumbline.dev/schemas/event"
)

// deadlines judges what is due and says farewell to what can no longer heal.
// Only a tick gets here: stream time has really passed.
func (f *folding) deadlines() {
	for i := range f.r.Open {
		o := &f.r.Open[i]
		switch {
		case o.waits() && o.D.DueAt <= f.ctx.Now:
			o.D.State = o.missed()
			f.emit(o, o.D.DueAt)
		case !o.waits() && o.Forget <= f.ctx.Now:
			o.Forget = 0 // its last state stands
		}
	}
	f.sweep()
}

// missed is the state of a delivery whose deadline passed.
func (o *Open) missed() string {
	switch {
	case o.Coerced:
		return event.StateNotApplied // the target took another value
	case o.D.State == event.StateAcknowledged:
		return event.StateUnobserved // nobody looked: counted neither way
	case o.Refused:
		return event.StateFailed // tried, and the last try said no
	}
	return event.StateStalled
}
