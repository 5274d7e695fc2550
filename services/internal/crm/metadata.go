package crm

import (
	"encoding/json"
	"slices"
	"strings"

	"plumbline.dev/schemas/event"
)

// Metadata is an object as a credential sees it: what a schema watch compares
// from one look to the next. Properties are sorted by name, options keep the
// system's order.
type Metadata struct {
	System     string     `json:"system"`
	Object     string     `json:"object"` // native name
	Properties []Property `json:"properties"`
}

// NewMetadata puts the properties into their order.
func NewMetadata(system, object string, properties []Property) Metadata {
	m := Metadata{System: system, Object: object, Properties: slices.Clone(properties)}
	slices.SortFunc(m.Properties, func(a, b Property) int { return strings.Compare(a.Name, b.Name) })
	return m
}

// Property finds one by its name.
func (m *Metadata) Property(name string) (Property, bool) {
	i, ok := slices.BinarySearchFunc(m.Properties, name, func(p Property, name string) int { return strings.Compare(p.Name, name) })
	if !ok {
		return Property{}, false
	}
	return m.Properties[i], true
}

// Hash is equal for two looks that saw the same.
func (m *Metadata) Hash() string {
	b, err := json.Marshal(m)
	if err != nil { // strings, numbers and truth values only
		panic(err)
	}
	return event.Hash("metadata", string(b))
}
