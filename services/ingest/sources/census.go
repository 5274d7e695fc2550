package sources

import (
	"strings"

	"plumbline.dev/schemas/event"
	"plumbline.dev/services/ingest/wire"
)

// Census decodes sync events (Fivetran Activations sends the same). Its
// bodies hold no time.
var Census = elements(census)

func census(d *doc, m Meta) ([]event.Event, error) {
	kind := d.text("event")
	switch kind {
	case "sync.completed", "sync.success", "sync.failed":
		return censusRun(d, m, kind)
	case "sync.alert.raised", "sync.alert.resolved":
		s := m.signal(event.SignalSourceStalled, "Census: "+d.text("message"))
		s.ID, s.BodyHash = event.Hash("census", "alert", d.need("alert_instance_id"), kind), d.hash()
		if kind == "sync.alert.resolved" {
			s.EndedAt = m.ReceivedAt
		}
		s.Integration, _ = m.integration(d.id("sync_id"))
		return []event.Event{s}, nil
	}
	return nil, nil
}

// censusRun gives one attempt a run: completed comes beside success or failed,
// and is the same news.
func censusRun(d *doc, m Meta, kind string) ([]event.Event, error) {
	a, err := m.run(d.need("sync_id"))
	if err != nil {
		return nil, err
	}
	run := d.need("sync_run_id")
	a.ID, a.CallID = event.Hash("census", d.id("sync_id"), run), run
	if status := strings.ToLower(d.text("status")); kind == "sync.failed" || strings.Contains(status, "fail") || strings.Contains(status, "error") {
		failed(a, "sync.failed", d.text("error_message"))
		a.Message = or(a.Message, "Census reports a failed sync without saying why")
	}
	a.BodyHash = wire.Mix(uint64(len(a.Outcome)), 0)
	return []event.Event{a}, nil
}
