package reconcile

import (
	"context"
	"maps"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/match"
)

// asked is one record that checks want to know about.
type asked struct {
	key      string // canonical record
	sourceID string // empty for orphans
	targetID string // empty where none is known
	source   bool   // which sides
	target   bool
}

func askedOf(checks []*event.Check) []asked {
	byKey := map[string]*asked{}
	var order []string
	for _, c := range checks {
		a := byKey[c.RecordKey]
		if a == nil {
			a = &asked{key: c.RecordKey, sourceID: c.SourceID, targetID: c.TargetID}
			byKey[c.RecordKey], order = a, append(order, c.RecordKey)
		}
		if id, orphan := strings.CutPrefix(c.RecordKey, event.OrphanID("")); orphan {
			a.sourceID, a.targetID = "", id
		} else if a.sourceID == "" {
			a.sourceID = c.RecordKey
		}
		if a.targetID == "" {
			a.targetID = c.TargetID
		}
		if strings.HasPrefix(a.targetID, event.MissingID("")) {
			a.targetID = ""
		}
		a.source = a.source || c.Side != event.Target
		a.target = a.target || c.Side != event.Source
	}
	out := make([]asked, len(order))
	for i, k := range order {
		out[i] = *byKey[k]
	}
	return out
}

// answer reads both sides of records, and finds copies that nobody knows by
// their keys.
func (r *Role) answer(ctx context.Context, s *subject, checks []*event.Check) error {
	if len(checks) == 0 {
		return nil
	}
	if _, err := s.learn(ctx, r.log); err != nil {
		return err
	}
	list := askedOf(checks)
	found, err := r.look(ctx, s, list)
	if err != nil {
		return err
	}
	seen := match.Seen{By: event.FoundByReadback, Now: r.o.now()}
	var out []bus.Message
	for i := range list {
		out = append(out, found.tell(s.Mapping, &list[i], seen)...)
	}
	if err := r.o.Producer.Produce(ctx, out...); err != nil {
		return err
	}
	return r.store.put(ctx, s.Mapping, found.rows())
}

// looked is what both systems hold of the records asked for.
type looked struct {
	at     event.Time
	source map[string]match.Row   // by id
	target map[string]match.Row   // by id
	copies map[string][]match.Row // by source id, where they were looked for by key
	origin map[string][]match.Row // by target id, of orphans
}

func (l *looked) rows() []match.Row {
	var out []match.Row
	for _, m := range []map[string]match.Row{l.source, l.target} {
		for _, r := range m {
			out = append(out, r)
		}
	}
	for _, m := range []map[string][]match.Row{l.copies, l.origin} {
		for _, rows := range m {
			out = append(out, rows...)
		}
	}
	return out
}

func (r *Role) look(ctx context.Context, s *subject, list []asked) (*looked, error) {
	l := &looked{at: r.o.now(), source: map[string]match.Row{}, target: map[string]match.Row{}}
	var sourceIDs, targetIDs []string
	for i := range list {
		if a := &list[i]; a.targetID != "" && (a.target || a.sourceID == "") {
			targetIDs = append(targetIDs, a.targetID)
		}
	}
	if err := r.readInto(ctx, s, event.Target, targetIDs, l.target); err != nil {
		return nil, err
	}
	for i := range list { // a copy that is not there is looked for by its source's keys
		a := &list[i]
		if _, there := l.target[a.targetID]; a.sourceID != "" && (a.source || !there) {
			sourceIDs = append(sourceIDs, a.sourceID)
		}
	}
	if err := r.readInto(ctx, s, event.Source, sourceIDs, l.source); err != nil {
		return nil, err
	}
	if err := r.remember(ctx, s, list, l); err != nil {
		return nil, err
	}
	var lost, orphans []match.Row
	for i := range list {
		a := &list[i]
		if row, ok := l.source[a.sourceID]; ok && a.target {
			if _, there := l.target[a.targetID]; !there {
				lost = append(lost, row)
			}
		}
		if row, ok := l.target[a.targetID]; ok && a.sourceID == "" {
			orphans = append(orphans, row)
		}
	}
	var err error
	if l.copies, err = r.others(ctx, s, event.Target, lost); err != nil {
		return nil, err
	}
	l.origin, err = r.others(ctx, s, event.Source, orphans)
	return l, err
}

// remember finds the copies of records that the source has no more, and whose
// link nobody asked with: by the keys they had when they were last seen.
func (r *Role) remember(ctx context.Context, s *subject, list []asked, l *looked) error {
	gone := map[string]*asked{}
	for i := range list {
		a := &list[i]
		if _, there := l.source[a.sourceID]; !there && a.target && a.targetID == "" && a.sourceID != "" {
			gone[a.sourceID] = a
		}
	}
	if len(gone) == 0 {
		return nil
	}
	was, err := r.store.known(ctx, s.Mapping, event.Source, slices.Sorted(maps.Keys(gone)))
	if err != nil {
		return err
	}
	rows := make([]*match.Row, 0, len(was))
	for _, row := range was {
		rows = append(rows, &row)
	}
	links, err := r.linkCopies(ctx, s, rows, l.at)
	if err != nil {
		return err
	}
	var ids []string
	for _, m := range links {
		if link, ok := m.Event.(*event.Link); ok {
			gone[link.SourceID].targetID = link.TargetID
			ids = append(ids, link.TargetID)
		}
	}
	return r.readInto(ctx, s, event.Target, ids, l.target)
}

func (r *Role) readInto(ctx context.Context, s *subject, side string, ids []string, into map[string]match.Row) error {
	if len(ids) == 0 {
		return nil
	}
	rows, err := s.Read(ctx, s.sides[side].reader, side, ids, r.o.now)
	for _, row := range rows {
		into[row.ID] = row
	}
	return err
}

func (r *Role) others(ctx context.Context, s *subject, side string, rows []match.Row) (map[string][]match.Row, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	return s.Others(ctx, s.sides[side].reader, rows, r.o.now)
}

// tell makes the observations of one record.
func (l *looked) tell(m *match.Mapping, a *asked, seen match.Seen) []bus.Message {
	if a.sourceID == "" {
		return l.tellOrphan(m, a, seen)
	}
	var out []bus.Message
	if a.source {
		if row, ok := l.source[a.sourceID]; ok {
			out = append(out, m.Observe(&row, seen, "", nil))
		} else {
			out = append(out, m.Absent(event.Source, m.Object.Source, a.sourceID, "", l.at, seen))
		}
	}
	if !a.target {
		return out
	}
	if row, ok := l.target[a.targetID]; ok {
		return append(out, m.Observe(&row, seen, a.sourceID, nil))
	}
	copies := l.copies[a.sourceID]
	_, there := l.source[a.sourceID]
	switch {
	case len(copies) == 0 && a.targetID == "" && !there:
		return out // nobody knows which record to look for: that proves nothing
	case len(copies) == 0:
		return append(out, m.Absent(event.Target, nativeOf(m, a.targetID), a.targetID, a.sourceID, l.at, seen))
	case len(copies) == 1:
		return append(out, m.Observe(&copies[0], seen, a.sourceID, nil))
	}
	first, rest := oldest(copies)
	return append(out, m.Observe(&first, seen, a.sourceID, rest))
}

func (l *looked) tellOrphan(m *match.Mapping, a *asked, seen match.Seen) []bus.Message {
	row, ok := l.target[a.targetID]
	if !ok {
		return []bus.Message{m.Absent(event.Target, nativeOf(m, a.targetID), a.targetID, event.OrphanID(a.targetID), l.at, seen)}
	}
	origins := l.origin[a.targetID]
	if len(origins) != 1 {
		return m.Orphan(&row, seen)
	}
	// It has a source after all. The orphan's own key hears that too.
	found := row
	source := origins[0]
	source.ID = event.OrphanID(a.targetID)
	return []bus.Message{
		m.Observe(&source, seen, "", nil), m.Observe(&found, seen, origins[0].ID, nil), m.Observe(&origins[0], seen, "", nil),
	}
}

func nativeOf(m *match.Mapping, id string) string {
	for _, native := range m.Object.Target {
		if id != "" && match.Fits(native, id) {
			return native
		}
	}
	return m.Object.Target[0]
}
