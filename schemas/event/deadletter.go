package event

// DeadLetter is something accepted that could not be decoded, with its bytes
// (sealed at rest when a key is configured) and the reason.
type DeadLetter struct {
	ID         string `msg:"id"`
	Tenant     string `msg:"tenant,omitempty"`
	Origin     string `msg:"origin"`          // hook:<id>, v1/attempts:<sender>, sink:<table>
	Index      int    `msg:"index"`           // position in its batch
	Reason     string `msg:"reason"`          // in words its sender can act on
	Code       string `msg:"code,omitempty"`  // one of a small fixed set, for counting
	ReceivedAt Time   `msg:"received_at"`     //
	Bytes      []byte `msg:"bytes,omitempty"` //
	Sealed     bool   `msg:"sealed,omitempty"`
	KeyID      string `msg:"key_id,omitempty"`
	Batch      string `msg:"batch,omitempty"` // hash of the whole body it came in
}

// EventType implements Event.
func (*DeadLetter) EventType() Type { return TypeDeadLetter }

// Validate implements Event.
func (d *DeadLetter) Validate() error {
	return firstError(required("id", d.ID), required("origin", d.Origin), required("reason", d.Reason))
}

// Partial is what track saw in one second of stream time for one
// (integration, provider, actor, token): small sums that watch folds.
type Partial struct {
	Tenant      string `msg:"tenant"`
	Integration string `msg:"integration"`
	Object      string `msg:"object"`
	Provider    string `msg:"provider,omitempty"`
	Actor       Actor  `msg:"actor"`
	Token       string `msg:"token,omitempty"`
	Second      Time   `msg:"second"`
	OK          int64  `msg:"ok,omitempty"`
	Failed      int64  `msg:"failed,omitempty"`
	Delivered   int64  `msg:"delivered,omitempty"`
	Missed      int64  `msg:"missed,omitempty"`
	Version     uint64 `msg:"version"`
}

// EventType implements Event.
func (*Partial) EventType() Type { return TypePartial }

// Validate implements Event.
func (p *Partial) Validate() error {
	return firstError(required("integration", p.Integration), known("second", p.Second))
}
