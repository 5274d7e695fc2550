package warehouse

import "plumbline.dev/schemas/event"

func observationsTable() *Table {
	type E = *event.Observation
	return define(Table{
		Name: "observations", Type: event.TypeObservation, month: received(func(e E) event.Time { return e.ReceivedAt }),
		columns: []Column{
			id("observation_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("side", func(e E) string { return e.Side }),
			text("system", func(e E) string { return e.System }),
			text("account", func(e E) string { return e.Account }),
			text("object", func(e E) string { return e.Object }),
			id("record_id", func(e E) string { return e.RecordID }),
			id("record_key", func(e E) string { return e.RecordKey }),
			at("observed_at", func(e E) event.Time { return e.ObservedAt }),
			at("received_at", func(e E) event.Time { return e.ReceivedAt }),
			maybe("modified_at", func(e E) event.Time { return e.ModifiedAt }),
			int64s("resolution_ms", func(e E) int64 { return e.ResolutionMS }),
			text("found_by", func(e E) string { return e.FoundBy }),
			flag("whole", func(e E) bool { return e.Whole }),
			flag("missing", func(e E) bool { return e.Missing }),
			fields("fields", func(e E) []event.Field { return e.Fields }),
			text("writer_kind", func(e E) string { return e.Writer.Kind }),
			text("writer_id", func(e E) string { return e.Writer.ID }),
			id("external_id", func(e E) string { return e.ExternalID }),
			uint64s("body_hash", func(e E) uint64 { return e.BodyHash }),
		},
	})
}
