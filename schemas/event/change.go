package event

// ChangeOps lists what a change may be.
var ChangeOps = []string{OpCreate, OpUpdate, OpDelete, OpMerge, OpRestore, OpAssociate}

// Where a change's time comes from.
const (
	TimeEvent    = "event"    // the vendor states when the record changed
	TimeReceived = "received" // the vendor states nothing: latency starts at receipt
)

// Change says that a record changed in a system: which record, which fields,
// when, who. In intake it is as the system sent it; resolve adds Integration,
// Tenant, Side and RecordKey, one copy for each integration that maps it.
type Change struct {
	ID          string   `msg:"id"`                    // event id: redeliveries share it
	Tenant      string   `msg:"tenant,omitempty"`      //
	Integration string   `msg:"integration,omitempty"` //
	Side        string   `msg:"side,omitempty"`        //
	RecordKey   string   `msg:"record_key,omitempty"`  // canonical record: source-side native id
	Hook        string   `msg:"hook,omitempty"`        // the hook or sender it came through
	System      string   `msg:"system"`                //
	Account     string   `msg:"account,omitempty"`     // portal or org in the system
	Object      string   `msg:"object"`                // native name in intake, the integration's name in facts
	RecordID    string   `msg:"record_id"`             // native id
	Operation   string   `msg:"op"`                    //
	ChangedAt   Time     `msg:"changed_at"`            // when the record changed
	ReceivedAt  Time     `msg:"received_at"`           // when Plumbline accepted it
	TimeBasis   string   `msg:"time_basis,omitempty"`  // TimeEvent or TimeReceived
	Redelivery  int      `msg:"redelivery,omitempty"`  // the sender's own count of earlier tries
	Fields      []Field  `msg:"fields,omitempty"`      // sorted by name
	Actor       Actor    `msg:"actor"`                 //
	Token       string   `msg:"token,omitempty"`       // id of the credential, never the credential
	ExternalID  string   `msg:"external_id,omitempty"` // the other system's id, where the record carries it
	MergedInto  string   `msg:"merged_into,omitempty"` // the surviving record's id
	MergedIDs   []string `msg:"merged_ids,omitempty"`  // records that ceased to exist
	RelatedID   string   `msg:"related_id,omitempty"`  // the other end of an association
	Relation    string   `msg:"relation,omitempty"`    // association type
	Removed     bool     `msg:"removed,omitempty"`     // the association was taken away
	BodyHash    uint64   `msg:"body_hash,omitempty"`   // tells a redelivery from another event with the same id

	// What the vendor says about order, where it does. A hole in a transaction is
	// no loss: objects that send no events have numbers too (adr/0015).
	Commit      int64  `msg:"commit,omitempty"`      // its running number of commits: larger is later, within the account
	Transaction string `msg:"transaction,omitempty"` // what was committed together
	Sequence    int64  `msg:"sequence,omitempty"`    // place in the transaction, from 1
	Position    string `msg:"position,omitempty"`    // place in the vendor's stream: opaque, not contiguous
}

// EventType implements Event.
func (*Change) EventType() Type { return TypeChange }

// Validate implements Event.
func (c *Change) Validate() error {
	return firstError(
		required("id", c.ID), required("system", c.System), required("object", c.Object),
		required("record_id", c.RecordID), oneOf("operation", c.Operation, ChangeOps),
		known("changed_at", c.ChangedAt), known("received_at", c.ReceivedAt),
		plainID("external_id", c.ExternalID), plainID("merged_into", c.MergedInto), plainID("related_id", c.RelatedID),
		atMost("fields", len(c.Fields)), atMost("merged_ids", len(c.MergedIDs)), plainIDs("merged_ids", c.MergedIDs),
		plainID("transaction", c.Transaction), plainID("position", c.Position),
	)
}
