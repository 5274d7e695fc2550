package event

// States of an agent.
const (
	AgentOK      = "ok"
	AgentTripped = "tripped"
)

// AgentState is one agent as it now stands, on a compacted topic: a gateway
// that reads it from offset 0 knows whom to stop. Its bytes are JSON, so that
// any language reads them with what it has.
//
//msgp:ignore AgentState
type AgentState struct {
	ID          string  `json:"id"` // hash of tenant, kind and agent
	Tenant      string  `json:"tenant"`
	Kind        string  `json:"kind"`
	Agent       string  `json:"agent"`
	State       string  `json:"state"`            // ok or tripped
	Since       Time    `json:"since_ms"`         // of the state
	Rule        string  `json:"rule,omitempty"`   // that tripped it
	Reason      string  `json:"reason,omitempty"` // in one sentence
	Integration string  `json:"integration,omitempty"`
	Object      string  `json:"object,omitempty"`
	Field       string  `json:"field,omitempty"`
	Run         string  `json:"run,omitempty"`
	Token       string  `json:"token,omitempty"`
	Value       float64 `json:"value,omitempty"` // what was measured
	Limit       float64 `json:"limit,omitempty"` // what the rule allows
	OnsetAt     Time    `json:"onset_ms,omitempty"`
	Minute      int64   `json:"writes_1m"`
	Hour        int64   `json:"writes_1h"`
	Day         int64   `json:"writes_24h"`
	RunWrites   int64   `json:"writes_run"`
	UpdatedAt   Time    `json:"updated_ms"`
	ResetBy     string  `json:"reset_by,omitempty"`
	Version     uint64  `json:"version"`
}

// EventType implements Event.
func (*AgentState) EventType() Type { return TypeAgentState }

// Validate implements Event.
func (a *AgentState) Validate() error {
	return firstError(
		required("id", a.ID), required("agent", a.Agent), oneOf("state", a.State, []string{AgentOK, AgentTripped}),
		known("since_ms", a.Since),
	)
}

// MarshalMsg implements Event.
func (a *AgentState) MarshalMsg(b []byte) ([]byte, error) { return appendJSON(b, a) }

// UnmarshalMsg implements Event.
func (a *AgentState) UnmarshalMsg(b []byte) ([]byte, error) { return takeJSON(b, a) }
