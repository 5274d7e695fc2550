package event

// Tick carries wall time to one partition. No operator reads a clock: the
// clock role appends a tick a second to every partition, ticks stay in the
// log, and only ticks fire timers, so a replay sees the same time.
type Tick struct {
	At Time `msg:"at"`
}

// EventType implements Event.
func (*Tick) EventType() Type { return TypeTick }

// Validate implements Event.
func (t *Tick) Validate() error { return known("at", t.At) }

// Link says that two native ids are the same record. It travels on intake,
// keyed by the target-side id, so that echoes find it in their own partition.
type Link struct {
	Tenant      string `msg:"tenant,omitempty"`
	Integration string `msg:"integration"`
	Object      string `msg:"object"`
	SourceID    string `msg:"source_id"`
	TargetID    string `msg:"target_id"`
	TargetType  string `msg:"target_type,omitempty"` // native object of the target id (Lead, Contact)
	LearnedFrom string `msg:"learned_from"`          // attempt, external_id, key, observation
	LearnedAt   Time   `msg:"learned_at"`
	Rival       string `msg:"rival,omitempty"` // another target id that claims the same record: a duplicate
}

// EventType implements Event.
func (*Link) EventType() Type { return TypeLink }

// Validate implements Event.
func (l *Link) Validate() error {
	return firstError(
		required("integration", l.Integration), required("object", l.Object),
		required("source_id", l.SourceID), required("target_id", l.TargetID),
	)
}
