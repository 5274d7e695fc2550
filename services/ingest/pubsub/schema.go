package pubsub

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/avro"
)

const header = "ChangeEventHeader"

// shape is one version of one event's schema. Salesforce gives a new id to
// each.
type shape struct {
	schema *avro.Schema
	root   *record
}

// record is what the schema says of a record's fields, in order.
type record struct{ fields []field }

type field struct {
	name  string
	kind  string  // of a number that is a time: DateTime, DateOnly, TimeOnly
	inner *record // of a compound field
}

func parse(text string) (*shape, error) {
	schema, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("event schema: %w", err)
	}
	root := schema.Root()
	if root.Type != "record" {
		return nil, errors.New("event schema is not of a record")
	}
	return &shape{schema, describe(root, map[string]*record{})}, nil
}

// describe reads a record; later mentions of a type are by its name only.
func describe(n *avro.SchemaNode, seen map[string]*record) *record {
	if n.Type != "record" {
		return seen[n.Type]
	}
	r := &record{}
	seen[n.Name] = r
	if n.Namespace != "" && !strings.Contains(n.Name, ".") {
		seen[n.Namespace+"."+n.Name] = r
	}
	for i := range n.Fields {
		f := &n.Fields[i]
		x := field{name: f.Name, kind: temporal(f.Doc)}
		types := f.Type.Branches
		if f.Type.Type != "union" {
			types = []avro.SchemaNode{f.Type}
		}
		for j := range types {
			if inner := describe(&types[j], seen); inner != nil {
				x.inner = inner
			}
		}
		r.fields = append(r.fields, x)
	}
	return r
}

// temporal is the second part of a field's note, like Data:DateTime:00N…:
// Avro knows these as numbers only.
func temporal(doc string) string {
	parts := strings.SplitN(doc, ":", 3)
	if len(parts) < 2 {
		return ""
	}
	switch parts[1] {
	case "DateTime", "DateOnly", "TimeOnly":
		return parts[1]
	}
	return ""
}

// json is an event as Salesforce's other ways write it: names in place of
// bitmaps, times as text, and of an unchanged field nothing.
func (s *shape) json(payload []byte) (out []byte, err error) {
	defer func() { // the bytes are a stranger's
		if p := recover(); p != nil {
			out, err = nil, fmt.Errorf("event cannot be decoded: %v", p)
		}
	}()
	var v any
	rest, err := s.schema.Decode(payload, &v)
	if err != nil {
		return nil, fmt.Errorf("event cannot be decoded: %w", err)
	}
	m, ok := v.(map[string]any)
	if !ok || len(rest) > 0 {
		return nil, errors.New("event has another form than its schema says")
	}
	told := map[string]bool{}
	if h, ok := m[header].(map[string]any); ok {
		if err := s.expand(h, told); err != nil {
			return nil, err
		}
	}
	s.root.plain(m, "", told)
	return json.Marshal(m)
}

// expand writes names into the header, and notes what was changed.
func (s *shape) expand(h map[string]any, told map[string]bool) error {
	for _, list := range []string{"changedFields", "nulledFields", "diffFields"} {
		entries, _ := h[list].([]any)
		names, err := s.root.names(entries)
		if err != nil {
			return fmt.Errorf("%s: %w", list, err)
		}
		if len(names) == 0 {
			delete(h, list)
			continue
		}
		h[list] = names
		for _, n := range names {
			told[n] = true
		}
	}
	return nil
}

// plain takes away what is null and was not changed to be so.
func (r *record) plain(m map[string]any, prefix string, told map[string]bool) {
	for i := range r.fields {
		f := &r.fields[i]
		switch v := m[f.name].(type) {
		case nil:
			if !told[prefix+f.name] {
				delete(m, f.name)
			}
		case int64:
			m[f.name] = written(f.kind, v)
		case map[string]any:
			if f.inner != nil && f.name != header {
				f.inner.plain(v, prefix+f.name+".", told)
			}
		}
	}
}

func written(kind string, ms int64) any {
	t := time.UnixMilli(ms).UTC()
	switch kind {
	case "DateTime":
		return t.Format("2006-01-02T15:04:05.000Z")
	case "DateOnly":
		return t.Format(time.DateOnly)
	case "TimeOnly":
		return t.Format("15:04:05.000Z")
	}
	return ms
}
