package event

// How an observation was made.
const (
	FoundByPoll      = "poll"
	FoundByReadback  = "readback"
	FoundByReconcile = "reconcile"
	FoundByEcho      = "echo"
)

// Observation says what a system holds for a record's fields as of a time.
type Observation struct {
	ID           string   `msg:"id"`
	Tenant       string   `msg:"tenant,omitempty"`
	Integration  string   `msg:"integration"`
	Side         string   `msg:"side,omitempty"`
	RecordKey    string   `msg:"record_key,omitempty"`
	System       string   `msg:"system"`
	Account      string   `msg:"account,omitempty"`
	Object       string   `msg:"object"`
	RecordID     string   `msg:"record_id"`
	ObservedAt   Time     `msg:"observed_at"`             // the answer describes the record at this instant
	ReceivedAt   Time     `msg:"received_at"`             //
	ModifiedAt   Time     `msg:"modified_at,omitempty"`   // the system's own last-modified
	ResolutionMS int64    `msg:"resolution_ms,omitempty"` // a poll sees a change up to this much late
	FoundBy      string   `msg:"found_by,omitempty"`      //
	Whole        bool     `msg:"whole,omitempty"`         // all mapped fields, not only changed ones
	Missing      bool     `msg:"missing,omitempty"`       // the system does not hold the record
	OutOfScope   bool     `msg:"out_of_scope,omitempty"`  // it is there, and not meant to be synced (any more)
	Fields       []Field  `msg:"fields,omitempty"`        //
	Writer       Actor    `msg:"writer"`                  // who modified it last, if known
	ExternalID   string   `msg:"external_id,omitempty"`   //
	BodyHash     uint64   `msg:"body_hash,omitempty"`     //
	Run          string   `msg:"run,omitempty"`           // the reconciliation run that compared it
	Duplicates   []string `msg:"duplicates,omitempty"`    // other records of its system with the same key: never paired at random
}

// A record that one side lacks has no id there, and an observation of it is
// routed by one all the same. These two ids carry it to the canonical record:
// with Missing and ExternalID set, links learn where it belongs.

// MissingID stands for the copy that the target does not hold of a source
// record: System is the target's, ExternalID the source record's id.
func MissingID(sourceID string) string { return "missing/" + sourceID }

// OrphanID stands for the source record that a target record is a copy of and
// that is not there: System is the source's. It is the record key of orphans.
func OrphanID(targetID string) string { return "orphan/" + targetID }

// EventType implements Event.
func (*Observation) EventType() Type { return TypeObservation }

// Validate implements Event.
func (o *Observation) Validate() error {
	return firstError(
		required("id", o.ID), required("integration", o.Integration), required("system", o.System),
		required("object", o.Object), required("record_id", o.RecordID), known("observed_at", o.ObservedAt),
		plainID("external_id", o.ExternalID), atMost("fields", len(o.Fields)),
		atMost("duplicates", len(o.Duplicates)), plainIDs("duplicates", o.Duplicates),
	)
}
