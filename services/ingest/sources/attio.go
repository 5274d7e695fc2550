package sources

import (
	"strconv"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

var attioOps = map[string]string{
	"record.created": event.OpCreate, "record.updated": event.OpUpdate, "record.deleted": event.OpDelete, "record.merged": event.OpMerge,
}

var attioActors = map[string]string{
	"workspace-member": event.ActorUser, "api-token": event.ActorIntegration, "app": event.ActorIntegration, "system": event.ActorAutomation,
}

// Attio decodes a body of events that say which record changed and who did
// it, but neither when nor to what.
func Attio(body []byte, m Meta) (Result, error) {
	parts, err := wire.Split(nil, body, 1)
	if err != nil {
		return Result{}, err
	}
	envelope, err := open(parts[0])
	if err != nil {
		return Result{}, err
	}
	events := envelope.list("events")
	r := Result{Total: len(events)}
	for i, raw := range events {
		r.take(i, raw, func(d *doc, m Meta) ([]event.Event, error) { return attio(d, envelope, i, m) }, m)
	}
	return r, nil
}

func attio(d, envelope *doc, i int, m Meta) ([]event.Event, error) {
	c := m.change("attio")
	if c.Operation = attioOps[d.text("event_type")]; c.Operation == "" {
		return nil, nil
	}
	c.Account = or(d.id("id", "workspace_id"), m.Account)
	c.Object, c.RecordID = d.need("id", "object_id"), d.need("id", "record_id")
	c.ChangedAt, c.TimeBasis, c.BodyHash = m.ReceivedAt, event.TimeReceived, d.hash()
	c.Actor = event.Actor{Kind: or(attioActors[d.text("actor", "type")], event.ActorUnknown), ID: d.id("actor", "id")}
	// Two equal bodies are two changes unless Attio says that it repeats one.
	delivery := m.Header.Get("Idempotency-Key")
	if delivery == "" {
		delivery = c.ReceivedAt.String()
	}
	c.ID = event.Hash("attio", envelope.id("webhook_id"), delivery, strconv.Itoa(i), c.RecordID)
	if c.Operation == event.OpMerge {
		c.MergedInto = c.RecordID
		if other := d.id("duplicate_record_id"); other != "" {
			c.MergedIDs = []string{other}
		}
	}
	return []event.Event{c}, nil
}
