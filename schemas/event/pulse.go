package event

// Pulse says how far one partition of track has come, for each tenant: what
// watch knows of the delay in front of it. It also makes watch know a tenant
// of which nothing was ever heard.
type Pulse struct {
	Tenant    string `msg:"tenant"`
	Partition int    `msg:"p,omitempty"`
	At        Time   `msg:"at"` // its stream time
}

// EventType implements Event.
func (*Pulse) EventType() Type { return TypePulse }

// Validate implements Event.
func (p *Pulse) Validate() error { return firstError(required("tenant", p.Tenant), known("at", p.At)) }

// Gone has no bytes: on a compacted topic it takes its key away.
//
//msgp:ignore Gone
type Gone struct{}

// EventType implements Event.
func (*Gone) EventType() Type { return TypeGone }

// Validate implements Event.
func (*Gone) Validate() error { return nil }

// MarshalMsg implements Event.
func (*Gone) MarshalMsg(b []byte) ([]byte, error) { return b, nil }

// UnmarshalMsg implements Event.
func (*Gone) UnmarshalMsg(b []byte) ([]byte, error) { return b, nil }
