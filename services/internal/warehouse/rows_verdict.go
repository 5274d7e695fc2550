package warehouse

import "plumbline.dev/schemas/event"

func verdictsTable() *Table {
	type E = *event.CauseVerdict
	return define(Table{
		Name: "verdicts", Type: event.TypeVerdict, month: received(func(e E) event.Time { return e.Start }),
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: []Column{
			id("verdict_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("provider", func(e E) string { return e.Provider }),
			text("token", func(e E) string { return e.Token }),
			text("class", func(e E) string { return e.Class }),
			text("attribution", func(e E) string { return e.Attribution }),
			text("recoverability", func(e E) string { return e.Recoverability }),
			flag("decided", func(e E) bool { return e.Decided }),
			float64s("confidence", func(e E) float64 { return e.Confidence }),
			text("evidence", func(e E) string { return e.Evidence }),
			text("first_step", func(e E) string { return e.FirstStep }),
			text("scope", func(e E) string { return e.Scope }),
			int64s("failures", func(e E) int64 { return e.Failures }),
			at("started_at", func(e E) event.Time { return e.Start }),
			maybe("ended_at", func(e E) event.Time { return e.End }),
			maybe("decided_at", func(e E) event.Time { return e.DecidedAt }),
			count("revision", func(e E) int { return e.Revision }),
			uint64s("version", func(e E) uint64 { return e.Version }),
		},
	})
}
