package sources

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Intercom decodes notifications about contacts and companies; conversations
// and pings are ignored.
var Intercom = elements(intercom)

var intercomOps = map[string]string{
	"created": event.OpCreate, "updated": event.OpUpdate, "deleted": event.OpDelete, "archived": event.OpDelete,
	"unarchived": event.OpRestore, "signed_up": event.OpUpdate, "merged": event.OpMerge,
}

func intercom(d *doc, m Meta) ([]event.Event, error) {
	item, topic := d.sub("data", "item"), d.text("topic")
	object := item.text("type")
	c := m.change("intercom")
	c.Operation = intercomOps[topic[strings.LastIndexByte(topic, '.')+1:]]
	if c.Operation == "" || object != "contact" && object != "company" || strings.Contains(topic, ".tag.") {
		return nil, nil
	}
	c.ID, c.Account, c.Object = d.need("id"), or(d.id("app_id"), m.Account), object
	c.RecordID, c.ChangedAt = item.need("id"), d.at("created_at")
	c.Redelivery = int(max(d.whole("delivery_attempts")-1, 0))
	c.BodyHash = d.hash("delivery_attempts", "delivery_status", "delivered_at", "first_sent_at")
	switch c.Operation {
	case event.OpCreate, event.OpUpdate, event.OpRestore: // the record as it is now: nothing says what changed
		c.Fields = item.fields("type", "id")
	case event.OpMerge:
		c.MergedInto = c.RecordID
	}
	if d.err == nil {
		d.err = item.err
	}
	return []event.Event{c}, nil
}
