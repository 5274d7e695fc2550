package reconcile

import (
	"cmp"
	"slices"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/match"
)

// judge counts one suspect and makes its observations.
func (v *verdict) judge(s *suspect) []bus.Message {
	m := v.x.s.Mapping
	switch {
	case len(s.sources) == 0 && len(s.targets) == 0: // deleted on both sides meanwhile
		return nil
	case len(s.sources) > 1 || len(s.targets) > 1:
		return v.duplicate(m, s)
	case len(s.sources) == 1 && s.sources[0].OutOfScope, len(s.targets) == 1 && s.targets[0].OutOfScope:
		v.outOfScope++
		return v.both(m, s)
	case len(s.targets) == 0:
		return v.lacks(m, &s.sources[0])
	case len(s.sources) == 0:
		return v.orphan(m, &s.targets[0])
	}
	return v.pair(m, s)
}

func (v *verdict) example(e Example) {
	if len(v.examples) < v.x.r.o.Examples {
		v.examples = append(v.examples, e)
	}
}

// young reports whether what is missing may still be on its way.
func (v *verdict) young(r *match.Row) bool { return r.ModifiedAt+v.grace > r.ReadAt }

func (v *verdict) lacks(m *match.Mapping, source *match.Row) []bus.Message {
	switch {
	case v.young(source):
		v.flying++
	case v.isAccepted(source.ID, "", ""):
		v.missing++
		v.acceptedRecords++
	default:
		v.missing++
		v.example(Example{Kind: event.MissingInTarget, SourceID: source.ID})
	}
	return []bus.Message{
		m.Observe(source, v.seen, "", nil), m.Absent(event.Target, m.Object.Target[0], "", source.ID, source.ReadAt, v.seen),
	}
}

func (v *verdict) orphan(m *match.Mapping, target *match.Row) []bus.Message {
	switch {
	case v.young(target):
		v.flying++
	case v.isAccepted(event.OrphanID(target.ID), "", ""):
		v.orphans++
		v.acceptedRecords++
	default:
		v.orphans++
		v.example(Example{Kind: event.MissingInSource, TargetID: target.ID})
	}
	return m.Orphan(target, v.seen)
}

// duplicate tells of a key that several records of a side hold.
func (v *verdict) duplicate(m *match.Mapping, s *suspect) []bus.Message {
	extra := max(len(s.sources)-1, 0) + max(len(s.targets)-1, 0)
	v.duplicates += int64(extra)
	var out []bus.Message
	if len(s.sources) == 0 { // copies of nothing, twice
		for i := range s.targets {
			out = append(out, m.Orphan(&s.targets[i], v.seen)...)
		}
		return out
	}
	source, others := oldest(s.sources) // each extra one counts once: the oldest names the others
	peer := source.ID
	out = append(out, m.Observe(&source, v.seen, "", others))
	if len(s.targets) > 0 { // the oldest stands for all of them: which one is right, a person decides
		first, rest := oldest(s.targets)
		out = append(out, m.Observe(&first, v.seen, peer, rest))
	}
	e := Example{Kind: event.Duplicate, SourceID: peer}
	if len(s.targets) > 0 {
		e.TargetID = s.targets[0].ID
	}
	v.example(e)
	return out
}

func (v *verdict) both(m *match.Mapping, s *suspect) []bus.Message {
	peer := ""
	var out []bus.Message
	if len(s.sources) == 1 {
		peer = s.sources[0].ID
		out = append(out, m.Observe(&s.sources[0], v.seen, "", nil))
	}
	if len(s.targets) == 1 {
		out = append(out, m.Observe(&s.targets[0], v.seen, peer, nil))
	}
	return out
}

// pair compares two records as they are now.
func (v *verdict) pair(m *match.Mapping, s *suspect) []bus.Message {
	a, b := &s.sources[0], &s.targets[0]
	diffs := m.Differ(a, b)
	if len(diffs) == 0 {
		v.equal++
		return v.both(m, s)
	}
	flying := a.ModifiedAt+v.grace > b.ReadAt
	accepted := 0
	for _, d := range diffs {
		f, count := &m.Object.Fields[d.Field], &v.fields[d.Field]
		switch {
		case flying:
			count.inFlight++
		case v.isAccepted(a.ID, f.Source, f.Target):
			count.different++
			count.accepted++
			accepted++
		default:
			count.different++
			count.how[d.How]++
			v.example(Example{
				Kind: kindOf(a, b, v.grace), SourceID: a.ID, TargetID: b.ID, Field: f.Source, How: d.How, Source: d.Source.Show(), Target: d.Target.Show(),
			})
		}
	}
	switch {
	case flying:
		v.inFlight++
	case accepted == len(diffs):
		v.different++
		v.acceptedRecords++
	default:
		v.different++
	}
	return v.both(m, s)
}

// kindOf tells a copy that never took a change from one that holds another
// value: the former is older than the change.
func kindOf(a, b *match.Row, grace event.Time) string {
	if b.ModifiedAt > 0 && b.ModifiedAt+skew < a.ModifiedAt && a.ModifiedAt+grace <= b.ReadAt {
		return event.Stale
	}
	return event.ValueMismatch
}

// oldest is the record that the others are duplicates of, and their ids: the
// first that was made, always the same one.
func oldest(rows []match.Row) (match.Row, []string) {
	sorted := slices.SortedFunc(slices.Values(rows), func(a, b match.Row) int {
		return cmp.Or(cmp.Compare(a.CreatedAt, b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return sorted[0], ids(sorted[1:])
}
