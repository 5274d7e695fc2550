package event

// Activity is what one actor did to one object of one integration in one
// second of stream time, as track saw it: what agents and tokens are judged
// by. People's own edits are not watched: only what machines do, and what is
// done with a credential.
type Activity struct {
	Tenant      string        `msg:"tenant,omitempty"`
	Integration string        `msg:"integration"`
	System      string        `msg:"system,omitempty"` // where it wrote
	Object      string        `msg:"object,omitempty"`
	Actor       Actor         `msg:"actor"`
	Token       string        `msg:"token,omitempty"`
	Second      Time          `msg:"second"`
	Writes      int64         `msg:"writes,omitempty"`   // changes seen in a system
	Attempts    int64         `msg:"attempts,omitempty"` // writes reported, tried or done
	Failed      int64         `msg:"failed,omitempty"`   // of the attempts
	Reads       int64         `msg:"reads,omitempty"`
	Creates     int64         `msg:"creates,omitempty"`
	Deletes     int64         `msg:"deletes,omitempty"`
	Records     int64         `msg:"records,omitempty"`  // distinct within the second
	Again       int64         `msg:"again,omitempty"`    // writes to a record the same actor wrote within the hour
	Reverts     int64         `msg:"reverts,omitempty"`  // fields set back to the value before
	Replaced    int64         `msg:"replaced,omitempty"` // fields whose last value, by somebody else, was another
	Human       int64         `msg:"human,omitempty"`    // of those, last written by a person
	FieldWrites int64         `msg:"field_writes,omitempty"`
	Fields      []FieldWrites `msg:"fields,omitempty"` // sorted by name
	Sample      []string      `msg:"sample,omitempty"` // record keys, up to MaxSample
	First       Time          `msg:"first"`            // of the writes' own time
	Last        Time          `msg:"last"`
	Version     uint64        `msg:"version"`
}

// FieldWrites counts how often a field was written, and its commonest value.
type FieldWrites struct {
	Field string `msg:"f"`
	N     int64  `msg:"n"`
	Top   string `msg:"t,omitempty"` // fingerprint of the commonest value
	TopN  int64  `msg:"tn,omitempty"`
	Show  string `msg:"s,omitempty"` // that value as a person may see it
	Human int64  `msg:"h,omitempty"` // replaced a person's value
}

// EventType implements Event.
func (*Activity) EventType() Type { return TypeActivity }

// Validate implements Event.
func (a *Activity) Validate() error {
	return firstError(required("integration", a.Integration), known("second", a.Second), atMost("fields", len(a.Fields)))
}
