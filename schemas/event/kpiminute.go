package event

// KPIMinute is an addition to one minute of one object and series: sum the
// rows of a minute, whatever number there are. What is late adds a row of its
// own. Hours hold the same sums as their minutes.
type KPIMinute struct {
	ID          string  `msg:"id"` // of the addition: a repeat has the same
	Tenant      string  `msg:"tenant"`
	Integration string  `msg:"integration"`
	Object      string  `msg:"object"`
	Series      string  `msg:"series,omitempty"` // "" is live traffic; import; run: reports of whole jobs, weighted by records
	Minute      Time    `msg:"minute"`           // its start
	Counts      []Count `msg:"counts"`           // sorted by name
	// Failed are records, hashed, with a failure of their own; up to MaxNamed.
	Failed []uint64 `msg:"failed,omitempty"`
	// Missed are records, hashed, whose deliveries became misses (+1) or are
	// none any more (-1); up to MaxNamed of the former.
	Missed    []RecordCount `msg:"missed,omitempty"`
	UpdatedAt Time          `msg:"updated_at"`
	Version   uint64        `msg:"version"`
}

// MaxNamed bounds the records an addition names: a warning asks for three.
const MaxNamed = 8

// Count is one named sum. Names are paths:
//
//	attempts/OPERATION/OUTCOME (in series run: records of run reports)
//	failures/CLASS/ATTRIBUTION, collateral
//	write_failures/CLASS/PROVIDER/TOKEN (of record writes, by what the answer said)
//	deliveries/STATE[/late] (those due in the minute, net)
//	latency/BASIS/BUCKET, on_time/BASIS (of those due in the minute)
//	within/BASIS/MS (of those: deliveries whose latency is known to so many ms)
//	start/received, tries/changes, tries/attempts, tries/first_ok (of those due in the minute)
//	divergences/KIND/STATE (transitions in the minute), pre_existing
//	incidents/opened, incidents/resolved
type Count struct {
	Name string `msg:"k"`
	N    int64  `msg:"n"`
}

// RecordCount is a sum of one record, whose key is hashed.
type RecordCount struct {
	Record uint64 `msg:"r"`
	N      int64  `msg:"n"`
}

// EventType implements Event.
func (*KPIMinute) EventType() Type { return TypeKPIMinute }

// Validate implements Event.
func (k *KPIMinute) Validate() error {
	return firstError(required("id", k.ID), required("integration", k.Integration), known("minute", k.Minute),
		atMost("counts", len(k.Counts)))
}

// KPIHour is the same of an hour, whose start is in Minute.
type KPIHour KPIMinute

// EventType implements Event.
func (*KPIHour) EventType() Type { return TypeKPIHour }

// Validate implements Event.
func (k *KPIHour) Validate() error { return (*KPIMinute)(k).Validate() }
