package event

// Breadth is how widely a provider fails, exchanged between the partitions of
// partials: each knows its own tenants only. A tenant tells in which classes it
// fails just now; who fails is told how many others use the provider, and how
// many of them fail.
type Breadth struct {
	Tenant   string       `msg:"t"`
	Provider string       `msg:"p"`
	At       Time         `msg:"at"`
	Failing  []string     `msg:"f,omitempty"` // told by the tenant
	Told     bool         `msg:"told,omitempty"`
	Others   int64        `msg:"n,omitempty"` // told to the tenant: others that use it
	Trouble  int64        `msg:"x,omitempty"` // of them, those that an outage may explain
	Alike    []ClassCount `msg:"c,omitempty"` // of them, those that fail, by class
}

// ClassCount counts one class.
type ClassCount struct {
	Class string `msg:"c"`
	N     int64  `msg:"n"`
}

// BreadthKey is the key under which all tenants tell: one partition hears all.
const BreadthKey = "breadth"

// EventType implements Event.
func (*Breadth) EventType() Type { return TypeBreadth }

// Validate implements Event.
func (b *Breadth) Validate() error {
	return firstError(required("provider", b.Provider), known("at", b.At), atMost("failing", len(b.Failing)))
}
