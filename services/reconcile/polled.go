package reconcile

import (
	"context"
	"slices"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/match"
)

// deliver makes events of polled rows, and remembers the rows once the events
// are durable: after a crash between the two, the same events come again
// under the same ids.
func (p *poll) deliver(ctx context.Context, u use, rows []match.Row, since event.Time) error {
	seen := match.Seen{
		By: event.FoundByPoll, Now: p.r.o.now(), Resolution: p.every.Milliseconds() + p.late.late.Milliseconds(),
	}
	var messages []bus.Message
	var err error
	if u.side == event.Source {
		messages, err = p.fromSource(ctx, u, rows, since, seen)
	} else {
		messages, err = p.fromTarget(ctx, u, rows, seen)
	}
	if err != nil {
		return err
	}
	if err := p.r.o.Producer.Produce(ctx, messages...); err != nil {
		return err
	}
	return p.r.store.put(ctx, u.Mapping, rows)
}

// fromSource tells what changed, against what was known, and where the copies
// are.
func (p *poll) fromSource(ctx context.Context, u use, rows []match.Row, since event.Time, seen match.Seen) ([]bus.Message, error) {
	known, err := p.r.store.known(ctx, u.Mapping, event.Source, ids(rows))
	if err != nil {
		return nil, err
	}
	var out []bus.Message
	var unlinked []*match.Row
	for i := range rows {
		row := &rows[i]
		was, ok := known[row.ID]
		if !p.a.hooked() && !row.OutOfScope && (!ok || was.ModifiedAt < row.ModifiedAt) {
			out = append(out, changes(u.Mapping, row, was, ok, since, seen)...)
		}
		out = append(out, u.Observe(row, seen, "", nil))
		if !ok || !slices.Equal(was.Keys, row.Keys) {
			unlinked = append(unlinked, row)
		}
	}
	links, err := p.r.linkCopies(ctx, u.subject, unlinked, seen.Now)
	return append(links, out...), err
}

// changes is the change that a polled row shows, if any of it is synced.
func changes(m *match.Mapping, row *match.Row, was match.Row, known bool, since event.Time, seen match.Seen) []bus.Message {
	switch {
	case row.Deleted:
		return []bus.Message{m.Change(row, event.OpDelete, nil, seen)}
	case !known || was.Deleted:
		op := event.OpUpdate
		if row.CreatedAt >= since || was.Deleted {
			op = event.OpCreate
		}
		return []bus.Message{m.Change(row, op, row.Fields, seen)}
	}
	var fields []event.Field
	for i := range m.Object.Fields {
		name := m.Object.Fields[i].Source
		if i < len(was.Norms) && was.Norms[i] == row.Norms[i] {
			continue
		}
		if v, ok := event.Find(row.Fields, name); ok {
			if _, twice := event.Find(fields, name); !twice {
				fields = append(fields, event.Field{Name: name, Value: v})
			}
		}
	}
	if len(fields) == 0 {
		return nil // something that nobody syncs
	}
	slices.SortFunc(fields, func(a, b event.Field) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return []bus.Message{m.Change(row, event.OpUpdate, fields, seen)}
}

// linkCopies tells where the copies of source rows are, as far as they were
// seen: by the one key that each row is paired by.
func (r *Role) linkCopies(ctx context.Context, s *subject, rows []*match.Row, now event.Time) ([]bus.Message, error) {
	var keys []string
	for _, row := range rows {
		if _, k := row.Key(); k != "" {
			keys = append(keys, k)
		}
	}
	copies, err := r.store.byKey(ctx, s.Mapping, event.Target, keys)
	if err != nil {
		return nil, err
	}
	var out []bus.Message
	for _, row := range rows {
		i, k := row.Key()
		var found []*match.Row
		for j := range copies {
			if i >= 0 && copies[j].Keys[i] == k {
				found = append(found, &copies[j])
			}
		}
		if len(found) == 1 { // several are duplicates: never paired at random
			out = append(out, s.Link(row, found[0], now))
		}
	}
	return out, nil
}

// fromTarget shows what the target holds, each row under the source record
// that it is the copy of.
func (p *poll) fromTarget(ctx context.Context, u use, rows []match.Row, seen match.Seen) ([]bus.Message, error) {
	peers, err := p.r.peers(ctx, u.subject, rows)
	if err != nil {
		return nil, err
	}
	var out []bus.Message
	for i := range rows {
		row := &rows[i]
		peer := ""
		if found := peers[row.ID]; len(found) == 1 {
			peer = found[0]
		}
		out = append(out, u.Observe(row, seen, peer, nil))
	}
	return out, nil
}

// peers finds the source records of target rows: among those seen, and in the
// source itself for the others.
func (r *Role) peers(ctx context.Context, s *subject, rows []match.Row) (map[string][]string, error) {
	var keys []string
	for i := range rows {
		for _, k := range rows[i].Keys {
			if k != "" {
				keys = append(keys, k)
			}
		}
	}
	stored, err := r.store.byKey(ctx, s.Mapping, event.Source, keys)
	if err != nil {
		return nil, err
	}
	out := map[string][]string{}
	var unknown []match.Row
	for i := range rows {
		row := &rows[i]
		out[row.ID] = pairedBy(row, stored)
		if len(out[row.ID]) == 0 && !row.Deleted {
			unknown = append(unknown, *row)
		}
	}
	if len(unknown) == 0 {
		return out, nil
	}
	found, err := s.Others(ctx, s.sides[event.Source].reader, unknown, r.o.now)
	if err != nil {
		return nil, err
	}
	for id, sources := range found {
		for i := range sources {
			out[id] = append(out[id], sources[i].ID)
		}
		if err := r.store.put(ctx, s.Mapping, sources); err != nil { // so that nobody has to ask again
			return nil, err
		}
	}
	return out, nil
}

// pairedBy lists the source rows whose pairing key is one of the row's, the
// first key that finds any.
func pairedBy(row *match.Row, sources []match.Row) []string {
	for i, k := range row.Keys {
		var found []string
		for j := range sources {
			if first, hash := sources[j].Key(); k != "" && first == i && hash == k {
				found = append(found, sources[j].ID)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

func ids(rows []match.Row) []string {
	out := make([]string, len(rows))
	for i := range rows {
		out[i] = rows[i].ID
	}
	return out
}
