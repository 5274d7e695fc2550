package event

// Why a check is asked for.
const (
	CheckReadback = "readback" // a delivery passed its deadline unseen
	CheckConfirm  = "confirm"  // a difference was seen once: is it still there?
	CheckRunbook  = "runbook"  // a step re-checks the affected set
	CheckResync   = "resync"
	CheckIncident = "incident" // closing wants proof
)

// CheckReasons lists every reason.
var CheckReasons = []string{CheckReadback, CheckConfirm, CheckRunbook, CheckResync, CheckIncident}

// Check asks what a system holds for a record. Reconcile's reader answers with
// an observation on intake, within the API budget, or not at all.
type Check struct {
	ID          string   `msg:"id"`
	Tenant      string   `msg:"tenant,omitempty"`
	Integration string   `msg:"integration"`
	Object      string   `msg:"object"`
	RecordKey   string   `msg:"record_key"`
	Side        string   `msg:"side"` // which system to ask; empty = both
	SourceID    string   `msg:"source_id,omitempty"`
	TargetID    string   `msg:"target_id,omitempty"`
	Fields      []string `msg:"fields,omitempty"` // target-side names; empty = all mapped
	Reason      string   `msg:"reason"`
	Subject     string   `msg:"subject,omitempty"` // id of the delivery, divergence or incident
	AskedAt     Time     `msg:"asked_at"`
	Version     uint64   `msg:"version"`
}

// EventType implements Event.
func (*Check) EventType() Type { return TypeCheck }

// Validate implements Event.
func (c *Check) Validate() error {
	return firstError(
		required("id", c.ID), required("integration", c.Integration), required("object", c.Object),
		required("record_key", c.RecordKey), oneOf("side", c.Side, []string{"", Source, Target}),
		oneOf("reason", c.Reason, CheckReasons), known("asked_at", c.AskedAt),
		plainID("source_id", c.SourceID), plainID("target_id", c.TargetID), atMost("fields", len(c.Fields)),
	)
}
