package ledger

import "plumbline.dev/schemas/event"

// Record is the state of one canonical record: its deliveries, and what was
// tried and seen of late, because a change may arrive after its own echo.
type Record struct {
	TargetID string `msg:"t,omitempty"`
	Open     []Open `msg:"o,omitempty"`
	Kept     []Kept `msg:"k,omitempty"`
}

// Open is a delivery that more may be learned about.
type Open struct {
	D          event.Delivery `msg:"d"`
	Wants      []Want         `msg:"w,omitempty"` // what the target has to show
	Refused    int            `msg:"r,omitempty"` // failed attempts since the last success
	Coerced    bool           `msg:"c,omitempty"` // the sync user wrote another value: only a suspicion before the deadline
	Judge      event.Time     `msg:"j"`           // when its deadline is judged
	Forget     event.Time     `msg:"f"`           // when its last state stands
	SeenAt     event.Time     `msg:"s,omitempty"` // the newest field was seen to be there then
	SeenBasis  string         `msg:"b,omitempty"` //
	Resolution int64          `msg:"n,omitempty"` //
}

// Want is one field of the change, under its target-side name.
type Want struct {
	Target string      `msg:"t"`
	Value  event.Value `msg:"v"`
	Shown  bool        `msg:"x,omitempty"` // the target was seen to hold it
	Past   bool        `msg:"p,omitempty"` // a newer change replaced it
	Over   bool        `msg:"o,omitempty"` // somebody else wrote after the acknowledgement
}

// Kept is an attempt or evidence that changes still under way may need.
type Kept struct {
	Until    event.Time `msg:"u"`
	Try      *Try       `msg:"t,omitempty"`
	Evidence *Evidence  `msg:"e,omitempty"`
}

// Try is what the ledger needs of one attempt to write a record.
type Try struct {
	At        event.Time `msg:"a"`
	ChangeID  string     `msg:"c,omitempty"`
	TargetID  string     `msg:"t,omitempty"`
	Fields    []string   `msg:"f,omitempty"` // names only; none: it may have written all
	Delete    bool       `msg:"d,omitempty"`
	Failed    bool       `msg:"x,omitempty"`
	Permanent bool       `msg:"p,omitempty"`
	Other     bool       `msg:"o,omitempty"`
}

// Evidence is what a system was seen to hold: the target's own event, a poll,
// a read-back.
type Evidence struct {
	At         event.Time    `msg:"a"`           // the fields are true at this instant
	Modified   event.Time    `msg:"m,omitempty"` // when the target's record last changed, 0 = not stated
	Fields     []event.Field `msg:"f,omitempty"` // those that are mapped
	Basis      string        `msg:"b"`
	Resolution int64         `msg:"r,omitempty"`
	Writer     event.Actor   `msg:"w"`
	TargetID   string        `msg:"t,omitempty"`
	Event      bool          `msg:"e,omitempty"` // the system told of it, nobody asked
	Whole      bool          `msg:"h,omitempty"`
	Missing    bool          `msg:"x,omitempty"`
	Merged     bool          `msg:"g,omitempty"`
}

// Due implements stream.KeyState: the next deadline or farewell.
func (r *Record) Due() event.Time {
	var due event.Time
	sooner := func(at event.Time) {
		if due == 0 || at < due {
			due = at
		}
	}
	for i := range r.Open {
		sooner(r.Open[i].due())
	}
	for i := range r.Kept {
		sooner(r.Kept[i].Until)
	}
	return due
}

// Empty implements stream.KeyState.
func (r *Record) Empty() bool { return len(r.Open) == 0 && len(r.Kept) == 0 }

func (o *Open) due() event.Time {
	if o.waits() {
		return o.Judge
	}
	return o.Forget
}

// waits reports whether the deadline has still to be judged.
func (o *Open) waits() bool {
	switch o.D.State {
	case event.StateObserved, event.StateAttempted, event.StateAcknowledged:
		return true
	}
	return false
}

// settled reports whether the state can only be confirmed.
func (o *Open) settled() bool {
	switch o.D.State {
	case event.StateApplied, event.StateVerified, event.StateSuperseded, event.StateOverwritten:
		return true
	}
	return false
}

func (o *Open) isDelete() bool { return o.D.Operation == event.OpDelete }

// start is where latency counts from: the vendor's time of the change, or
// receipt where it states none.
func (o *Open) start() event.Time {
	if o.D.StartBasis == event.TimeReceived {
		return o.D.ReceivedAt
	}
	return o.D.ChangedAt
}

// outcome is what the fields say together. One that was replaced or
// overwritten leaves: the others decide. Empty: one is still waited for.
func (o *Open) outcome() string {
	shown, over := false, false
	for i := range o.Wants {
		w := &o.Wants[i]
		if w.pending() {
			return ""
		}
		shown, over = shown || w.Shown, over || w.Over
	}
	switch {
	case shown:
		return event.StateApplied
	case over:
		return event.StateOverwritten
	}
	return event.StateSuperseded
}

func (w *Want) pending() bool { return !w.Shown && !w.Past && !w.Over }
