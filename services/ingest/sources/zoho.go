package sources

import "plumbline.dev/schemas/event"

// Zoho decodes notifications: several records a body, the time they were sent
// and not the time of the change, and nobody who made it.
var Zoho = elements(zoho)

var zohoOps = map[string]string{"insert": event.OpCreate, "update": event.OpUpdate, "delete": event.OpDelete}

func zoho(d *doc, m Meta) ([]event.Event, error) {
	op := zohoOps[d.text("operation")]
	if op == "" {
		return nil, nil
	}
	c := m.change("zoho")
	c.Operation, c.Object, c.TimeBasis = op, d.need("module"), event.TimeReceived
	c.ChangedAt = or(d.at("server_time"), m.ReceivedAt)
	c.BodyHash = d.hash("token")
	values := map[string][]event.Field{}
	for _, v := range d.objects("affected_values") {
		values[v.id("record_id")] = v.sub("values").fields()
	}
	var out []event.Event
	for _, id := range d.ids("ids") {
		one := *c
		one.RecordID, one.Fields = id, values[id]
		one.ID = event.Hash("zoho", d.id("channel_id"), c.Object, op, id, d.id("server_time"))
		out = append(out, &one)
	}
	if len(out) == 0 {
		d.fail([]string{"ids"}, errMissing)
	}
	return out, nil
}

// ZohoToken is the secret that Zoho repeats in the body: it signs nothing.
func ZohoToken(body []byte) string {
	d, err := open(body)
	if err != nil {
		return ""
	}
	return d.text("token")
}
