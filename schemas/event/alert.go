package event

// What an alert may be.
const (
	AlertFiring       = "firing"
	AlertAcknowledged = "acknowledged"
	AlertResolved     = "resolved"
	AlertUnknown      = "unknown" // cannot be measured: frozen, never resolved by itself
)

// AlertStatuses lists every status.
var AlertStatuses = []string{AlertFiring, AlertAcknowledged, AlertResolved, AlertUnknown}

// Severities.
const (
	Page   = "page"
	Ticket = "ticket"
	Info   = "info"
)

// Rules of alerts. docs/runbook.md has a heading for each.
const (
	RuleSuccess  = "kpi.success"
	RuleLatency  = "kpi.latency"
	RuleMTTR     = "kpi.mttr"
	RuleDrift    = "kpi.drift"
	RuleCoverage = "kpi.coverage"
	RuleOther    = "kpi.other" // failures that no rule of classification knows
	RuleIncident = "incident"
	RuleVendor   = "vendor.outage"
	RuleRunbook  = "runbook.gap"
	RuleMissed   = "reconcile.missed"
	RuleQuota    = "quota.exhaustion"
	RuleAgent    = "agent.tripped"
	RuleToken    = "token.anomaly"
	RuleSchema   = "schema.breaking"
	RuleRetry    = "retry.unsafe"
	RuleWatchdog = "watchdog"
)

// Alert is a state change worth telling. Its bytes are a CloudEvents 1.0 JSON
// envelope with this struct as data.
//
//msgp:ignore Alert
type Alert struct {
	ID              string   `json:"id"`
	Seq             int64    `json:"seq"` // of the tenant: a gap is a missed alert
	Status          string   `json:"status"`
	Severity        string   `json:"severity"`
	Priority        string   `json:"priority"`
	Rule            string   `json:"rule"`
	Tenant          string   `json:"tenant"`
	Integration     string   `json:"integration"`
	Object          string   `json:"object"`
	Subject         string   `json:"subject"`
	Since           JSONTime `json:"since"`       // it broke
	ObservedAt      JSONTime `json:"observed_at"` // stream time of this change
	RecordsAffected int64    `json:"records_affected"`
	Value           *float64 `json:"value"`
	Target          *float64 `json:"target"`
	Numerator       int64    `json:"numerator"`
	Denominator     int64    `json:"denominator"`
	Unit            string   `json:"unit,omitempty"`
	Window          string   `json:"window,omitempty"`
	Reason          string   `json:"reason,omitempty"` // why it is unknown
	Class           string   `json:"class,omitempty"`
	Attribution     string   `json:"attribution,omitempty"`
	Confidence      float64  `json:"confidence"`
	Provider        string   `json:"provider,omitempty"`
	Summary         string   `json:"summary"`
	FirstStep       string   `json:"first_step,omitempty"`
	RunbookURL      string   `json:"runbook_url,omitempty"`
	ConsoleURL      string   `json:"console_url,omitempty"`
	SQL             string   `json:"sql,omitempty"`
	IncidentID      string   `json:"incident_id,omitempty"`
	CausedBy        string   `json:"caused_by,omitempty"` // id of the alert that explains this one
	AcknowledgedBy  string   `json:"acknowledged_by,omitempty"`
	SilencedUntil   JSONTime `json:"silenced_until,omitzero"`
	LagMS           int64    `json:"lag_ms,omitempty"`            // of the watchdog: how far processing is behind the clock
	Oldest          JSONTime `json:"oldest_unprocessed,omitzero"` // everything before it was seen
	DeadlineSeconds int64    `json:"deadline_seconds,omitempty"`  // of the watchdog: page when the next is later
}
