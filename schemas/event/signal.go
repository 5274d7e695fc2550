package event

// Signal kinds: what may explain failures or drift.
const (
	SignalVendorIncident = "vendor_incident"
	SignalSchemaChange   = "schema_change"
	SignalPicklistChange = "picklist_change"
	SignalMappingChange  = "mapping_change"
	SignalDeploy         = "deploy"
	SignalTokenRotation  = "token_rotation"
	SignalBulkImport     = "bulk_import"
	SignalQuota          = "quota_exhaustion"
	SignalAgentRun       = "agent_run"
	SignalIDConflict     = "id_conflict"     // one event id, two bodies: both kept
	SignalProbe          = "probe"           // our own read-only credential tried the system: Detail has result, status, endpoint
	SignalScopeChange    = "scope_change"    // what a token may do was changed
	SignalRunbookGap     = "runbook_gap"     // something is missing in an integration's runbook; ended: nothing is
	SignalMissedRun      = "missed_run"      // a scheduled comparison did not happen in time
	SignalUsage          = "api_usage"       // the vendor's own counter: Detail has used, max, and own, the calls Plumbline made
	SignalStoreGap       = "store_gap"       // ClickHouse does not hold what was read from the log
	SignalTopicRecreated = "topic_recreated" // a topic was deleted and created again
	SignalToken          = "token_anomaly"
	SignalChecklist      = "checklist"      // a person ticked an item, named by Field: Detail has result
	SignalMappingBreak   = "mapping_break"  // a mapped field will be refused at the next write: Detail has what and first_step
	SignalRetries        = "unsafe_retries" // writes are tried again in a way that does harm: Detail has what

	// Three ways in which a source stops telling the truth.
	SignalSourceQuiet   = "source_quiet"   // far fewer events than at this hour of the week
	SignalSourceStalled = "source_stalled" // what arrives is old, and getting older
	SignalSourceLossy   = "source_lossy"   // it says itself, or its numbers say, that events are missing
)

// DetailCompare in a signal's Detail asks for a comparison: CompareWhole, of
// the whole object. With record_id instead, one record is to be read again.
const (
	DetailCompare = "compare"
	CompareWhole  = "whole"
)

// What a probe with our own credential met, in Detail under "result".
const (
	ProbeOK      = "ok"
	ProbeAuth    = "auth"    // refused the credential or its scope
	ProbeLimit   = "limit"   // the account's budget is used up
	ProbeOutage  = "outage"  // the system failed: 5xx
	ProbeNetwork = "network" // no answer
)

// SignalKinds lists every valid kind.
var SignalKinds = []string{
	SignalVendorIncident, SignalSchemaChange, SignalPicklistChange, SignalMappingChange, SignalDeploy,
	SignalTokenRotation, SignalBulkImport, SignalQuota, SignalAgentRun, SignalIDConflict,
	SignalStoreGap, SignalTopicRecreated,
	SignalSourceQuiet, SignalSourceStalled, SignalSourceLossy,
	SignalProbe, SignalScopeChange, SignalMissedRun, SignalRunbookGap, SignalUsage, SignalToken, SignalChecklist,
	SignalMappingBreak, SignalRetries,
}

// Signal is something that happened beside the records and may explain them.
type Signal struct {
	ID          string  `msg:"id"`
	Tenant      string  `msg:"tenant,omitempty"`
	Integration string  `msg:"integration,omitempty"` // empty = every integration of the system
	Sender      string  `msg:"sender,omitempty"`
	Kind        string  `msg:"kind"`
	System      string  `msg:"system,omitempty"`
	Object      string  `msg:"object,omitempty"`
	Field       string  `msg:"field,omitempty"`
	StartedAt   Time    `msg:"started_at"`
	EndedAt     Time    `msg:"ended_at,omitempty"`
	ReceivedAt  Time    `msg:"received_at"`
	Summary     string  `msg:"summary,omitempty"`
	Detail      []Field `msg:"detail,omitempty"`
	Actor       Actor   `msg:"actor"`
	Token       string  `msg:"token,omitempty"`
	BodyHash    uint64  `msg:"body_hash,omitempty"`
}

// EventType implements Event.
func (*Signal) EventType() Type { return TypeSignal }

// Validate implements Event.
func (s *Signal) Validate() error {
	return firstError(
		required("id", s.ID), oneOf("kind", s.Kind, SignalKinds), known("started_at", s.StartedAt),
		atMost("detail", len(s.Detail)),
	)
}
