package event

// Divergence kinds and states (design §2).
const (
	MissingInTarget = "missing_in_target"
	MissingInSource = "missing_in_source"
	ValueMismatch   = "value_mismatch"
	Stale           = "stale"
	Duplicate       = "duplicate"

	DivergencePending    = "pending"
	DivergenceConfirmed  = "confirmed"
	DivergenceAccepted   = "accepted"
	DivergenceResolved   = "resolved"
	DivergenceOutOfScope = "out_of_scope"
)

// DivergenceKinds and DivergenceStates list the valid words.
var (
	DivergenceKinds  = []string{MissingInTarget, MissingInSource, ValueMismatch, Stale, Duplicate}
	DivergenceStates = []string{
		DivergencePending, DivergenceConfirmed, DivergenceAccepted, DivergenceResolved, DivergenceOutOfScope,
	}
)

// Divergence is a record, or one field of it, that differs between the two
// systems, as it now stands.
type Divergence struct {
	ID               string `msg:"id"`
	Tenant           string `msg:"tenant"`
	Integration      string `msg:"integration"`
	Object           string `msg:"object"`
	RecordKey        string `msg:"record_key"`
	SourceID         string `msg:"source_id,omitempty"`
	TargetID         string `msg:"target_id,omitempty"`
	DeliveryID       string `msg:"delivery_id,omitempty"`
	Field            string `msg:"field,omitempty"` // empty = the record as a whole
	Kind             string `msg:"kind"`
	Difference       string `msg:"difference,omitempty"`
	Class            string `msg:"class,omitempty"`
	State            string `msg:"state"`
	Was              string `msg:"was,omitempty"` // the state before this version, empty when it is new
	SourceValue      Value  `msg:"source_value"`
	TargetValue      Value  `msg:"target_value"`
	SourceModifiedAt Time   `msg:"source_modified_at,omitempty"`
	TargetModifiedAt Time   `msg:"target_modified_at,omitempty"`
	SourceWriter     Actor  `msg:"source_writer"`
	TargetWriter     Actor  `msg:"target_writer"`
	FirstSeenAt      Time   `msg:"first_seen_at"`
	ConfirmedAt      Time   `msg:"confirmed_at,omitempty"`
	ResolvedAt       Time   `msg:"resolved_at,omitempty"`
	FoundBy          string `msg:"found_by,omitempty"`
	PreExisting      bool   `msg:"pre_existing,omitempty"`
	AcceptedBy       string `msg:"accepted_by,omitempty"`
	AcceptedReason   string `msg:"accepted_reason,omitempty"` // in the person's words
	AcceptedUntil    Time   `msg:"accepted_until,omitempty"`  // then it is confirmed again; 0 = for good
	Cause            string `msg:"cause,omitempty"`
	RefusedCode      string `msg:"refused_code,omitempty"`  // what the system answered to the last write that failed: its code, else its class
	RefusedClass     string `msg:"refused_class,omitempty"` // how that failure was classified
	RefusedField     string `msg:"refused_field,omitempty"` // the field that the answer names
	IncidentID       string `msg:"incident_id,omitempty"`
	UpdatedAt        Time   `msg:"updated_at"`
	Version          uint64 `msg:"version"`
	BeganAt          Time   `msg:"began_at,omitempty"` // as known when it was confirmed, if the record was saved since: that did not make it differ
	ChangedBy        Actor  `msg:"changed_by"`         // and by whom
	MadeAt           Time   `msg:"made_at,omitempty"`  // when the record was made, where its making was followed
}

// EventType implements Event.
func (*Divergence) EventType() Type { return TypeDivergence }

// Validate implements Event.
func (d *Divergence) Validate() error {
	return firstError(
		required("id", d.ID), required("integration", d.Integration), required("record_key", d.RecordKey),
		oneOf("kind", d.Kind, DivergenceKinds), oneOf("state", d.State, DivergenceStates),
	)
}

// Began is the best word for when the systems began to differ: the newest
// change of either side that somebody made. The sync's own write is none.
func (d *Divergence) Began() Time {
	if d.BeganAt != 0 {
		return d.BeganAt
	}
	began := d.SourceModifiedAt
	if d.TargetModifiedAt > began && (d.TargetWriter.Kind != ActorIntegration || began == 0) {
		began = d.TargetModifiedAt
	}
	if began == 0 || d.FirstSeenAt != 0 && began > d.FirstSeenAt {
		return d.FirstSeenAt
	}
	return began
}

// By is who made that change, as far as anybody knows.
func (d *Divergence) By() Actor {
	if d.BeganAt != 0 {
		return d.ChangedBy
	}
	if d.TargetModifiedAt > d.SourceModifiedAt && d.TargetWriter.Kind != ActorIntegration && d.TargetWriter != (Actor{}) {
		return d.TargetWriter
	}
	return d.SourceWriter
}

// EditedInTarget reports whether it is the target's own people or machines who
// made it differ.
func (d *Divergence) EditedInTarget() bool {
	return d.Kind == ValueMismatch && d.TargetModifiedAt > d.SourceModifiedAt && d.TargetWriter.Kind == ActorUser
}
