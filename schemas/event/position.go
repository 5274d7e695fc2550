package event

// Position is how far a vendor's stream was taken in: what comes after it was
// not yet. It is written when everything before it is durable, so a reader
// that goes on from it repeats some and misses none.
type Position struct {
	Stream string `msg:"stream"`       // connection and channel
	At     string `msg:"at,omitempty"` // the vendor's own word for the place, opaque
	SeenAt Time   `msg:"seen_at"`      // when it was
}

// EventType implements Event.
func (*Position) EventType() Type { return TypePosition }

// Validate implements Event.
func (p *Position) Validate() error {
	return firstError(required("stream", p.Stream), plainID("at", p.At), known("seen_at", p.SeenAt))
}
