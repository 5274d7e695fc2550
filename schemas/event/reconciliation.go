package event

// States of one comparison of one (object, field) set.
const (
	RunPlanned     = "planned"     // configured; never compared yet
	RunComplete    = "complete"    // every record in scope was compared
	RunSampled     = "sampled"     // a part was: covers by its share
	RunFailed      = "failed"      // could not finish: blocks the watermarks
	RunInvalidated = "invalidated" // what was compared no longer holds: the mapping changed
	RunRemoved     = "removed"     // no longer configured
	RunExcluded    = "excluded"    // left out on purpose, with a reason
	RunUncovered   = "uncovered"   // a system holds such records, and no integration maps them
)

// RunStates lists every state.
var RunStates = []string{RunPlanned, RunComplete, RunSampled, RunFailed, RunInvalidated, RunRemoved, RunExcluded, RunUncovered}

// Reconciliation is what one run says of one set: a field of an object, or the
// object as a whole (Field empty: existence, duplicates). Its two watermarks
// are what coverage is made of.
type Reconciliation struct {
	ID              string  `msg:"id"` // of run, object and field
	Tenant          string  `msg:"tenant,omitempty"`
	Integration     string  `msg:"integration"`
	Object          string  `msg:"object"`
	Field           string  `msg:"field,omitempty"` // source-side name; empty = the object as a whole
	Run             string  `msg:"run"`
	State           string  `msg:"state"`
	Reason          string  `msg:"reason,omitempty"` // of failed, sampled, invalidated, excluded, uncovered
	Critical        bool    `msg:"critical,omitempty"`
	ScheduleMS      int64   `msg:"schedule_ms,omitempty"` // how often it should run
	StartedAt       Time    `msg:"started_at"`
	EndedAt         Time    `msg:"ended_at,omitempty"`
	SourceRecords   int64   `msg:"source_records,omitempty"` // in scope
	TargetRecords   int64   `msg:"target_records,omitempty"`
	SourceCount     int64   `msg:"source_count,omitempty"` // as the system itself counts them
	TargetCount     int64   `msg:"target_count,omitempty"`
	Compared        int64   `msg:"compared,omitempty"`
	Equal           int64   `msg:"equal,omitempty"`
	Different       int64   `msg:"different,omitempty"` // settled: not what is merely under way
	InFlight        int64   `msg:"in_flight,omitempty"`
	Accepted        int64   `msg:"accepted,omitempty"` // of the different ones: a named person accepted them
	MissingInTarget int64   `msg:"missing_in_target,omitempty"`
	MissingInSource int64   `msg:"missing_in_source,omitempty"`
	Duplicates      int64   `msg:"duplicates,omitempty"`
	Unlinkable      int64   `msg:"unlinkable,omitempty"` // no key: compared with nothing
	OutOfScope      int64   `msg:"out_of_scope,omitempty"`
	Share           float64 `msg:"share,omitempty"` // of the records in scope that were compared
	ComparedThrough Time    `msg:"compared_through,omitempty"`
	EqualThrough    Time    `msg:"equal_through,omitempty"`
	BlockedBy       string  `msg:"blocked_by,omitempty"` // the run that keeps a watermark back
	Calls           int64   `msg:"calls,omitempty"`      // of the two accounts' budgets
	UpdatedAt       Time    `msg:"updated_at"`
	Version         uint64  `msg:"version"`
}

// EventType implements Event.
func (*Reconciliation) EventType() Type { return TypeReconciliation }

// Validate implements Event.
func (r *Reconciliation) Validate() error {
	return firstError(
		required("id", r.ID), required("integration", r.Integration), required("object", r.Object), required("run", r.Run),
		oneOf("state", r.State, RunStates), known("started_at", r.StartedAt), known("updated_at", r.UpdatedAt),
	)
}
