// Package own decodes Plumbline's own formats: attempts, changes,
// observations, signals, clicks and lines of access logs, as JSON elements of one body, bare or in
// the envelopes of CloudEvents and Standard Webhooks.
package own

import (
	"slices"
	"strings"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// Index finds what senders name: integrations, their objects, their sides.
type Index struct {
	byID  map[string]*integration
	names string // the known ids, for people
}

type integration struct {
	*config.Integration
	objects map[string]*config.Object // by every name, in lower case
}

// NewIndex prepares the integrations.
func NewIndex(list []config.Integration) *Index {
	x := &Index{byID: map[string]*integration{}}
	var names []string
	for i := range list {
		in := &integration{Integration: &list[i], objects: map[string]*config.Object{}}
		for j := range in.Objects {
			in.learn(&in.Objects[j])
		}
		x.byID[in.ID] = in
		names = append(names, in.ID)
	}
	slices.Sort(names)
	x.names = strings.Join(names, ", ")
	if len(names) == 0 {
		x.names = "none: add it to the configuration"
	}
	return x
}

// learn takes the object's names; its own name goes before a native one of
// another object.
func (in *integration) learn(o *config.Object) {
	in.objects[strings.ToLower(o.Name)] = o
	for _, n := range append([]string{o.Source}, o.Target...) {
		if k := strings.ToLower(n); in.objects[k] == nil {
			in.objects[k] = o
		}
	}
}

// side is the end of the integration that a system and account belong to.
func (in *integration) side(system, account string) (*config.Endpoint, string) {
	for _, s := range []struct {
		e    *config.Endpoint
		name string
	}{{&in.Source, event.Source}, {&in.Target, event.Target}} {
		if s.e.System == system && (account == "" || s.e.Account == "" || s.e.Account == account) {
			return s.e, s.name
		}
	}
	return nil, ""
}

// native is the object's name in the system of the given side. An object that
// is not mapped keeps the name it came with; known tells the two apart.
func (in *integration) native(side, object, recordID string) (name string, known bool) {
	o := in.objects[strings.ToLower(object)]
	switch {
	case o == nil:
		return object, false
	case side == event.Source:
		return o.Source, true
	}
	for _, t := range o.Target {
		if strings.EqualFold(t, object) {
			return t, true
		}
	}
	return one(in.Target.System, o.Target, recordID), true
}

// salesforcePrefixes tell a Salesforce id's object where an integration's
// object has several targets (a converted lead moves the link).
var salesforcePrefixes = map[string]string{
	"001": "Account", "003": "Contact", "00Q": "Lead", "006": "Opportunity", "500": "Case", "00T": "Task",
}

func one(system string, targets []string, recordID string) string {
	if system == "salesforce" && len(targets) > 1 && len(recordID) >= 15 {
		if name := salesforcePrefixes[recordID[:3]]; slices.Contains(targets, name) {
			return name
		}
	}
	if len(targets) == 0 {
		return ""
	}
	return targets[0]
}
