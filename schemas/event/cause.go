package event

// CauseVerdict says whose fault a run of failures is, from evidence over time:
// one line (an integration's calls to one provider with one token) and one
// class, from Start to End. It overrides what each failure's own answer
// suggested. A changed verdict is the same ID with a higher Revision.
type CauseVerdict struct {
	ID             string  `msg:"id"`
	Tenant         string  `msg:"tenant"`
	Integration    string  `msg:"integration,omitempty"` // empty: the provider as a whole
	Provider       string  `msg:"provider"`
	Token          string  `msg:"token,omitempty"`
	Class          string  `msg:"class"` // of the failures it is about
	Attribution    string  `msg:"attribution"`
	Recoverability string  `msg:"recoverability"`
	Decided        bool    `msg:"decided"` // false: the evidence does not tell yet, so nothing may be disconnected
	Confidence     float64 `msg:"confidence"`
	Evidence       string  `msg:"evidence"` // in words, the strongest first
	FirstStep      string  `msg:"first_step"`
	Scope          string  `msg:"scope"` // how far it reaches: provider, integration, token, endpoint
	Failures       int64   `msg:"failures"`
	Start          Time    `msg:"start"`         // the first failure
	End            Time    `msg:"end,omitempty"` // behind the last failure, 0 = it lasts
	DecidedAt      Time    `msg:"decided_at,omitempty"`
	Revision       int     `msg:"revision"`
	Version        uint64  `msg:"version"` // offset of the last input folded in
}

// How far a cause reaches.
const (
	ScopeProvider    = "provider"
	ScopeIntegration = "integration"
	ScopeToken       = "token"
	ScopeEndpoint    = "endpoint"
)

// CauseVerdictID identifies a verdict by its line, class and first failure.
func CauseVerdictID(tenant, integration, provider, token, class string, start Time) string {
	return Hash("verdict", tenant, integration, provider, token, class, start.String())
}

// EventType implements Event.
func (*CauseVerdict) EventType() Type { return TypeVerdict }

// Validate implements Event.
func (v *CauseVerdict) Validate() error {
	return firstError(
		required("id", v.ID), required("provider", v.Provider), oneOf("class", v.Class, Classes),
		oneOf("recoverability", v.Recoverability, []string{Temporary, Permanent}), known("start", v.Start),
	)
}
