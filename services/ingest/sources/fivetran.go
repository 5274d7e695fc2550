package sources

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Fivetran decodes connector events. The test event that it posts when a
// webhook is made has no sync and has to be answered 2xx.
var Fivetran = elements(fivetran)

func fivetran(d *doc, m Meta) ([]event.Event, error) {
	kind, connector := d.text("event"), d.id("connector_id")
	switch kind {
	case "sync_end", "connection_failure":
	case "pause_connector", "delete_connector":
		return fivetranSignal(d, m, event.SignalSourceQuiet, kind)
	case "edit_connector", "create_connector":
		return fivetranSignal(d, m, event.SignalMappingChange, kind)
	default:
		return nil, nil
	}
	a, err := m.run(connector, d.id("connector_name"))
	if err != nil {
		return nil, err
	}
	sync := or(d.id("sync_id"), d.id("created"))
	a.ID, a.BodyHash, a.CallID = event.Hash("fivetran", connector, kind, sync), d.hash(), d.id("sync_id")
	a.OccurredAt = or(d.at("created"), a.OccurredAt)
	if status := d.text("data", "status"); kind == "connection_failure" || !strings.EqualFold(status, "SUCCESSFUL") {
		failed(a, or(status, kind), or(d.text("data", "reason"), d.text("data", "taskType")))
	}
	return []event.Event{a}, nil
}

func fivetranSignal(d *doc, m Meta, kind, what string) ([]event.Event, error) {
	s := m.signal(kind, "Fivetran: "+what+" "+d.id("connector_name"))
	s.ID, s.BodyHash, s.StartedAt = event.Hash("fivetran", d.id("connector_id"), what, d.id("created")), d.hash(), or(d.at("created"), s.StartedAt)
	s.Integration, _ = m.integration(d.id("connector_id"), d.id("connector_name"))
	return []event.Event{s}, nil
}
