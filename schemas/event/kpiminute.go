package event

// KPIMinute is an addition to one minute of one object: sum the rows of a
// minute, whatever number there are. What is late adds a row of its own.
type KPIMinute struct {
	ID          string  `msg:"id"` // of the addition: a repeat has the same
	Tenant      string  `msg:"tenant"`
	Integration string  `msg:"integration"`
	Object      string  `msg:"object"`
	Minute      Time    `msg:"minute"`
	Counts      []Count `msg:"counts"` // sorted by name
	UpdatedAt   Time    `msg:"updated_at"`
	Version     uint64  `msg:"version"`
}

// Count is one named sum. Names are paths:
//
//	attempts/OPERATION/OUTCOME, runs/OPERATION/OUTCOME (records of run reports)
//	failures/CLASS/ATTRIBUTION, collateral
//	deliveries/STATE[/late], imports/STATE[/late] (those due in the minute, net)
//	latency/BASIS/BUCKET, on_time/BASIS (of those due in the minute)
//	divergences/KIND/STATE (transitions in the minute), pre_existing
//	incidents/opened, incidents/resolved
type Count struct {
	Name string `msg:"k"`
	N    int64  `msg:"n"`
}

// EventType implements Event.
func (*KPIMinute) EventType() Type { return TypeKPIMinute }

// Validate implements Event.
func (k *KPIMinute) Validate() error {
	return firstError(required("id", k.ID), required("integration", k.Integration), known("minute", k.Minute),
		atMost("counts", len(k.Counts)))
}
