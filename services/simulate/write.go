package simulate

import (
	"maps"
	"slices"
	"time"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/truth"
	"plumbline.dev/services/simulate/crm"
	"plumbline.dev/services/simulate/scenario"
	"plumbline.dev/services/simulate/timeline"
)

// write is what Salesforce does with the record. The episode is set where a
// fault had a hand in it.
func (k *worker) write(s *sent) (crm.Answer, *episode) {
	o, id := s.r.o, s.r.row.ID
	if a, e, bad := k.faults.one(); bad {
		return a, e
	}
	if s.deleted {
		return k.sf.Delete(o.native, id, k.syncUser(), k.targetNow()), nil
	}
	row := k.copyOf(s.r)
	if e := s.r.unheard; e != nil {
		if s.r.unheard = nil; row != nil {
			return k.insertAgain(e, s, row), nil
		}
	}
	if row == nil {
		return k.insert(s)
	}
	if e := k.faults.hits(scenario.SwallowedError); e != nil && !s.r.poison {
		return crm.Refuse(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "Stage may not move backwards", s.first()), e
	}
	if a := k.sf.Check(o.target, s.values); !a.OK() {
		return a, nil
	}
	for _, kind := range []string{scenario.WrongRecord, scenario.Duplicated, scenario.OlderValue} {
		if e := k.faults.hits(kind); e != nil {
			if a, ok := k.misplace(e, s, row); ok {
				return a, e
			}
		}
	}
	return k.update(s, row)
}

// insert creates the record. It needs every field, also those of an earlier,
// refused try.
func (k *worker) insert(s *sent) (crm.Answer, *episode) {
	o := s.r.o
	for j := range o.Fields {
		f := &o.Fields[j]
		s.values[f.Target] = translate(f, s.r.row.Values[f.Source])
		k.mistake(s, f)
	}
	s.mask = o.every
	s.changes, s.r.changes = append(s.changes, s.r.changes...), nil
	a := k.sf.Upsert(o.native, s.r.row.ID, s.values, k.syncUser(), k.targetNow())
	if a.OK() {
		s.r.linked(a.ID)
		k.echoes.bereave(s.r)
	}
	if e := k.faults.hits(scenario.BadDedup); e != nil && a.OK() {
		k.faults.second(e, s.r, s.values)
	}
	return a, nil
}

// insertAgain is a create of what is there already: nobody told the worker, and
// it names no key by which the target could know.
func (k *worker) insertAgain(e *episode, s *sent, row *crm.Row) crm.Answer {
	values := maps.Clone(row.Values)
	maps.Copy(values, s.values)
	again := k.faults.second(e, s.r, values)
	k.sf.Put(s.r.o.target, s.r.row.ID, s.values, k.syncUser(), k.targetNow())
	return crm.Answer{Status: 201, ID: again.ID, Created: true, Body: crm.Success(again.ID, true)}
}

func (k *worker) update(s *sent, row *crm.Row) (crm.Answer, *episode) {
	o, id := s.r.o, s.r.row.ID
	values, e, stored := k.faults.spoil(s, row)
	if stored && e == nil {
		switch {
		case k.faults.dice.Chance(k.o.Profile.Drop):
			stored = false
		case k.faults.dice.Chance(k.o.Profile.Coerce):
			values = k.coerced(s)
		}
	}
	if !stored {
		return crm.Answer{Status: 200, ID: row.ID, Dropped: true, Body: crm.Success(row.ID, false)}, e
	}
	a := k.sf.Put(o.target, id, values, k.syncUser(), k.targetNow())
	if !maps.Equal(values, s.values) {
		a.Stored = values
	}
	return a, e
}

// coerced is what a trigger in the org makes of the values.
func (k *worker) coerced(s *sent) map[string]string {
	out := maps.Clone(s.values)
	for j := range s.r.o.Fields {
		f := &s.r.o.Fields[j]
		if v, ok := s.values[f.Target]; ok {
			if w := coerce(f, v); w != v {
				out[f.Target] = w
				break
			}
		}
	}
	return out
}

// misplace writes well, but not where or when it should.
func (k *worker) misplace(e *episode, s *sent, row *crm.Row) (crm.Answer, bool) {
	o := s.r.o
	told := crm.Answer{Status: 200, ID: row.ID, Dropped: true, Body: crm.Success(row.ID, false)}
	switch e.Fault.Fault {
	case scenario.Duplicated:
		values := maps.Clone(row.Values)
		maps.Copy(values, s.values)
		k.faults.second(e, s.r, values)
		return told, true
	case scenario.WrongRecord:
		other := timeline.Pick(k.faults.dice, o.pairs)
		wrong := k.copyOf(other)
		if other == s.r || wrong == nil || other.dirty|other.sending != 0 {
			return told, false
		}
		k.stray(e, other, wrong, s.values)
		return told, true
	}
	before := map[string]string{}
	for name := range s.values {
		before[name] = row.Values[name]
	}
	if maps.Equal(before, s.values) {
		return told, false
	}
	k.After(k.faults.dice.Around(50*time.Second, 0.3), func() { // a slow job writes what it read long ago
		if row := k.copyOf(s.r); row != nil && s.r.dirty|s.r.sending == 0 {
			k.stray(e, s.r, row, before)
		}
	})
	return told, false
}

// stray is a write of the sync's into a record that should have got none.
func (k *worker) stray(e *episode, r *pair, row *crm.Row, values map[string]string) {
	changed := r.o.target.Update(row, values, k.syncUser(), k.targetNow())
	if len(changed) == 0 {
		return
	}
	fields := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		fields[name] = nil
		if v := row.Values[name]; v != "" {
			fields[name] = v
		}
	}
	k.echoes.tell(r.o, row.ID, event.OpUpdate, event.Actor{Kind: event.ActorIntegration, ID: k.syncUser()}, fields, r.row.ID)
	k.note(truth.Line{
		Kind: truth.Write, ID: "write-" + itoa(k.next()), System: k.in.Target.System, Object: r.o.Name, SourceID: r.row.ID,
		TargetID: row.ID, Operation: event.OpUpdate, Fields: changed, Cause: e.Fault.Fault, Fault: e.id,
		Actor: event.ActorIntegration + "/" + k.syncUser(),
	})
	k.check(r, e, "")
}

// first is a column that the write names.
func (s *sent) first() string {
	for j := range s.r.o.Fields {
		if s.mask&(1<<j) != 0 {
			return s.r.o.Fields[j].Target
		}
	}
	return ""
}
