package ledger

import "plumbline.dev/schemas/event"

// Record is the state of one canonical record: the deliveries under way and
// those that may still heal.
type Record struct {
	TargetID string `msg:"t,omitempty"`
	Open     []Open `msg:"o,omitempty"`
}

// Open is a delivery that is not final.
type Open struct {
	D       event.Delivery `msg:"d"`
	Wants   []Want         `msg:"w,omitempty"` // what the target has to show
	Coerced bool           `msg:"c,omitempty"` // the sync user wrote another value
	Refused bool           `msg:"r,omitempty"` // the newest attempt failed
	Forget  event.Time     `msg:"f"`           // when it can no longer heal
}

// Want is one field of the change, under its target-side name.
type Want struct {
	Source string      `msg:"s"`
	Target string      `msg:"t"`
	Value  event.Value `msg:"v"`
	Shown  bool        `msg:"x,omitempty"` // the target was seen to hold it
	Past   bool        `msg:"p,omitempty"` // a newer change replaced it
}

// Due implements stream.KeyState: the next deadline or farewell.
func (r *Record) Due() event.Time {
	var due event.Time
	for i := range r.Open {
		at := r.Open[i].Forget
		if r.Open[i].waits() {
			at = r.Open[i].D.DueAt
		}
		if due == 0 || at < due {
			due = at
		}
	}
	return due
}

// Empty implements stream.KeyState.
func (r *Record) Empty() bool { return len(r.Open) == 0 }

// waits reports whether the deadline has still to be judged.
func (o *Open) waits() bool {
	switch o.D.State {
	case event.StateObserved, event.StateAttempted, event.StateAcknowledged:
		return true
	}
	return false
}

// covered reports whether nothing is left to wait for: every field was shown
// or replaced. A change without values is covered by any sign of the record.
func (o *Open) covered() bool {
	for i := range o.Wants {
		if !o.Wants[i].Shown && !o.Wants[i].Past {
			return false
		}
	}
	return true
}

// replaced reports whether newer changes took over every field.
func (o *Open) replaced() bool {
	for i := range o.Wants {
		if !o.Wants[i].Past {
			return false
		}
	}
	return len(o.Wants) > 0
}
