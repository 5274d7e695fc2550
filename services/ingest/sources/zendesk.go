package sources

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Zendesk decodes event webhooks. A trigger's free body needs a hook of
// source json with a mapping.
var Zendesk = elements(zendesk)

func zendesk(d *doc, m Meta) ([]event.Event, error) {
	kind, ok := strings.CutPrefix(d.text("type"), "zen:event-type:")
	object, what, dotted := strings.Cut(kind, ".")
	if !ok || !dotted {
		d.fail([]string{"type"}, errMissing)
		return nil, nil
	}
	c := m.change("zendesk")
	c.ID, c.Account, c.Object = d.need("id"), or(d.id("account_id"), m.Account), object
	subject := d.text("subject")
	c.RecordID = or(d.id("detail", "id"), subject[strings.LastIndexByte(subject, ':')+1:])
	c.ChangedAt, c.BodyHash = d.at("time"), d.hash()
	switch what {
	case "created":
		c.Operation, c.Fields = event.OpCreate, d.sub("detail").fields("id")
	case "deleted", "soft_deleted", "permanently_deleted":
		c.Operation = event.OpDelete
	case "undeleted", "restored":
		c.Operation = event.OpRestore
	case "merged":
		c.Operation, c.MergedInto = event.OpMerge, c.RecordID
	default:
		c.Operation, c.Fields = event.OpUpdate, zendeskField(d, what)
	}
	return []event.Event{c}, nil
}

// zendeskField is the one field that an event like status_changed is about.
func zendeskField(d *doc, what string) []event.Field {
	name, ok := strings.CutSuffix(what, "_changed")
	current, told := d.sub("event").m["current"]
	if !ok || !told {
		return nil
	}
	return []event.Field{{Name: name, Value: wire.Value(jsontext.Value(current))}}
}
