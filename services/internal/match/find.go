package match

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

func sortFields(f []event.Field) {
	slices.SortFunc(f, func(a, b event.Field) int { return cmp.Compare(a.Name, b.Name) })
}

// Read reads records of a side by id, whatever native kind they are; those
// that are not there are not in the answer.
func (m *Mapping) Read(ctx context.Context, r crm.Reader, side string, ids []string, now func() event.Time) ([]Row, error) {
	var out []Row
	for _, native := range m.Natives(side) {
		mine := ids
		if len(m.Natives(side)) > 1 {
			mine = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !Fits(native, id) })
		}
		if len(mine) == 0 {
			continue
		}
		at := now()
		records, err := r.Get(ctx, m.Query(side, native), mine)
		if err != nil {
			return nil, err
		}
		for i := range records {
			out = append(out, m.Row(side, &records[i], at))
		}
	}
	return out, nil
}

// prefixes tell a Salesforce id's kind.
var prefixes = map[string]string{"Account": "001", "Contact": "003", "Lead": "00Q", "Opportunity": "006", "Case": "500"}

// Fits reports whether an id may be of a native kind.
func Fits(native, id string) bool {
	p, ok := prefixes[native]
	return !ok || strings.HasPrefix(id, p)
}

// Others looks in the other system for what rows of one side are paired with:
// the copies of source rows, or the records that target rows are copies of. A
// source row is found by its first key that is set, and by no other. Several
// for one row are duplicates.
func (m *Mapping) Others(ctx context.Context, other crm.Reader, rows []Row, now func() event.Time) (map[string][]Row, error) {
	out := map[string][]Row{}
	for k := range m.Object.Key {
		var values []string
		byHash := map[string][]string{}
		for i := range rows {
			if r := &rows[i]; r.asks(k) && len(out[r.ID]) == 0 {
				values = append(values, searchable(keyKind(m.Object.Key[k]), r.raw[k]))
				byHash[r.Keys[k]] = append(byHash[r.Keys[k]], r.ID)
			}
		}
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		found, err := m.find(ctx, other, opposite(rows[0].Side), k, slices.Compact(values), now)
		if err != nil {
			return nil, err
		}
		for i := range found {
			f := &found[i]
			if f.Deleted || !f.asks(k) && f.Side == event.Source {
				continue
			}
			for _, id := range byHash[f.Keys[k]] {
				out[id] = append(out[id], *f)
			}
		}
	}
	return out, nil
}

// asks reports whether the row may be paired by its k-th key.
func (r *Row) asks(k int) bool {
	if r.Side == event.Source {
		first, _ := r.Key()
		return first == k
	}
	return r.Keys[k] != ""
}

func opposite(side string) string {
	if side == event.Source {
		return event.Target
	}
	return event.Source
}

// find reads by the value of a key, or by id where the key is the id: a
// search index may lag behind its store.
func (m *Mapping) find(ctx context.Context, r crm.Reader, side string, k int, values []string, now func() event.Time) ([]Row, error) {
	name := keyField(m.Object.Key[k], side)
	if name == "Id" || name == "hs_object_id" {
		return m.Read(ctx, r, side, values, now)
	}
	var out []Row
	for _, native := range m.Natives(side) {
		if !m.has(side, native, name) {
			continue
		}
		at := now()
		records, err := r.Find(ctx, m.Query(side, native), name, values)
		if err != nil {
			return nil, err
		}
		for i := range records {
			out = append(out, m.Row(side, &records[i], at))
		}
	}
	return out, nil
}

// searchable is how a system finds a value: as it stands, but for case.
func searchable(kind, raw string) string {
	if kind == value.Email {
		return mail(raw)
	}
	return strings.TrimSpace(raw)
}
