package ledger

import (
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Fields of a state, all down to the smallest struct in it, are added at the
// end: in the log they are known by their place (state.go).

// Record is the state of one canonical record: its deliveries, what was tried
// and seen of late, because a change may arrive after its own echo, and where
// the two systems differ.
type Record struct {
	TargetID string     `msg:"t,omitempty"`
	Rivals   []string   `msg:"v,omitempty"` // other records of the target that claim to be this one
	Open     []Open     `msg:"o,omitempty"`
	Kept     []Kept     `msg:"k,omitempty"`
	Gaps     []Gap      `msg:"g,omitempty"`
	Asked    event.Time `msg:"a,omitempty"` // when a check was last asked for
	Memory   Memory     `msg:"m,omitempty"` // of fields, while anything else is kept
	Edited   event.Time `msg:"e,omitempty"` // when to ask about fields that people wrote in the target, 0 = never
	Edits    []string   `msg:"f,omitempty"` // those of which the source's value is not known
	EditsAsk bool       `msg:"q,omitempty"` // they were asked about
}

// Open is a delivery that more may be learned about.
type Open struct {
	D          Passage    `msg:"d"`
	Wants      []Want     `msg:"w,omitempty"` // what the other system has to show
	Refused    int        `msg:"r,omitempty"` // failed attempts since the last success
	Answer     *Answer    `msg:"z,omitempty"` // to the last of them
	Coerced    bool       `msg:"c,omitempty"` // the sync user wrote another value: only a suspicion before the deadline
	Asked      bool       `msg:"a,omitempty"` // a read-back was asked for
	Silent     bool       `msg:"q,omitempty"` // the silent failure was told
	Judge      event.Time `msg:"j"`           // when its deadline is judged
	Forget     event.Time `msg:"f"`           // when its last state stands
	SeenAt     event.Time `msg:"s,omitempty"` // the newest field was seen to be there then
	SeenBasis  string     `msg:"b,omitempty"` //
	Resolution int64      `msg:"n,omitempty"` //
	Judged     bool       `msg:"g,omitempty"` // whether the suspicion is a silent failure was judged
}

// Passage is what an event.Delivery says beyond the record's key.
type Passage struct {
	ChangeID       string      `msg:"c"`
	SourceID       string      `msg:"s,omitempty"` // where it is not the record key
	TargetID       string      `msg:"t,omitempty"`
	Operation      string      `msg:"o,omitempty"`
	State          string      `msg:"x"`
	ChangedAt      event.Time  `msg:"h"`
	ReceivedAt     event.Time  `msg:"r"`
	DueAt          event.Time  `msg:"d"`
	FirstAttemptAt event.Time  `msg:"f,omitempty"`
	AcknowledgedAt event.Time  `msg:"k,omitempty"`
	AppliedAt      event.Time  `msg:"a,omitempty"`
	VerifiedAt     event.Time  `msg:"v,omitempty"`
	LatencyMS      int64       `msg:"l,omitempty"`
	LatencyBasis   string      `msg:"b,omitempty"`
	StartBasis     string      `msg:"e,omitempty"` // only event.TimeReceived
	SkewMS         int64       `msg:"w,omitempty"`
	ResolutionMS   int64       `msg:"n,omitempty"`
	Attempts       int         `msg:"m,omitempty"`
	Late           bool        `msg:"p,omitempty"`
	Coerced        bool        `msg:"q,omitempty"`
	Reverse        bool        `msg:"z,omitempty"`
	Series         string      `msg:"i,omitempty"`
	Actor          event.Actor `msg:"y"`
	SupersededBy   string      `msg:"u,omitempty"`
}

// Want is one field of the change, under its target-side name.
type Want struct {
	Target string      `msg:"t"`
	Value  event.Value `msg:"v"`
	Shown  bool        `msg:"x,omitempty"` // the other system was seen to hold it
	Past   bool        `msg:"p,omitempty"` // a newer change replaced it
	Until  event.Time  `msg:"u,omitempty"` // and was made then
	Over   bool        `msg:"o,omitempty"` // somebody else's value stands
	Named  bool        `msg:"n,omitempty"` // an acknowledged attempt named it
	Saw    *Saw        `msg:"s,omitempty"` // the other value the sync user wrote
}

// Saw is a value that is not the wanted one.
type Saw struct {
	Value  event.Value `msg:"v"`
	At     event.Time  `msg:"a"`
	Moved  event.Time  `msg:"m,omitempty"`
	Writer event.Actor `msg:"w"`
}

// Kept is an attempt or evidence that changes still under way may need.
type Kept struct {
	Until    event.Time     `msg:"u"`
	Try      *Try           `msg:"t,omitempty"`
	Failure  *event.Failure `msg:"f,omitempty"` // of a failed try whose delivery has not opened
	Evidence *Evidence      `msg:"e,omitempty"`
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
	Answer    *Answer    `msg:"w,omitempty"` // of a failed one
	Reverse   bool       `msg:"z,omitempty"` // it wrote to the source
}

// Answer is what a system said to a write that failed: its code, else the
// class of it, and the field that it names, if it names one.
type Answer struct {
	Code  string `msg:"c"`
	Field string `msg:"f,omitempty"`
	Class string `msg:"k,omitempty"`
}

// Evidence is what a system was seen to hold: its own event, a poll, a
// read-back. Fields of the source stand under their target-side names too.
type Evidence struct {
	At         event.Time    `msg:"a"`           // the fields are true at this instant
	Modified   event.Time    `msg:"m,omitempty"` // when the record last changed, 0 = not stated
	Fields     []event.Field `msg:"f,omitempty"` // those that are mapped
	Basis      string        `msg:"b"`
	FoundBy    string        `msg:"y,omitempty"`
	Resolution int64         `msg:"r,omitempty"`
	Writer     event.Actor   `msg:"w"`
	TargetID   string        `msg:"t,omitempty"`
	Source     bool          `msg:"s,omitempty"` // of the source
	Event      bool          `msg:"e,omitempty"` // the system told of it, nobody asked
	Whole      bool          `msg:"h,omitempty"`
	Missing    bool          `msg:"x,omitempty"`
	Merged     bool          `msg:"g,omitempty"`
}

// Gap is a divergence that is not over.
type Gap struct {
	D          event.Divergence `msg:"d"`
	Target     string           `msg:"t,omitempty"` // the field's target-side name
	Moved      event.Time       `msg:"m"`           // the newest of the two values is from then
	SourceSeen event.Time       `msg:"s,omitempty"` // the values were true then
	TargetSeen event.Time       `msg:"x,omitempty"` //
	Tries      int              `msg:"n,omitempty"` // how often both sides were asked about
	Due        event.Time       `msg:"u,omitempty"` // when to ask, or when acceptance ends; 0 = nothing
}

// askEvery is how often one record may be asked about.
const askEvery = event.Minute

// Due implements stream.KeyState: the next deadline, question or farewell.
func (r *Record) Due() event.Time {
	var due event.Time
	sooner := func(at event.Time) {
		if at != 0 && (due == 0 || at < due) {
			due = at
		}
	}
	for i := range r.Open {
		sooner(r.Open[i].due(r.Asked))
	}
	for i := range r.Kept {
		sooner(r.Kept[i].Until)
	}
	for i := range r.Gaps {
		sooner(r.Gaps[i].due(r.Asked))
	}
	if r.Edited != 0 {
		sooner(max(r.Edited, r.Asked+askEvery))
	}
	return due
}

// Empty implements stream.KeyState.
func (r *Record) Empty() bool {
	return len(r.Open) == 0 && len(r.Kept) == 0 && len(r.Gaps) == 0 && len(r.Rivals) == 0 && r.Edited == 0
}

func (o *Open) due(asked event.Time) event.Time {
	switch {
	case o.waits():
		return o.Judge
	case o.asks():
		return min(max(o.Judge, asked+askEvery), o.Forget)
	case o.suspected():
		return o.Judge
	}
	return o.Forget
}

// suspected reports whether the sync's own other value has still to be judged:
// it was proven not to have arrived, and nothing was told of it.
func (o *Open) suspected() bool {
	return o.D.State == event.StateNotApplied && o.Coerced && !o.Silent && !o.Judged
}

func (g *Gap) due(asked event.Time) event.Time {
	if g.Due == 0 || g.D.State != event.DivergencePending {
		return g.Due
	}
	return max(g.Due, asked+askEvery)
}

// waits reports whether the deadline has still to be judged.
func (o *Open) waits() bool {
	switch o.D.State {
	case event.StateObserved, event.StateAttempted, event.StateAcknowledged:
		return true
	}
	return false
}

// asks reports whether a look at the other system would settle it.
func (o *Open) asks() bool {
	switch o.D.State {
	case event.StateStalled, event.StateUnobserved, event.StateFailed:
		return !o.Asked
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

// event is the delivery as others read it.
func (p *Passage) event(in *config.Integration, object, key string) *event.Delivery {
	source := p.SourceID
	if source == "" {
		source = key
	}
	return &event.Delivery{
		ID: event.DeliveryID(in.ID, object, key, p.ChangeID), Tenant: in.Tenant, Integration: in.ID, Object: object,
		RecordKey: key, SourceID: source, TargetID: p.TargetID, ChangeID: p.ChangeID, Operation: p.Operation,
		State: p.State, ChangedAt: p.ChangedAt, ReceivedAt: p.ReceivedAt, DueAt: p.DueAt,
		FirstAttemptAt: p.FirstAttemptAt, AcknowledgedAt: p.AcknowledgedAt, AppliedAt: p.AppliedAt,
		VerifiedAt: p.VerifiedAt, LatencyMS: p.LatencyMS, LatencyBasis: p.LatencyBasis, StartBasis: orEvent(p.StartBasis),
		SkewMS: p.SkewMS, ResolutionMS: p.ResolutionMS, Attempts: p.Attempts, Late: p.Late, Coerced: p.Coerced,
		Series: p.Series, Reverse: p.Reverse, Actor: p.Actor, SupersededBy: p.SupersededBy,
	}
}
