package sources

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Outreach decodes webhooks, whose attributes are only those that changed.
// Outreach never repeats what was not answered: what the spool does not take
// is lost to the hook and found by reconciling.
var Outreach = elements(outreach)

var outreachOps = map[string]string{"created": event.OpCreate, "updated": event.OpUpdate, "destroyed": event.OpDelete}

func outreach(d *doc, m Meta) ([]event.Event, error) {
	name := d.text("meta", "eventName")
	c := m.change("outreach")
	if c.Operation = outreachOps[name[strings.LastIndexByte(name, '.')+1:]]; c.Operation == "" {
		return nil, nil
	}
	attributes := d.sub("data", "attributes")
	c.Object, c.RecordID, c.BodyHash = d.need("data", "type"), d.need("data", "id"), d.hash("meta")
	if c.ChangedAt = attributes.at("updatedAt"); c.ChangedAt == 0 {
		c.ChangedAt, c.TimeBasis = or(d.at("meta", "deliveredAt"), m.ReceivedAt), event.TimeReceived
	}
	c.ID = event.Hash("outreach", name, c.RecordID, or(attributes.id("updatedAt"), d.id("meta", "jobId")))
	if c.Operation != event.OpDelete {
		c.Fields = attributes.fields("createdAt", "updatedAt")
	}
	if d.err == nil {
		d.err = attributes.err
	}
	return []event.Event{c}, nil
}
