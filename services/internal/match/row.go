package match

import (
	"strconv"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
)

// Row is a record in comparable form. Its Fields went through the field
// policy, and what the policy hides is hashed in Keys and Norms too.
type Row struct {
	Side, Native, ID string
	Keys             []string // hashes of the key fields' normal forms; empty = not set
	Norms            []string // normal forms of the mapped fields, in their order
	Fields           []event.Field
	CreatedAt        event.Time
	ModifiedAt       event.Time
	ReadAt           event.Time
	Writer           event.Actor
	Deleted          bool
	OutOfScope       bool

	clear []event.Value // mapped values as they stand, to tell how hidden ones differ; never stored
	raw   []string      // key values as they stand, to look for the counterpart; never stored
}

// Row converts a record of one side, read at an instant.
func (m *Mapping) Row(side string, r *crm.Record, at event.Time) Row {
	row := Row{
		Side: side, Native: r.Object, ID: r.ID, CreatedAt: r.CreatedAt, ModifiedAt: r.ModifiedAt, ReadAt: at, Writer: m.writer(side, r.Writer),
		Deleted: r.Deleted || r.ConvertedTo != "", OutOfScope: r.OutOfScope,
		Keys: make([]string, len(m.Object.Key)), raw: make([]string, len(m.Object.Key)), Norms: make([]string, len(m.Object.Fields)),
		clear: make([]event.Value, len(m.Object.Fields)),
	}
	for i, k := range m.Object.Key {
		v := r.Field(keyField(k, side))
		if n := value.Normalize(keyKind(k), v); n != "" {
			row.raw[i], row.Keys[i] = v.Text, m.policy.Key().Hash(strconv.Itoa(i)+"\x1f"+n)
		}
	}
	plain := make([]event.Field, 0, len(m.Object.Fields))
	for i := range m.Object.Fields {
		f := &m.Object.Fields[i]
		name := field(f, side)
		if !m.has(side, r.Object, name) {
			row.Norms[i] = NotComparable
			continue
		}
		v := r.Field(name)
		row.Norms[i] = m.norm(side, f, v)
		row.clear[i] = m.shown(side, f, v)
		if _, twice := event.Find(plain, name); !twice {
			plain = append(plain, event.Field{Name: name, Value: m.shown(side, f, v)})
		}
	}
	sortFields(plain)
	row.Fields = m.policy.Apply(m.Integration.Tenant, m.Endpoint(side).System, r.Object, plain)
	m.hide(side, &row)
	return row
}

// keyKind compares native ids as references: Salesforce writes one id in two
// lengths.
func keyKind(k config.Key) string {
	if k.Normalize == "" && (k.Target == "Id" || k.Source == "Id") {
		return value.Reference
	}
	return k.Normalize
}

func (m *Mapping) norm(side string, f *config.FieldMap, v event.Value) string {
	switch {
	case f.Via != "" && !v.Blank():
		if e := m.email(side, v.Text); e != "" {
			return mail(e)
		}
		return "?" + v.Text // a user nobody knows equals nobody
	case side == event.Source:
		return value.Canonical(f.Compare, f.Map, v)
	}
	return value.Normalize(f.Compare, v)
}

// shown translates a target's user into the source's, so that whoever compares
// the two values without knowing users compares right.
func (m *Mapping) shown(side string, f *config.FieldMap, v event.Value) event.Value {
	if f.Via == "" || side == event.Source || v.Blank() {
		return v
	}
	if id := m.owner(m.email(side, v.Text)); id != "" {
		return event.Value{Text: id}
	}
	return v
}

// hide replaces normal forms of what the policy hid.
func (m *Mapping) hide(side string, row *Row) {
	for i := range m.Object.Fields {
		f := &m.Object.Fields[i]
		if row.Norms[i] == "" || row.Norms[i] == NotComparable {
			continue
		}
		v, kept := event.Find(row.Fields, field(f, side))
		switch {
		case !kept:
			row.Norms[i] = NotComparable // dropped: nobody stores it, nobody compares it
		case v.Kind == event.KindHash, v.Kind == event.KindSeal, f.Via != "":
			row.Norms[i] = m.policy.Key().Hash(row.Norms[i])
		}
	}
}

// writer tells the sync's own user from others.
func (m *Mapping) writer(side string, a event.Actor) event.Actor {
	if user := m.Endpoint(side).SyncUser; user != "" && a.ID != "" &&
		value.Normalize(value.Reference, event.Value{Text: user}) == value.Normalize(value.Reference, event.Value{Text: a.ID}) {
		return event.Actor{Kind: event.ActorIntegration, ID: user}
	}
	return a
}

// Key is the pairing key: the first that is set. Empty = unlinkable.
func (r *Row) Key() (i int, hash string) {
	for i, k := range r.Keys {
		if k != "" {
			return i, k
		}
	}
	return -1, ""
}

// Plain is a mapped field's value as the system holds it: only of rows that
// were just read, never of stored ones.
func (r *Row) Plain(field int) event.Value {
	if field < len(r.clear) {
		return r.clear[field]
	}
	return event.Value{Kind: event.KindNull}
}

// Difference is one field in which a pair differs.
type Difference struct {
	Field  int // in the object's fields
	How    string
	Source event.Value
	Target event.Value
}

// Differ compares a pair.
func (m *Mapping) Differ(a, b *Row) []Difference {
	var out []Difference
	for i := range m.Object.Fields {
		if a.Norms[i] == b.Norms[i] || a.Norms[i] == NotComparable || b.Norms[i] == NotComparable {
			continue
		}
		out = append(out, m.difference(i, a, b))
	}
	return out
}

func (m *Mapping) difference(i int, a, b *Row) Difference {
	f := &m.Object.Fields[i]
	d := Difference{Field: i, How: value.Other}
	d.Source, _ = event.Find(a.Fields, f.Source)
	d.Target, _ = event.Find(b.Fields, f.Target)
	x, y := d.Source, d.Target
	if len(a.clear) > i && len(b.clear) > i {
		x, y = a.clear[i], b.clear[i]
	}
	if equal, how := value.Equal(f.Compare, f.Map, x, y); !equal {
		d.How = how
	}
	return d
}
