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
// keyed by the target-side id, so that echoes find it in their own partition,
// and by the source-side one, which sees when two records claim to be it.
type Link struct {
	Tenant      string `msg:"tenant,omitempty"`
	Integration string `msg:"integration"`
	Object      string `msg:"object"`
	SourceID    string `msg:"source_id"`
	TargetID    string `msg:"target_id"`
	TargetType  string `msg:"target_type,omitempty"` // native object of the target id (Lead, Contact)
	LearnedFrom string `msg:"learned_from"`          // attempt, external_id, key, observation
	LearnedAt   Time   `msg:"learned_at"`
	Rival       string `msg:"rival,omitempty"`    // another target id that claims the same record: a duplicate
	Key         string `msg:"key,omitempty"`      // hash of a key field's value: whoever else has it is the same record; one id is enough
	Gone        bool   `msg:"gone,omitempty"`     // the link, or the key, does not hold any more
	MovedTo     string `msg:"moved_to,omitempty"` // the source record ceased to exist: its links are this one's
}

// EventType implements Event.
func (*Link) EventType() Type { return TypeLink }

// Validate implements Event.
func (l *Link) Validate() error {
	err := firstError(required("integration", l.Integration), required("object", l.Object), plainID("rival", l.Rival),
		plainID("source_id", l.SourceID), plainID("target_id", l.TargetID), plainID("moved_to", l.MovedTo))
	if err != nil || l.Key != "" || l.MovedTo != "" {
		return err
	}
	return firstError(required("source_id", l.SourceID), required("target_id", l.TargetID))
}
