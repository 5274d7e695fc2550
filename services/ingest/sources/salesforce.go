package sources

import (
	"errors"
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// SalesforceCDC decodes Change Data Capture events in the nestings that
// relays give them: bare, in payload, data.payload (CometD) or detail.payload
// (EventBridge).
var SalesforceCDC = elements(salesforceCDC)

const cdcHeader = "ChangeEventHeader"

var cdcOps = map[string]string{
	"CREATE": event.OpCreate, "UPDATE": event.OpUpdate, "DELETE": event.OpDelete, "UNDELETE": event.OpRestore,
}

func salesforceCDC(d *doc, m Meta) ([]event.Event, error) {
	payload := d
	for _, path := range [][]string{{"payload"}, {"data", "payload"}, {"detail", "payload"}} {
		if !payload.has(cdcHeader) {
			payload = d.sub(path...)
		}
	}
	if why := d.text("undecodable"); why != "" { // the stream's reader says so
		return nil, errors.New(why)
	}
	if !payload.has(cdcHeader) {
		d.fail([]string{cdcHeader}, errMissing)
		return nil, nil
	}
	h := payload.sub(cdcHeader)
	c := m.change("salesforce")
	c.Account = salesforceID(or(eventBridgeOrg(d.text("source")), m.Account))
	c.Object, c.ChangedAt, c.BodyHash = h.need("entityName"), h.at("commitTimestamp"), payload.hash()
	c.Actor, c.Token = salesforceActor(h)
	c.Commit, c.Transaction, c.Sequence = h.whole("commitNumber"), h.id("transactionKey"), h.whole("sequenceNumber")
	c.Position = or(d.id("event", "replayId"), d.id("data", "event", "replayId"))
	kind, gap := strings.CutPrefix(h.text("changeType"), "GAP_")
	c.Operation = cdcOps[kind]
	ids := h.ids("recordIds")
	whole := c.Account + "\x1f" + h.id("transactionKey") + "\x1f" + h.id("sequenceNumber")
	c.ID = event.Hash("salesforce", whole, c.Object)
	if d.err == nil {
		d.err = h.err
	}
	out := []event.Event{}
	switch {
	case c.Operation == "" && kind != "OVERFLOW":
		return nil, nil
	case kind == "OVERFLOW":
		return append(out, m.whole(c, "Salesforce stopped listing changes of "+c.Object+": one transaction had too many; compare the whole object")), nil
	case gap:
		out = append(out, m.lossy(c, "Salesforce says that records of "+c.Object+" changed, but not what: read them again"))
	default:
		c.Fields = cdcFields(h, payload)
	}
	for _, id := range ids {
		if strings.HasSuffix(id, "*") { // every record with this prefix
			out = append(out, m.whole(c, "Salesforce changed all records "+id+" of "+c.Object+" at once: compare the whole object"))
			continue
		}
		one := *c
		one.RecordID, one.ID = id, event.Hash("salesforce", whole, c.Object, id)
		out = append(out, &one)
	}
	if len(out) == 0 {
		d.fail([]string{"recordIds"}, errMissing)
	}
	return out, nil
}

// cdcFields are the changed ones of an update, all of a new record.
func cdcFields(h, payload *doc) []event.Field {
	changed := map[string]bool{}
	for _, name := range append(h.ids("changedFields"), h.ids("nulledFields")...) {
		changed[name] = true
	}
	all := len(changed) == 0
	var out []event.Field
	for _, name := range payload.names {
		if name == cdcHeader {
			continue
		}
		if v := payload.m[name]; v[0] == '{' {
			inner := payload.sub(name)
			for _, f := range inner.fields() {
				if all || changed[name] || changed[name+"."+f.Name] {
					f.Name = flatName(name, f.Name)
					out = append(out, f)
				}
			}
			continue
		}
		if all || changed[name] {
			out = append(out, event.Field{Name: name, Value: wire.Value(payload.m[name])})
		}
	}
	wire.SortFields(out)
	return out
}

// flatName is the API name of a part of a compound field: Name.LastName is
// LastName, MailingAddress.Street is MailingStreet.
func flatName(compound, part string) string {
	if compound == "Name" {
		return part
	}
	if prefix, ok := strings.CutSuffix(compound, "Address"); ok {
		return prefix + part
	}
	return compound + "." + part
}

// eventBridgeOrg is the org in aws.partner/salesforce.com/<org>/<channel>.
func eventBridgeOrg(source string) string {
	rest, ok := strings.CutPrefix(source, "aws.partner/salesforce.com/")
	if !ok {
		return ""
	}
	org, _, _ := strings.Cut(rest, "/")
	return org
}

// salesforceActor tells people from programs by the origin, as far as it goes:
// Lightning names itself, an API client only if it wants to.
func salesforceActor(h *doc) (event.Actor, string) {
	a := event.Actor{Kind: event.ActorUnknown, ID: h.id("commitUser")}
	origin := h.text("changeOrigin")
	_, client, _ := strings.Cut(origin, ";client=")
	client = strings.TrimSuffix(client, "/")
	switch {
	case client == "SfdcInternalAPI":
		a.Kind = event.ActorUser
		client = ""
	case strings.HasPrefix(origin, "com/salesforce/api/"):
		a.Kind = event.ActorIntegration
	}
	return a, client
}

// salesforceID gives a 15-character id the three that make it safe where case
// is ignored: both are one record.
func salesforceID(id string) string {
	if len(id) != 15 {
		return id
	}
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	out := []byte(id)
	for part := 0; part < 15; part += 5 {
		bits := 0
		for i := range 5 {
			if c := id[part+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		out = append(out, letters[bits])
	}
	return string(out)
}
