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
