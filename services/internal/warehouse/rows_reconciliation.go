package warehouse

import "plumbline.dev/schemas/event"

// reconciliationsTable has no months: the few rows a run writes are all kept.
func reconciliationsTable() *Table {
	type E = *event.Reconciliation
	return define(Table{
		Name: "reconciliations", Type: event.TypeReconciliation,
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: []Column{
			id("reconciliation_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("object", func(e E) string { return e.Object }),
			text("field", func(e E) string { return e.Field }),
			id("run", func(e E) string { return e.Run }),
			text("state", func(e E) string { return e.State }),
			text("reason", func(e E) string { return e.Reason }),
			flag("critical", func(e E) bool { return e.Critical }),
			int64s("schedule_ms", func(e E) int64 { return e.ScheduleMS }),
			at("started_at", func(e E) event.Time { return e.StartedAt }),
			maybe("ended_at", func(e E) event.Time { return e.EndedAt }),
			int64s("source_records", func(e E) int64 { return e.SourceRecords }),
			int64s("target_records", func(e E) int64 { return e.TargetRecords }),
			int64s("source_count", func(e E) int64 { return e.SourceCount }),
			int64s("target_count", func(e E) int64 { return e.TargetCount }),
			int64s("compared", func(e E) int64 { return e.Compared }),
			int64s("equal", func(e E) int64 { return e.Equal }),
			int64s("different", func(e E) int64 { return e.Different }),
			int64s("in_flight", func(e E) int64 { return e.InFlight }),
			int64s("accepted", func(e E) int64 { return e.Accepted }),
			int64s("missing_in_target", func(e E) int64 { return e.MissingInTarget }),
			int64s("missing_in_source", func(e E) int64 { return e.MissingInSource }),
			int64s("duplicates", func(e E) int64 { return e.Duplicates }),
			int64s("unlinkable", func(e E) int64 { return e.Unlinkable }),
			int64s("out_of_scope", func(e E) int64 { return e.OutOfScope }),
			float64s("share", func(e E) float64 { return e.Share }),
			maybe("compared_through", func(e E) event.Time { return e.ComparedThrough }),
			maybe("equal_through", func(e E) event.Time { return e.EqualThrough }),
			text("blocked_by", func(e E) string { return e.BlockedBy }),
			int64s("calls", func(e E) int64 { return e.Calls }),
			at("updated_at", func(e E) event.Time { return e.UpdatedAt }),
			uint64s("version", func(e E) uint64 { return e.Version }),
		},
	})
}
