package sources

import (
	"errors"
	"strings"

	"plumbline.dev/schemas/event"
)

// Salesloft decodes a resource; what happened to it stands in a header.
var Salesloft = elements(salesloft)

var salesloftOps = map[string]string{
	"created": event.OpCreate, "updated": event.OpUpdate, "deleted": event.OpDelete, "completed": event.OpUpdate,
}

var errSalesloft = errors.New("header X-Salesloft-Event is missing or names no event")

func salesloft(d *doc, m Meta) ([]event.Event, error) {
	name := m.Header.Get("X-Salesloft-Event")
	i := strings.LastIndexByte(name, '_')
	if i < 1 {
		return nil, errSalesloft
	}
	c := m.change("salesloft")
	if c.Operation = salesloftOps[name[i+1:]]; c.Operation == "" {
		return nil, nil
	}
	c.Object, c.RecordID, c.ChangedAt = name[:i], d.need("id"), d.at("updated_at")
	if c.ChangedAt == 0 {
		c.ChangedAt, c.TimeBasis = m.ReceivedAt, event.TimeReceived
	}
	c.ID, c.BodyHash = event.Hash("salesloft", name, c.RecordID, d.id("updated_at")), d.hash()
	c.Actor = salesloftActor(d)
	if c.Operation != event.OpDelete {
		c.Fields = d.fields("id", "created_at", "updated_at", "instigator")
	}
	return []event.Event{c}, nil
}

func salesloftActor(d *doc) event.Actor {
	a := event.Actor{Kind: event.ActorUnknown, ID: d.id("instigator", "action_caller_id")}
	switch {
	case d.text("instigator", "reason") == "api" || d.text("source") == "salesloft.api":
		a.Kind = event.ActorIntegration
	case d.text("instigator", "type") == "automation" || d.text("instigator", "type") == "system":
		a.Kind = event.ActorAutomation
	case d.text("instigator", "type") == "manual":
		a.Kind = event.ActorUser
	}
	return a
}
