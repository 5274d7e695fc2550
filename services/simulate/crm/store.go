// Package crm holds the two fake CRMs: what their records are, what they
// refuse and in which words, and how they tell of changes.
package crm

import (
	"slices"
	"strconv"
)

// Row is one record as a system holds it.
type Row struct {
	ID       string
	External string            // Salesforce: the HubSpot record it copies, or ""
	Values   map[string]string // never ranged over where order would show
	Created  int64
	Modified int64
	Writer   string
	Deleted  bool
}

// Table is all records of one kind in one system.
type Table struct {
	Name   string
	Fields []Field
	Rows   []*Row // in the order of creation, deleted ones too
	id     func(n int) string
	byID   map[string]*Row
	byExt  map[string]*Row
}

// Change is a write that one of the fake APIs made.
type Change struct {
	Table     *Table
	Row       *Row
	Operation string   // create, update, delete
	Fields    []string // that changed
	Writer    string   // of the token
}

// Held lists the columns in which a record holds a value.
func (t *Table) Held(r *Row) []string {
	var out []string
	for _, f := range t.Fields {
		if r.Values[f.Name] != "" {
			out = append(out, f.Name)
		}
	}
	return out
}

// Field is one column and what the system refuses in it.
type Field struct {
	Name    string
	Label   string
	Type    string   // how values read: text, number, date, email, phone, picklist, reference
	Options []string // restricted picklist; nil: any value
	Max     int      // characters; 0: no limit
	Number  bool
	// Required is what a schema says; neither fake refuses a record without it.
	Required bool
}

// NewTable makes an empty table; id names the n-th record.
func NewTable(name string, fields []Field, id func(n int) string) *Table {
	return &Table{Name: name, Fields: fields, id: id, byID: map[string]*Row{}, byExt: map[string]*Row{}}
}

// Field is the named column, or nil.
func (t *Table) Field(name string) *Field {
	i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &t.Fields[i]
}

// Get is a live record.
func (t *Table) Get(id string) *Row { return live(t.byID[id]) }

// Any is a record, deleted or not.
func (t *Table) Any(id string) *Row { return t.byID[id] }

// GetExternal is the live record that copies another system's.
func (t *Table) GetExternal(id string) *Row {
	if id == "" {
		return nil
	}
	return live(t.byExt[id])
}

func live(r *Row) *Row {
	if r == nil || r.Deleted {
		return nil
	}
	return r
}

// Find is the first live record with a value, for small questions.
func (t *Table) Find(field, value string) *Row {
	for _, r := range t.Rows {
		if !r.Deleted && value != "" && r.Values[field] == value {
			return r
		}
	}
	return nil
}

// Insert adds a record.
func (t *Table) Insert(values map[string]string, external, writer string, at int64) *Row {
	r := &Row{
		ID: t.id(len(t.Rows)), External: external, Values: map[string]string{}, Created: at, Modified: at, Writer: writer,
	}
	for _, f := range t.Fields {
		if v := values[f.Name]; v != "" {
			r.Values[f.Name] = v
		}
	}
	t.Rows = append(t.Rows, r)
	t.byID[r.ID] = r
	if external != "" {
		t.byExt[external] = r
	}
	return r
}

// Update writes values into a record and returns the names of those that
// changed, in the table's order. An empty value clears the field.
func (t *Table) Update(r *Row, values map[string]string, writer string, at int64) []string {
	var changed []string
	for _, f := range t.Fields {
		v, ok := values[f.Name]
		if !ok || r.Values[f.Name] == v {
			continue
		}
		changed = append(changed, f.Name)
		if v == "" {
			delete(r.Values, f.Name)
		} else {
			r.Values[f.Name] = v
		}
	}
	if len(changed) > 0 {
		r.Modified, r.Writer = at, writer
	}
	return changed
}

// Delete removes a record.
func (t *Table) Delete(r *Row, writer string, at int64) {
	r.Deleted, r.Modified, r.Writer = true, at, writer
}

// HubSpotID numbers records the way HubSpot does: digits, growing, with gaps.
func HubSpotID(base int64) func(int) string {
	return func(n int) string { return strconv.FormatInt(base+int64(n)*37, 10) }
}

const (
	base62   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	checksum = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
)

// SalesforceID makes 18-character ids: the object's prefix, the instance, a
// number, and the three characters that repeat the case of the others.
func SalesforceID(prefix string) func(int) string {
	return func(n int) string {
		id := []byte(prefix + "5f000000000")[:6]
		id = append(id, "000000000"...)
		for i := 14; n > 0; i-- {
			id[i] = base62[n%62]
			n /= 62
		}
		for block := range 3 {
			bits := 0
			for i, c := range id[block*5 : block*5+5] {
				if c >= 'A' && c <= 'Z' {
					bits |= 1 << i
				}
			}
			id = append(id, checksum[bits])
		}
		return string(id)
	}
}
