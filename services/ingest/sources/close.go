package sources

import "plumbline.dev/schemas/event"

// Close decodes Close's webhooks, one event a body, with times in UTC that do
// not say so.
var Close = elements(closeEvent)

var closeOps = map[string]string{
	"created": event.OpCreate, "updated": event.OpUpdate, "deleted": event.OpDelete, "merged": event.OpMerge,
}

func closeEvent(d *doc, m Meta) ([]event.Event, error) {
	e := d.sub("event")
	if !d.has("event") {
		d.fail([]string{"event"}, errMissing)
		return nil, nil
	}
	c := m.change("close")
	if c.Operation = closeOps[e.text("action")]; c.Operation == "" {
		return nil, nil
	}
	c.ID, c.Object, c.RecordID = e.need("id"), e.need("object_type"), or(e.id("object_id"), closeID(e))
	c.Account = or(e.id("organization_id"), m.Account)
	c.ChangedAt = or(e.utc("date_updated"), e.utc("date_created"))
	c.BodyHash = d.hash()
	c.Actor = event.Actor{Kind: event.ActorUnknown, ID: e.id("user_id")}
	if c.Token = or(e.id("api_key_id"), e.id("oauth_client_id")); c.Token != "" {
		c.Actor.Kind = event.ActorIntegration
	} else if c.Actor.ID != "" {
		c.Actor.Kind = event.ActorUser
	}
	data, changed := e.sub("data"), map[string]bool{}
	for _, name := range e.ids("changed_fields") {
		changed[name] = true
	}
	switch c.Operation {
	case event.OpCreate:
		c.Fields = data.fields()
	case event.OpUpdate:
		c.Fields = data.fieldsOf(func(name string) bool { return changed[name] })
	case event.OpMerge:
		c.MergedInto = c.RecordID
	}
	if d.err == nil {
		d.err = e.err
	}
	return []event.Event{c}, nil
}

// closeID is the record's id in the address that was called, where the event
// names none.
func closeID(e *doc) string {
	path := e.text("meta", "request_path")
	if i := len(path) - 1; i >= 0 && path[i] == '/' {
		path = path[:i]
	}
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			return path[i+1:]
		}
	}
	return ""
}
