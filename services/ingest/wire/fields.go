package wire

import (
	"errors"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
)

const (
	maxFields    = 2000 // HubSpot's portals have up to 1,000 properties an object
	maxFieldName = 256
)

var errFields = errors.New("has too many fields: the limit is 2000")

// Fields reads an object of field names and values, sorted by name.
func Fields(v jsontext.Value) ([]event.Field, error) {
	if isNull(v) {
		return nil, nil
	}
	if v[0] != '{' {
		return nil, errObject
	}
	m := Read(v)
	defer m.Done()
	var out []event.Field
	for m.Next() {
		name, err := FieldName(m.Name())
		if err != nil {
			return nil, err
		}
		if len(out) == maxFields {
			return nil, errFields
		}
		out = append(out, event.Field{Name: name, Value: Value(m.Value())})
	}
	SortFields(out)
	return out, m.Err()
}

// FieldName checks the name of a field: it becomes part of ids.
func FieldName(b []byte) (string, error) {
	if len(b) == 0 || len(b) > maxFieldName {
		return "", errors.New("has a field name that is empty or longer than 256 bytes")
	}
	for _, c := range b {
		if c < 0x20 {
			return "", errors.New("has a field name with a control character")
		}
	}
	return string(b), nil
}

// SortFields orders fields by name: the same fields are the same bytes.
func SortFields(f []event.Field) {
	if len(f) > 1 {
		slices.SortFunc(f, func(a, b event.Field) int { return strings.Compare(a.Name, b.Name) })
	}
}

// Actor reads who wrote. A kind nobody knows is unknown, never guessed; ok
// tells whether it was known.
func Actor(v jsontext.Value) (a event.Actor, ok bool, err error) {
	if isNull(v) {
		return a, true, nil
	}
	if v[0] != '{' {
		return a, false, errObject
	}
	m := Read(v)
	defer m.Done()
	for m.Next() {
		var err error
		switch string(m.Name()) {
		case "kind":
			a.Kind, err = Word(m.Value())
		case "id":
			a.ID, err = ID(m.Value())
		case "run":
			a.Run, err = ID(m.Value())
		}
		m.Fail(err)
	}
	ok = a.Kind == "" || slices.Contains(event.ActorKinds, a.Kind)
	if !ok {
		a.Kind = event.ActorUnknown
	}
	return a, ok, m.Err()
}
