package warehouse

import "plumbline.dev/schemas/event"

func failuresTable() *Table {
	type E = *event.Failure
	cols := []Column{
		id("failure_id", func(e E) string { return e.ID }),
		tenant(func(e E) string { return e.Tenant }),
		id("integration", func(e E) string { return e.Integration }),
		id("attempt_id", func(e E) string { return e.AttemptID }),
		id("delivery_id", func(e E) string { return e.DeliveryID }),
		id("incident_id", func(e E) string { return e.IncidentID }),
		id("record_key", func(e E) string { return e.RecordKey }),
		id("source_id", func(e E) string { return e.SourceID }),
		id("target_id", func(e E) string { return e.TargetID }),
		text("provider", func(e E) string { return e.Provider }),
		text("object", func(e E) string { return e.Object }),
		text("operation", func(e E) string { return e.Operation }),
		at("occurred_at", func(e E) event.Time { return e.OccurredAt }),
		at("received_at", func(e E) event.Time { return e.ReceivedAt }),
		text("origin", func(e E) string { return e.Origin }),
		status(func(e E) int { return e.Status }),
		text("code", func(e E) string { return e.Code }),
		text("message", func(e E) string { return e.Message }),
		text("token", func(e E) string { return e.Token }),
		uint64s("version", func(e E) uint64 { return e.Version }),
	}
	cols = append(cols, verdict(func(e E) *event.Verdict { return &e.Verdict })...)
	return define(Table{
		Name: "failures", Type: event.TypeFailure, month: received(func(e E) event.Time { return e.ReceivedAt }),
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: append(cols, actor(func(e E) event.Actor { return e.Actor })...),
	})
}

func verdict[E event.Event](get func(E) *event.Verdict) []Column {
	return []Column{
		text("class", func(e E) string { return get(e).Class }),
		text("recoverability", func(e E) string { return get(e).Recoverability }),
		text("attribution", func(e E) string { return get(e).Attribution }),
		float64s("confidence", func(e E) float64 { return get(e).Confidence }),
		text("rule", func(e E) string { return get(e).Rule }),
		text("evidence", func(e E) string { return get(e).Evidence }),
		text("fingerprint", func(e E) string { return get(e).Fingerprint }),
		text("classifier_version", func(e E) string { return get(e).Version }),
		text("first_step", func(e E) string { return get(e).FirstStep }),
		text("likely_cause", func(e E) string { return get(e).LikelyCause }),
		flag("collateral", func(e E) bool { return get(e).Collateral }),
	}
}
