package sources

import (
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Statuspage decodes what a vendor's status page says: a webhook about an
// incident or a component, a summary, or a list of Salesforce's Trust
// incidents that somebody fetched.
var Statuspage = elements(statuspage)

func statuspage(d *doc, m Meta) ([]event.Event, error) {
	switch {
	case d.has("incident"):
		return []event.Event{pageIncident(d.sub("incident"), d, m)}, nil
	case d.has("component_update"):
		return []event.Event{pageComponent(d, m)}, nil
	case d.has("incidents") && d.has("page"):
		var out []event.Event
		for _, i := range d.objects("incidents") {
			out = append(out, pageIncident(i, d, m))
		}
		return out, nil
	case d.has("externalId") && d.has("IncidentImpacts"):
		return []event.Event{trustIncident(d, m)}, nil
	}
	return nil, nil
}

// pageIncident is one update of an incident: an incident is the rows that
// share its id in detail.
func pageIncident(i, d *doc, m Meta) *event.Signal {
	id, status := i.need("id"), i.text("status")
	s := m.signal(event.SignalVendorIncident, i.text("name")+" ("+status+")")
	s.ID = event.Hash("statuspage", m.System, id, status, i.id("updated_at"))
	s.StartedAt = or(i.at("started_at"), i.at("created_at"), s.StartedAt)
	s.EndedAt, s.BodyHash = i.at("resolved_at"), i.hash()
	if s.EndedAt == 0 && (status == "resolved" || status == "completed" || status == "postmortem") {
		s.EndedAt = or(i.at("updated_at"), m.ReceivedAt)
	}
	s.Detail = details("incident_id", id, "status", status, "impact", i.text("impact"),
		"page_id", or(i.id("page_id"), d.id("page", "id")), "url", i.text("shortlink"))
	d.err = or(d.err, i.err)
	return s
}

func pageComponent(d *doc, m Meta) *event.Signal {
	u := d.sub("component_update")
	name, status := or(d.text("component", "name"), u.id("component_id")), u.text("new_status")
	s := m.signal(event.SignalVendorIncident, name+" is "+status+", was "+u.text("old_status"))
	s.StartedAt = or(u.at("created_at"), s.StartedAt)
	s.ID, s.BodyHash = event.Hash("statuspage", m.System, "component", or(u.id("id"), u.id("component_id")), status, u.id("created_at")), u.hash()
	if status == "operational" {
		s.EndedAt = s.StartedAt
	}
	s.Detail = details("component", name, "status", status, "page_id", d.id("page", "id"))
	d.err = or(d.err, u.err)
	return s
}

// trustIncident is an incident of Salesforce's Trust API.
func trustIncident(d *doc, m Meta) *event.Signal {
	status, kind := d.text("status"), d.text("type")
	s := m.signal(event.SignalVendorIncident, "Salesforce "+kind+" ("+status+")")
	s.ID, s.BodyHash = event.Hash("trust", m.System, d.need("id"), status, d.id("updatedAt")), d.hash()
	s.StartedAt = or(d.at("createdAt"), s.StartedAt)
	for _, impact := range d.objects("IncidentImpacts") {
		s.StartedAt, s.EndedAt = or(impact.at("startTime"), s.StartedAt), impact.at("endTime")
	}
	if status == "Resolved" {
		s.EndedAt = or(s.EndedAt, d.at("updatedAt"))
	}
	s.Detail = details("incident_id", d.id("externalId"), "status", status, "type", kind)
	return s
}

// details are pairs of name and text; an empty text says nothing.
func details(pairs ...string) []event.Field {
	var out []event.Field
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			out = append(out, event.Field{Name: pairs[i], Value: event.Value{Text: pairs[i+1]}})
		}
	}
	wire.SortFields(out)
	return out
}
