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
	recent      event.Time // how long what happened is kept for what arrives after it
}

// Deadlines where the configuration names none: the KPI targets (kpis.md 2).
const (
	realtimeDeadline = 5 * event.Minute
	batchDeadline    = event.Hour
)

// A worker that reports its attempts is watched by events, a few seconds
// apart; where nobody does, polls tell, and that of the target may be minutes
// ahead of that of the source.
const (
	recentEvents = 30 * event.Second
	recentPolls  = 5 * event.Minute
)

func newMappings(integrations []config.Integration) map[[2]string]*mapping {
	all := map[[2]string]*mapping{}
	for i := range integrations {
		in := &integrations[i]
		for j := range in.Objects {
			all[[2]string{in.ID, in.Objects[j].Name}] = &mapping{in, in.Objects[j].Fields, deadline(in), recent(in)}
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

func recent(in *config.Integration) event.Time {
	if in.Attempts == config.AttemptsFull || in.Attempts == config.AttemptsErrors {
		return recentEvents
	}
	return recentPolls
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

// wants lists what the target has to show for a change. Fields outside the
// map are not synced; without a map every field is, under its own name.
func (m *mapping) wants(c *event.Change) []Want {
	if c.Operation == event.OpDelete {
		return nil // the record has to go, whatever it held
	}
	var out []Want
	for i := range c.Fields {
		f := &c.Fields[i]
		if len(m.fields) == 0 {
			out = append(out, Want{Target: f.Name, Value: f.Value})
		}
		for j := range m.fields { // one source field may fill several
			if m.fields[j].Source == f.Name {
				out = append(out, Want{Target: m.fields[j].Target, Value: f.Value})
			}
		}
	}
	return out
}

// mapped leaves the fields that some change may want.
func (m *mapping) mapped(fields []event.Field) []event.Field {
	if len(m.fields) == 0 {
		return fields
	}
	var out []event.Field
	for i := range fields {
		if m.field(fields[i].Name) != nil {
			out = append(out, fields[i])
		}
	}
	return out
}

func (m *mapping) field(target string) *config.FieldMap {
	for i := range m.fields {
		if m.fields[i].Target == target {
			return &m.fields[i]
		}
	}
	return nil
}

// same compares a wanted value with one the target shows.
func (m *mapping) same(w *Want, shown event.Value) bool {
	var equal bool
	if f := m.field(w.Target); f != nil {
		equal, _ = value.Equal(f.Compare, f.Map, w.Value, shown)
	} else {
		equal, _ = value.Equal("", nil, w.Value, shown)
	}
	return equal
}

// ours reports whether the sync itself wrote: its echo is never a change.
func (m *mapping) ours(side string, a event.Actor) bool {
	user := m.integration.Target.SyncUser
	if side == event.Source {
		user = m.integration.Source.SyncUser
	}
	return user != "" && (a.ID == user || a.Kind == user)
}

// others reports whether somebody is known to have written who is not the sync.
func (m *mapping) others(side string, a event.Actor) bool {
	known := a.ID != "" || a.Kind != "" && a.Kind != event.ActorUnknown
	return known && !m.ours(side, a)
}
