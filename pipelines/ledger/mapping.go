package ledger

import (
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// mapping is what the ledger needs of one integration's object.
type mapping struct {
	integration *config.Integration
	fields      []config.FieldMap
	deadline    event.Time // milliseconds
}

// Deadlines where the configuration names none: the KPI targets (kpis.md 2).
const (
	realtimeDeadline = 5 * event.Minute
	batchDeadline    = event.Hour
)

func newMappings(integrations []config.Integration) map[[2]string]*mapping {
	all := map[[2]string]*mapping{}
	for i := range integrations {
		in := &integrations[i]
		for j := range in.Objects {
			all[[2]string{in.ID, in.Objects[j].Name}] = &mapping{in, in.Objects[j].Fields, deadline(in)}
		}
	}
	return all
}

func deadline(in *config.Integration) event.Time {
	switch {
	case in.Deadline > 0:
		return event.Time(time.Duration(in.Deadline).Milliseconds())
	case in.Mode == config.Batch:
		return batchDeadline
	}
	return realtimeDeadline
}

// due is when a change has to be delivered: the deadline counts from the change
// itself. One that came late, from a poll or a spool, still gets a moment.
func (m *mapping) due(c *event.Change) event.Time {
	start := c.ChangedAt
	if c.TimeBasis == event.TimeReceived {
		start = c.ReceivedAt
	}
	return max(start+m.deadline, c.ReceivedAt+min(m.deadline, lateGrace))
}

// lateGrace is how long after receipt a change is never called stalled: its
// attempts and echoes may be on the same way.
const lateGrace = 3 * event.Second

// wants lists what the target has to show for a change. Fields outside the
// map are not synced; without a map every field is, under its own name.
func (m *mapping) wants(c *event.Change) []Want {
	var out []Want
	for _, f := range c.Fields {
		target := m.target(f.Name)
		if target == "" {
			continue
		}
		out = append(out, Want{Source: f.Name, Target: target, Value: f.Value})
	}
	return out
}

func (m *mapping) target(source string) string {
	if len(m.fields) == 0 {
		return source
	}
	for i := range m.fields {
		if m.fields[i].Source == source {
			return m.fields[i].Target
		}
	}
	return ""
}

// same compares a wanted value with one the target shows.
func (m *mapping) same(w *Want, shown event.Value) bool {
	for i := range m.fields {
		if f := &m.fields[i]; f.Target == w.Target {
			equal, _ := value.Equal(f.Compare, f.Map, w.Value, shown)
			return equal
		}
	}
	equal, _ := value.Equal("", nil, w.Value, shown)
	return equal
}

// echoOfOurs reports whether a change is the sync's own write.
func (m *mapping) echoOfOurs(side string, a event.Actor) bool {
	user := m.integration.Target.SyncUser
	if side == event.Source {
		user = m.integration.Source.SyncUser
	}
	return user != "" && (a.ID == user || a.Kind == user)
}
