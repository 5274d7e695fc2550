package ledger

import (
	"slices"
	"time"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// mapping is what the ledger needs of one integration's object, and what it
// learned of it.
type mapping struct {
	integration *config.Integration
	object      *config.Object
	fields      []config.FieldMap
	first       event.Time // the deadline until one is learned
	floor, roof event.Time // of the deadline
	recent      event.Time // how long what happened is kept for what arrives after it
	learnAfter  int
	habit       *Habit
	paced       pace // what the habit says
	known       bool // that paced is still so: it learned nothing since
}

// Deadlines where the configuration names none: the KPI targets (kpis.md 2).
// A sync that is slower by habit gets up to maxStretch of that.
const (
	realtimeDeadline = 5 * event.Minute
	batchDeadline    = event.Hour
	maxStretch       = 4
)

// A worker that reports its attempts is watched by events, a few seconds
// apart; where nobody does, polls tell, and that of the target may be minutes
// ahead of that of the source.
const (
	recentEvents = 30 * event.Second
	recentPolls  = 5 * event.Minute
)

// Rules of a field, where the two systems disagree.
const (
	ruleSourceWins        = "source_wins"
	ruleTargetWins        = "target_wins"
	ruleSourceUnlessBlank = "source_unless_blank"
	ruleTargetUnlessBlank = "target_unless_blank"
)

func newMappings(integrations []config.Integration, learnAfter int) map[[2]string]*mapping {
	all := map[[2]string]*mapping{}
	for i := range integrations {
		in := &integrations[i]
		for j := range in.Objects {
			m := &mapping{
				integration: in, object: &in.Objects[j], fields: in.Objects[j].Fields, recent: recent(in),
				learnAfter: learnAfter, habit: newHabit(),
			}
			m.first, m.floor, m.roof = deadline(in)
			all[[2]string{in.ID, in.Objects[j].Name}] = m
		}
	}
	return all
}

func (m *mapping) name() string { return m.integration.ID + "/" + m.object.Name }

// deadline gives the first deadline and the bounds of a learned one. What the
// configuration names is never exceeded.
func deadline(in *config.Integration) (first, floor, roof event.Time) {
	target := event.Time(realtimeDeadline)
	if in.Mode == config.Batch {
		target = batchDeadline
	}
	if in.Deadline > 0 {
		set := event.Time(time.Duration(in.Deadline).Milliseconds())
		return set, min(set, target), set
	}
	return target, target, maxStretch * target
}

func recent(in *config.Integration) event.Time {
	if in.Attempts == config.AttemptsFull || in.Attempts == config.AttemptsErrors {
		return recentEvents
	}
	return recentPolls
}

// wants lists what the target has to show for a change. Fields outside the
// map are not synced; without a map every field is, under its own name.
func (m *mapping) wants(c *event.Change) []Want {
	switch c.Operation {
	case event.OpDelete:
		return nil // the record has to go, whatever it held
	case event.OpAssociate:
		return m.wantsReference(c)
	}
	out := make([]Want, 0, len(c.Fields))
	for i := range c.Fields {
		f := &c.Fields[i]
		if len(m.fields) == 0 {
			out = append(out, Want{Target: f.Name, Value: f.Value})
		}
		for j := range m.fields { // one source field may fill several
			if to := &m.fields[j]; to.Source == f.Name && (to.Rule != ruleSourceUnlessBlank || !f.Value.Blank()) {
				out = append(out, Want{Target: to.Target, Value: f.Value})
			}
		}
	}
	return out
}

// wantsReference is the field that an association fills: the one mapped from
// its relation's name.
func (m *mapping) wantsReference(c *event.Change) []Want {
	v := event.Value{Text: c.RelatedID}
	if c.Removed {
		v = event.Value{Kind: event.KindNull}
	}
	var out []Want
	for j := range m.fields {
		if m.fields[j].Source == c.Relation && m.fields[j].Compare == value.Reference {
			out = append(out, Want{Target: m.fields[j].Target, Value: v})
		}
	}
	return out
}

// returns lists what the source has to show for a change made in the target.
// Where the source always wins nothing comes back.
func (m *mapping) returns(c *event.Change) []Want {
	var out []Want
	for i := range c.Fields {
		f := m.field(c.Fields[i].Name)
		if len(m.fields) == 0 || f != nil && f.Rule != ruleSourceWins {
			out = append(out, Want{Target: c.Fields[i].Name, Value: c.Fields[i].Value})
		}
	}
	return out
}

// mapped leaves the target's fields that some change may want.
func (m *mapping) mapped(fields []event.Field) []event.Field {
	if len(m.fields) == 0 {
		return fields
	}
	out := make([]event.Field, 0, len(fields))
	for i := range fields {
		if m.field(fields[i].Name) != nil {
			out = append(out, fields[i])
		}
	}
	return out
}

// renamed gives the source's mapped fields their target-side names.
func (m *mapping) renamed(fields []event.Field) []event.Field {
	if len(m.fields) == 0 {
		return fields
	}
	out := make([]event.Field, 0, len(fields))
	for i := range fields {
		for j := range m.fields {
			if m.fields[j].Source == fields[i].Name {
				out = append(out, event.Field{Name: m.fields[j].Target, Value: fields[i].Value})
			}
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

// fieldName is the name a divergence of the field goes by: the source's, or the
// target's where the source's stands for several.
func (m *mapping) fieldName(target string) string {
	f := m.field(target)
	if f == nil {
		return target
	}
	first := slices.IndexFunc(m.fields, func(g config.FieldMap) bool { return g.Source == f.Source })
	if m.fields[first].Target != target {
		return target
	}
	return f.Source
}

// equal compares a value of the source with one of the target, and says how
// they differ.
func (m *mapping) equal(target string, source, shown event.Value) (bool, string) {
	if f := m.field(target); f != nil {
		return value.Equal(f.Compare, f.Map, source, shown)
	}
	return value.Equal("", nil, source, shown)
}

// same compares a wanted value with one that the other system shows.
func (m *mapping) same(o *Open, w *Want, shown event.Value) bool {
	equal := false
	if o.D.Reverse {
		equal, _ = m.equal(w.Target, shown, w.Value)
	} else {
		equal, _ = m.equal(w.Target, w.Value, shown)
	}
	return equal
}

// unchanged compares two values of one and the same system.
func (m *mapping) unchanged(target string, a, b event.Value) bool {
	kind := ""
	if f := m.field(target); f != nil {
		kind = f.Compare
	}
	equal, _ := value.Equal(kind, nil, a, b)
	return equal
}

// stands reports whether the field's rule lets the target keep its own value.
func (m *mapping) stands(target string, shown event.Value) bool {
	f := m.field(target)
	switch {
	case f == nil:
		return false
	case f.Rule == ruleTargetWins:
		return true
	}
	return f.Rule == ruleTargetUnlessBlank && !shown.Blank()
}

// lets reports whether the field has a rule by which the target may keep its
// own value.
func (m *mapping) lets(target string) bool {
	f := m.field(target)
	return f != nil && (f.Rule == ruleTargetWins || f.Rule == ruleTargetUnlessBlank)
}

// excused reports whether the field's rule makes a difference no divergence.
func (m *mapping) excused(target string, source, shown event.Value) bool {
	f := m.field(target)
	if f != nil && f.Rule == ruleSourceUnlessBlank && source.Blank() {
		return true
	}
	return !m.integration.Bidirectional && m.stands(target, shown)
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

// silent reports whether nobody reports attempts: the systems' own evidence
// has to do.
func (m *mapping) silent() bool { return m.integration.Attempts == config.AttemptsNone }
