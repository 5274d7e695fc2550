package event

// Delivery states; design §2 defines each. Failed, Stalled, NotApplied are
// misses; Unobserved counts neither way.
const (
	StateObserved     = "observed"
	StateAttempted    = "attempted"
	StateAcknowledged = "acknowledged"
	StateApplied      = "applied"
	StateVerified     = "verified"
	StateFailed       = "failed"
	StateStalled      = "stalled"
	StateNotApplied   = "not_applied"
	StateOverwritten  = "overwritten"
	StateUnobserved   = "unobserved"
	StateSuperseded   = "superseded"
)

// DeliveryStates lists every state.
var DeliveryStates = []string{
	StateObserved, StateAttempted, StateAcknowledged, StateApplied, StateVerified, StateFailed,
	StateStalled, StateNotApplied, StateOverwritten, StateUnobserved, StateSuperseded,
}

// What a latency was measured to.
const (
	BasisAcknowledged    = "acknowledged"
	BasisAppliedEvent    = "applied_event"
	BasisAppliedPoll     = "applied_poll"
	BasisAppliedReadback = "applied_readback"
)

// Delivery is the passage of one change to the target, as it now stands. Each
// record replaces the one before with a smaller Version.
type Delivery struct {
	ID             string `msg:"id"`
	Tenant         string `msg:"tenant"`
	Integration    string `msg:"integration"`
	Object         string `msg:"object"`
	RecordKey      string `msg:"record_key"`
	SourceID       string `msg:"source_id,omitempty"`
	TargetID       string `msg:"target_id,omitempty"`
	ChangeID       string `msg:"change_id"`
	Operation      string `msg:"op,omitempty"`
	State          string `msg:"state"`
	Was            string `msg:"was,omitempty"` // the state before this version, empty when it opened
	WasAttempts    int    `msg:"was_attempts,omitempty"`
	WasAcked       bool   `msg:"was_acked,omitempty"` // it was acknowledged before this version
	ChangedAt      Time   `msg:"changed_at"`
	ReceivedAt     Time   `msg:"received_at"`
	DueAt          Time   `msg:"due_at"` // the deadline: the delivery is due, delivered or not
	FirstAttemptAt Time   `msg:"first_attempt_at,omitempty"`
	AcknowledgedAt Time   `msg:"acknowledged_at,omitempty"`
	AppliedAt      Time   `msg:"applied_at,omitempty"`
	VerifiedAt     Time   `msg:"verified_at,omitempty"`
	LatencyMS      int64  `msg:"latency_ms,omitempty"` // signed: skewed clocks are shown, not hidden
	LatencyBasis   string `msg:"latency_basis,omitempty"`
	StartBasis     string `msg:"start_basis,omitempty"` // TimeEvent or TimeReceived
	SkewMS         int64  `msg:"skew_ms,omitempty"`     // how far the two systems' clocks are thought to disagree: a bound on LatencyMS
	ResolutionMS   int64  `msg:"resolution_ms,omitempty"`
	Attempts       int    `msg:"attempts,omitempty"`
	Late           bool   `msg:"late,omitempty"` // delivered, but after its deadline
	Coerced        bool   `msg:"coerced,omitempty"`
	Series         string `msg:"series,omitempty"`  // "" or import: first loads are a series of their own
	Reverse        bool   `msg:"reverse,omitempty"` // a change made in the target, on its way to the source
	Actor          Actor  `msg:"actor"`
	SupersededBy   string `msg:"superseded_by,omitempty"`
	UpdatedAt      Time   `msg:"updated_at"`
	Version        uint64 `msg:"version"` // offset of the last input folded in
}

// EventType implements Event.
func (*Delivery) EventType() Type { return TypeDelivery }

// Validate implements Event.
func (d *Delivery) Validate() error {
	return firstError(
		required("id", d.ID), required("integration", d.Integration), required("object", d.Object),
		required("record_key", d.RecordKey), oneOf("state", d.State, DeliveryStates),
	)
}
