package sources

import (
	"strings"

	"plumbline.dev/schemas/event"
)

// Merge decodes what Merge says about linked accounts and their issues.
// Events about its common models are ignored: they name Merge's ids, not the
// CRM's.
var Merge = elements(merge)

func merge(d *doc, m Meta) ([]event.Event, error) {
	kind, account := d.text("hook", "event"), d.id("linked_account", "id")
	names := []string{account, d.id("linked_account", "end_user_origin_id"), d.id("linked_account", "integration")}
	once := event.Hash(d.content("merge"), m.ReceivedAt.String()) // nothing tells two equal bodies apart
	switch {
	case kind == "LinkedAccount.synced":
		a, err := m.run(names...)
		if err != nil {
			return nil, err
		}
		a.ID, a.BodyHash, a.Operation = once, d.hash(), event.OpRead
		if status := d.text("linked_account", "status"); status != "" && status != "COMPLETE" {
			failed(a, status, "Merge: linked account "+account+" is "+status)
		}
		return []event.Event{a}, nil
	case kind == "LinkedAccount.linked":
		return mergeSignal(d, m, event.SignalTokenRotation, once, names), nil
	case kind == "LinkedAccount.deleted":
		return mergeSignal(d, m, event.SignalSourceQuiet, once, names), nil
	case strings.HasPrefix(kind, "Issue."):
		return mergeSignal(d, m, event.SignalSourceStalled, once, names), nil
	}
	return nil, nil
}

func mergeSignal(d *doc, m Meta, kind, id string, names []string) []event.Event {
	what := d.text("hook", "event")
	s := m.signal(kind, strings.TrimSpace("Merge: "+what+" "+or(d.text("data", "error_description"), d.text("data", "status"))))
	s.ID, s.BodyHash, s.Token = id, d.hash(), names[0]
	if what == "Issue.resolved" {
		s.EndedAt = m.ReceivedAt
	}
	s.Integration, _ = m.integration(names...)
	return []event.Event{s}
}
