package event

// States of an incident.
const (
	IncidentOpen         = "open"
	IncidentAcknowledged = "acknowledged"
	IncidentMitigated    = "mitigated" // it no longer grows, or a person said so
	IncidentResolved     = "resolved"  // every affected record is right again, or waived by name
)

// IncidentStates lists every state.
var IncidentStates = []string{IncidentOpen, IncidentAcknowledged, IncidentMitigated, IncidentResolved}

// What an incident is made of.
const (
	IncidentOfFailures   = "failures"
	IncidentOfSilence    = "silent"     // acknowledged, never taken
	IncidentOfStalls     = "stalled"    // nothing was even tried
	IncidentOfDivergence = "divergence" // the two systems differ
)

// IncidentKinds lists every kind.
var IncidentKinds = []string{IncidentOfFailures, IncidentOfSilence, IncidentOfStalls, IncidentOfDivergence}

// Priorities.
const (
	P1 = "P1"
	P2 = "P2"
)

// Incident is what failures or divergences of one fingerprint in one
// integration grow into, as it now stands.
type Incident struct {
	ID             string   `msg:"id"`
	Tenant         string   `msg:"tenant"`
	Integration    string   `msg:"integration"`
	Object         string   `msg:"object,omitempty"` // empty: several
	Fingerprint    string   `msg:"fingerprint"`
	Kind           string   `msg:"kind"`
	State          string   `msg:"state"`
	Was            string   `msg:"was,omitempty"`
	Priority       string   `msg:"priority"`
	Class          string   `msg:"class,omitempty"`
	Attribution    string   `msg:"attribution,omitempty"`
	Recoverability string   `msg:"recoverability,omitempty"`
	Confidence     float64  `msg:"confidence,omitempty"`
	Provider       string   `msg:"provider,omitempty"`
	Token          string   `msg:"token,omitempty"`
	Title          string   `msg:"title"` // what broke
	Evidence       string   `msg:"evidence,omitempty"`
	FirstStep      string   `msg:"first_step,omitempty"`
	OnsetAt        Time     `msg:"onset_at"`    // first affected change
	DetectedAt     Time     `msg:"detected_at"` // first classified failure or confirmed divergence
	AcknowledgedAt Time     `msg:"acknowledged_at,omitempty"`
	AcknowledgedBy string   `msg:"acknowledged_by,omitempty"`
	MitigatedAt    Time     `msg:"mitigated_at,omitempty"`
	ResolvedAt     Time     `msg:"resolved_at,omitempty"`
	ResolvedBy     string   `msg:"resolved_by,omitempty"` // a person, if one closed it
	LastAt         Time     `msg:"last_at"`               // the last failure
	Failures       int64    `msg:"failures"`
	Affected       int64    `msg:"affected"`             // records, ever
	Open           int64    `msg:"open"`                 // records not right yet
	Unverified     int64    `msg:"unverified,omitempty"` // taken on the target's word
	Waived         int64    `msg:"waived,omitempty"`
	Records        []string `msg:"records,omitempty"`      // up to MaxKeys; beyond, Predicate says which
	Predicate      string   `msg:"predicate,omitempty"`    // SQL that selects them all
	Fingerprints   []string `msg:"fingerprints,omitempty"` // of its failures: which ones belong to it
	Reopened       int      `msg:"reopened,omitempty"`
	Recurrence     int      `msg:"recurrence"`           // which one of this fingerprint in 30 days
	VerdictID      string   `msg:"verdict_id,omitempty"` // what explains it
	Steps          []Step   `msg:"steps,omitempty"`      // what people did, in order
	UpdatedAt      Time     `msg:"updated_at"`
	Version        uint64   `msg:"version"`
}

// Step is something a person did about an incident.
type Step struct {
	Step   string `msg:"s"` // of the runbook, or acknowledge, waive, ...
	Result string `msg:"r,omitempty"`
	Reason string `msg:"w,omitempty"`
	By     string `msg:"by"`
	At     Time   `msg:"at"`
}

// EventType implements Event.
func (*Incident) EventType() Type { return TypeIncident }

// Validate implements Event.
func (i *Incident) Validate() error {
	return firstError(
		required("id", i.ID), required("integration", i.Integration), required("fingerprint", i.Fingerprint),
		oneOf("kind", i.Kind, IncidentKinds), oneOf("state", i.State, IncidentStates), known("detected_at", i.DetectedAt),
	)
}
