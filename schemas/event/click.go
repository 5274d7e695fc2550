package event

// What a person may do.
const (
	ClickAcknowledge = "acknowledge" // an alert or incident
	ClickSilence     = "silence"     // until Until
	ClickUnsilence   = "unsilence"
	ClickMitigate    = "mitigate" // an incident no longer grows
	ClickWaive       = "waive"    // an affected record, by name
	ClickResolve     = "resolve"
	ClickAccept      = "accept" // a divergence, with a reason and until when
	ClickReopen      = "reopen"
	ClickTick        = "tick"  // a runbook step or checklist item
	ClickReset       = "reset" // a tripped agent
	ClickRecheck     = "recheck"
)

// ClickKinds lists every kind.
var ClickKinds = []string{
	ClickAcknowledge, ClickSilence, ClickUnsilence, ClickMitigate, ClickWaive, ClickResolve, ClickAccept, ClickReopen,
	ClickTick, ClickReset, ClickRecheck,
}

// Click is what a person decided: in the console, on the command line, by a
// signed link. It comes through ingest like everything else, so that a replay
// knows it.
type Click struct {
	ID          string `msg:"id"`
	Tenant      string `msg:"tenant,omitempty"`
	Integration string `msg:"integration,omitempty"`
	Kind        string `msg:"kind"`
	Subject     string `msg:"subject"`              // id of the alert, incident, divergence, agent, checklist item
	Object      string `msg:"object,omitempty"`     // with RecordKey: the record meant
	RecordKey   string `msg:"record_key,omitempty"` //
	Step        string `msg:"step,omitempty"`       // of the runbook
	Result      string `msg:"result,omitempty"`     // worked, did_not, skipped
	Reason      string `msg:"reason,omitempty"`     // in the person's words
	By          string `msg:"by"`                   // who
	At          Time   `msg:"at"`
	Until       Time   `msg:"until,omitempty"`
	ReceivedAt  Time   `msg:"received_at"`
	BodyHash    uint64 `msg:"body_hash,omitempty"`
}

// EventType implements Event.
func (*Click) EventType() Type { return TypeClick }

// Validate implements Event.
func (c *Click) Validate() error {
	return firstError(
		required("id", c.ID), oneOf("kind", c.Kind, ClickKinds), required("subject", c.Subject), required("by", c.By),
		known("at", c.At), plainID("record_key", c.RecordKey),
	)
}
