package sources

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Airbyte decodes notifications. They are posted once: a missed one is only
// seen by the schedule.
var Airbyte = elements(airbyte)

func airbyte(d *doc, m Meta) ([]event.Event, error) {
	if !d.has("data") {
		return airbyteText(d, m), nil
	}
	data := d.sub("data")
	a, err := m.run(data.id("connection", "id"), data.id("connection", "name"))
	if err != nil {
		return nil, err
	}
	job := data.need("jobId")
	a.ID, a.BodyHash = event.Hash("airbyte", data.id("connection", "id"), job, data.id("finishedAt")), data.hash()
	a.OccurredAt, a.CallID = or(data.at("finishedAt"), a.OccurredAt), job
	a.RecordsOK, a.DurationMS = data.whole("recordsCommitted"), 1000*data.whole("durationInSeconds")
	if !data.flag("success") {
		failed(a, data.id("errorType"), data.text("errorMessage"))
		if origin := data.text("errorOrigin"); origin != "" {
			a.Message = origin + ": " + a.Message
		}
		a.RecordsFailed = max(data.whole("recordsEmitted")-data.whole("recordsFilteredOut")-a.RecordsOK, 0)
	}
	if d.err == nil {
		d.err = data.err
	}
	return []event.Event{a}, nil
}

// airbyteText reads what only people were meant to: a connection that was
// switched off, a schema that changed.
func airbyteText(d *doc, m Meta) []event.Event {
	text := d.text("text")
	kind := ""
	switch lower := strings.ToLower(text); {
	case strings.Contains(lower, "schema"):
		kind = event.SignalSchemaChange
	case strings.Contains(lower, "disabled"), strings.Contains(lower, "will be disabled"):
		kind = event.SignalSourceQuiet
	default:
		return nil
	}
	s := m.signal(kind, text)
	s.ID, s.BodyHash = event.Hash(d.content("airbyte"), m.ReceivedAt.String()), d.hash()
	s.Integration = m.Integration
	return []event.Event{s}
}
