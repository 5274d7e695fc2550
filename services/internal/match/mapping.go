// Package match brings the records of two systems into one comparable form,
// pairs them by their keys, and says how a pair differs. Whoever compares,
// in ClickHouse or in memory, does it on these rows.
package match

import (
	"slices"
	"strings"
	"sync"

	"plumbline.dev/pipelines/value"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/crm"
	"plumbline.dev/services/internal/privacy"
)

// NotComparable stands in for the normal form of a field that a kind of
// record does not have: a lead has no account.
const NotComparable = "\x00"

// Mapping is one object of an integration. It is safe for concurrent use: polls
// and checks go on while a comparison asks the systems anew what they have.
type Mapping struct {
	Integration *config.Integration
	Object      *config.Object

	policy *privacy.Policy
	mu     sync.RWMutex
	fields map[string]map[string]bool   // side/native -> fields that are there; nil = all
	users  map[string]map[string]string // side -> user id -> e-mail
	owners map[string]string            // e-mail -> user id in the source
}

// New prepares a mapping.
func New(in *config.Integration, o *config.Object, p *privacy.Policy) *Mapping {
	return &Mapping{
		Integration: in, Object: o, policy: p, fields: map[string]map[string]bool{}, users: map[string]map[string]string{},
		owners: map[string]string{},
	}
}

// Know takes a native kind's properties: fields that it lacks are neither
// asked for nor compared. It returns the mapped fields that are missing.
func (m *Mapping) Know(side, native string, properties []crm.Property) []string {
	known := map[string]bool{}
	for _, p := range properties {
		known[strings.ToLower(p.Name)] = true
	}
	m.mu.Lock()
	m.fields[side+"/"+native] = known
	m.mu.Unlock()
	var missing []string
	for i := range m.Object.Fields {
		if f := field(&m.Object.Fields[i], side); !known[strings.ToLower(f)] {
			missing = append(missing, f)
		}
	}
	slices.Sort(missing)
	return slices.Compact(missing)
}

// Users takes a side's users, by which references are compared via e-mail.
func (m *Mapping) Users(side string, emails map[string]string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.users[side] = emails
	if side == event.Source {
		for id, e := range emails {
			m.owners[mail(e)] = id
		}
	}
}

// Via reports whether some field is compared through users.
func (m *Mapping) Via() bool {
	return slices.ContainsFunc(m.Object.Fields, func(f config.FieldMap) bool { return f.Via != "" })
}

// email is a user's, "" where it is not known.
func (m *Mapping) email(side, user string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.users[side][user]
}

// owner is the source's user of an e-mail address, "" where there is none.
func (m *Mapping) owner(email string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.owners[mail(email)]
}

func mail(s string) string { return value.Normalize(value.Email, event.Value{Text: s}) }

// Endpoint is a side's end of the integration.
func (m *Mapping) Endpoint(side string) *config.Endpoint {
	if side == event.Source {
		return &m.Integration.Source
	}
	return &m.Integration.Target
}

// Natives are the kinds of record that the object is on a side.
func (m *Mapping) Natives(side string) []string {
	if side == event.Source {
		return []string{m.Object.Source}
	}
	return m.Object.Target
}

func field(f *config.FieldMap, side string) string {
	if side == event.Source {
		return f.Source
	}
	return f.Target
}

func keyField(k config.Key, side string) string {
	if side == event.Source {
		return k.Source
	}
	return k.Target
}

func (m *Mapping) has(side, native, name string) bool {
	m.mu.RLock()
	known := m.fields[side+"/"+native]
	m.mu.RUnlock()
	return known == nil || known[strings.ToLower(name)]
}

// Query asks for what the mapping needs of a native kind.
func (m *Mapping) Query(side, native string) crm.Query {
	q := crm.Query{Object: native}
	if s := m.Object.Scope; s != nil {
		q.Scope = s.Source
		if side == event.Target {
			q.Scope = s.Target
		}
	}
	add := func(name string) {
		if name != "" && m.has(side, native, name) {
			q.Fields = append(q.Fields, name)
		}
	}
	for _, k := range m.Object.Key {
		add(keyField(k, side))
	}
	for i := range m.Object.Fields {
		add(field(&m.Object.Fields[i], side))
	}
	slices.Sort(q.Fields)
	q.Fields = slices.Compact(q.Fields)
	return q
}

// Critical are the objects that count in coverage unless somebody says no.
var Critical = []string{"contact", "contacts", "company", "companies", "account", "accounts", "deal", "deals", "opportunity", "opportunities"}

// IsCritical reports whether the object counts in coverage.
func (m *Mapping) IsCritical() bool {
	if m.Object.Critical != nil {
		return *m.Object.Critical
	}
	return slices.ContainsFunc(append([]string{m.Object.Name, m.Object.Source}, m.Object.Target...), func(name string) bool {
		return slices.Contains(Critical, strings.ToLower(name))
	})
}
