package sources

import (
	"bytes"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Pipedrive decodes webhooks of version 1 and 2, one event a body.
var Pipedrive = elements(pipedrive)

var pipedriveOps = map[string]string{
	"create": event.OpCreate, "change": event.OpUpdate, "delete": event.OpDelete,
	"added": event.OpCreate, "updated": event.OpUpdate, "deleted": event.OpDelete, "merged": event.OpMerge,
}

func pipedrive(d *doc, m Meta) ([]event.Event, error) {
	c := m.change("pipedrive")
	meta := d.sub("meta")
	c.Operation = pipedriveOps[meta.text("action")]
	if c.Operation == "" {
		return nil, nil
	}
	c.Account = or(meta.id("company_id"), m.Account)
	c.Actor = pipedriveActor(meta)
	if meta.has("entity") {
		pipedriveV2(d, meta, c)
	} else {
		pipedriveV1(d, meta, c)
	}
	if d.err == nil {
		d.err = meta.err
	}
	return []event.Event{c}, nil
}

// pipedriveV2 has an id of its own and RFC 3339 times. A merge is a delete
// that names the survivor.
func pipedriveV2(d, meta *doc, c *event.Change) {
	c.ID, c.Object, c.RecordID, c.ChangedAt = meta.need("id"), meta.need("entity"), meta.need("entity_id"), meta.at("timestamp")
	c.Redelivery = int(max(meta.whole("attempt")-1, 0))
	c.BodyHash = d.hash("meta")
	if into := meta.id("merged_to_id"); into != "" && c.Operation == event.OpDelete {
		c.Operation, c.MergedInto, c.MergedIDs, c.RecordID = event.OpMerge, into, []string{c.RecordID}, into
		return
	}
	c.Fields = pipedriveFields(c.Operation, d.sub("data"), d.sub("previous"))
}

// pipedriveV1 has none: its time to the microsecond is what tells events apart.
func pipedriveV1(d, meta *doc, c *event.Change) {
	c.Object, c.RecordID, c.ChangedAt = meta.need("object"), meta.need("id"), meta.at("timestamp")
	at := or(meta.id("timestamp_micro"), meta.id("timestamp"))
	if micro := meta.whole("timestamp_micro"); micro > 0 {
		c.ChangedAt = event.Time(micro / 1000)
	}
	c.ID = event.Hash(c.Account, meta.id("webhook_id"), at, c.Operation, c.Object, c.RecordID, meta.text("change_source"))
	c.Redelivery = int(d.whole("retry"))
	c.BodyHash = d.hash("meta", "retry")
	c.Fields = pipedriveFields(c.Operation, d.sub("current"), d.sub("previous"))
	if c.Operation == event.OpMerge {
		c.MergedInto = c.RecordID
	}
}

// pipedriveFields are those whose value before is told, or all of a new
// record. Custom fields stand in an object of their own.
func pipedriveFields(op string, now, before *doc) []event.Field {
	if op == event.OpDelete {
		return nil
	}
	changed := func(now, before *doc) []event.Field {
		return now.fieldsOf(func(name string) bool {
			if name == "custom_fields" {
				return false
			}
			was, told := before.m[name]
			return op == event.OpCreate || told && !bytes.Equal(was, now.m[name])
		})
	}
	out := append(changed(now, before), changed(now.sub("custom_fields"), before.sub("custom_fields"))...)
	wire.SortFields(out)
	return out
}

// pipedriveActor goes by the source: the user whose token the API was called
// with is named either way.
func pipedriveActor(meta *doc) event.Actor {
	kind := map[string]string{"app": event.ActorUser, "api": event.ActorIntegration, "import": event.ActorImport}[meta.text("change_source")]
	return event.Actor{Kind: or(kind, event.ActorUnknown), ID: meta.id("user_id")}
}
