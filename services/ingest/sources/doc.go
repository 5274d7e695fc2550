package sources

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// doc is a JSON object whose members are asked for by path. The first member
// that has another form than asked for is kept as err.
type doc struct {
	raw   []byte
	names []string
	m     map[string]jsontext.Value
	err   error
}

// open reads the object strictly: no name twice, no invalid text.
func open(raw []byte) (*doc, error) {
	d := &doc{raw: raw, m: map[string]jsontext.Value{}}
	m := wire.Read(raw)
	defer m.Done()
	for m.Next() {
		name := string(m.Name())
		d.names = append(d.names, name)
		d.m[name] = m.Value()
	}
	return d, m.Err()
}

// get is the value at a path of names, or of indexes into lists; nil if there
// is none or it is null.
func (d *doc) get(path ...string) jsontext.Value {
	v := d.m[path[0]]
	for _, name := range path[1:] {
		switch {
		case v == nil:
			return nil
		case v[0] == '[':
			list, err := wire.Split(nil, v, maxElements)
			i, bad := strconv.Atoi(name)
			if err != nil || bad != nil || i < 0 || i >= len(list) {
				return nil
			}
			v = list[i]
		case v[0] == '{':
			sub, err := open(v)
			if err != nil {
				return nil
			}
			v = sub.m[name]
		default:
			return nil
		}
	}
	if v == nil || v[0] == 'n' {
		return nil
	}
	return v
}

func (d *doc) has(path ...string) bool { return d.get(path...) != nil }

func (d *doc) fail(path []string, err error) {
	if err != nil && d.err == nil {
		d.err = fmt.Errorf("%s %w", strings.Join(path, "."), err)
	}
}

func value[T any](d *doc, path []string, read func(jsontext.Value) (T, error)) (out T) {
	if v := d.get(path...); v != nil {
		var err error
		out, err = read(v)
		d.fail(path, err)
	}
	return out
}

func (d *doc) id(path ...string) string   { return value(d, path, wire.ID) }
func (d *doc) text(path ...string) string { return value(d, path, wire.Text) }
func (d *doc) whole(path ...string) int64 { return value(d, path, wire.Whole) }
func (d *doc) flag(path ...string) bool   { return value(d, path, wire.Bool) }
func (d *doc) ids(path ...string) []string {
	return value(d, path, func(v jsontext.Value) ([]string, error) { return wire.IDs(nil, v) })
}
func (d *doc) at(path ...string) event.Time { return value(d, path, wire.Time) }

// utc reads a time that may lack its zone: the provider means UTC.
func (d *doc) utc(path ...string) event.Time {
	return value(d, path, func(v jsontext.Value) (event.Time, error) {
		t, err := wire.Time(v)
		if err == nil {
			return t, nil
		}
		text, bad := wire.Text(v)
		naive, e := time.Parse("2006-01-02T15:04:05.999999999", text)
		if bad != nil || e != nil {
			return 0, err
		}
		return event.At(naive), nil
	})
}

// need is id, for what an event cannot do without.
func (d *doc) need(path ...string) string {
	v := d.id(path...)
	if v == "" {
		d.fail(path, errMissing)
	}
	return v
}

// sub is an object within; empty where there is none.
func (d *doc) sub(path ...string) *doc {
	if v := d.get(path...); v != nil && v[0] == '{' {
		if s, err := open(v); err == nil {
			return s
		}
	}
	return &doc{m: map[string]jsontext.Value{}}
}

// list is the elements of a list within.
func (d *doc) list(path ...string) [][]byte {
	v := d.get(path...)
	if v == nil || v[0] != '[' {
		return nil
	}
	out, err := wire.Split(nil, v, maxElements)
	d.fail(path, err)
	return out
}

// objects is the objects of a list within.
func (d *doc) objects(path ...string) []*doc {
	var out []*doc
	for _, raw := range d.list(path...) {
		if o, err := open(raw); err == nil {
			out = append(out, o)
		}
	}
	return out
}

// fields are all members as a record's fields, but those left out.
func (d *doc) fields(without ...string) []event.Field {
	return d.fieldsOf(func(name string) bool { return !slices.Contains(without, name) })
}

func (d *doc) fieldsOf(take func(name string) bool) []event.Field {
	var out []event.Field
	for _, n := range d.names {
		if !take(n) {
			continue
		}
		name, err := wire.FieldName([]byte(n))
		if err != nil {
			d.fail([]string{n}, err)
			continue
		}
		out = append(out, event.Field{Name: name, Value: wire.Value(d.m[n])})
	}
	wire.SortFields(out)
	return out
}

// hash is the content without the members that differ between deliveries of
// one event.
func (d *doc) hash(without ...string) uint64 {
	m := wire.Read(d.raw)
	defer m.Done()
	for m.Next() {
		if !slices.Contains(without, string(m.Name())) {
			m.Count()
		}
	}
	return m.Hash()
}

// content identifies an element by what is in it.
func (d *doc) content(kind string) string { return wire.ContentID(kind, d.raw) }

func or[T comparable](values ...T) (out T) {
	for _, v := range values {
		if v != out {
			return v
		}
	}
	return out
}
