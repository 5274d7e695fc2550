package event

// Type names a message in the record header `type`.
type Type string

// Every type. Names are contracts: they stand in record headers and in SQL.
const (
	TypeChange         Type = "change"
	TypeAttempt        Type = "attempt"
	TypeObservation    Type = "observation"
	TypeSignal         Type = "signal"
	TypeTick           Type = "tick"
	TypeLink           Type = "link"
	TypeDelivery       Type = "delivery"
	TypeFailure        Type = "failure"
	TypeDivergence     Type = "divergence"
	TypePartial        Type = "partial"
	TypeIncident       Type = "incident"
	TypeAlert          Type = "alert"
	TypeDeadLetter     Type = "dead_letter"
	TypeCheck          Type = "check"
	TypeClick          Type = "click"
	TypeActivity       Type = "activity"
	TypeAgentState     Type = "agent_state"
	TypeAccess         Type = "access"
	TypeReconciliation Type = "reconciliation"
	TypeVerdict        Type = "verdict"
	TypeBreadth        Type = "breadth"
	TypePulse          Type = "pulse"
	TypeKPIMinute      Type = "kpi_minute"
	TypePosition       Type = "position"
	TypeExplanation    Type = "explanation"
	TypeKPIHour        Type = "kpi_hour" // the same sums by the hour
	TypeGone           Type = "gone"     // a tombstone: no bytes
)

// Schema is the version of the message bytes, in the record header `schema`.
// Readers accept this version and the one before.
const Schema = 1

// Event is any message. The concrete types are pointers to the structs of
// this package.
type Event interface {
	EventType() Type
	// Validate reports the first thing wrong with the message, in words its
	// sender can act on.
	Validate() error
	MarshalMsg(b []byte) ([]byte, error)
	UnmarshalMsg(b []byte) ([]byte, error)
}

// Side says which end of an integration an event is about.
const (
	Source = "source"
	Target = "target"
)

// Operations on records.
const (
	OpRead        = "read"
	OpCreate      = "create"
	OpUpdate      = "update"
	OpUpsert      = "upsert"
	OpDelete      = "delete"
	OpMerge       = "merge"
	OpRestore     = "restore"
	OpAssociate   = "associate"
	OpAuthRefresh = "auth_refresh"
	OpWebhook     = "webhook"
)

// IsWrite reports whether an attempt's operation writes a record.
func IsWrite(op string) bool {
	return op == OpCreate || op == OpUpdate || op == OpUpsert || op == OpDelete
}
