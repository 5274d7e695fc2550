package warehouse

import "plumbline.dev/schemas/event"

func deliveriesTable() *Table {
	type E = *event.Delivery
	cols := []Column{
		id("delivery_id", func(e E) string { return e.ID }),
		tenant(func(e E) string { return e.Tenant }),
		id("integration", func(e E) string { return e.Integration }),
		text("object", func(e E) string { return e.Object }),
		id("record_key", func(e E) string { return e.RecordKey }),
		id("source_id", func(e E) string { return e.SourceID }),
		id("target_id", func(e E) string { return e.TargetID }),
		id("change_id", func(e E) string { return e.ChangeID }),
		text("operation", func(e E) string { return e.Operation }),
		text("state", func(e E) string { return e.State }),
		at("changed_at", func(e E) event.Time { return e.ChangedAt }),
		at("received_at", func(e E) event.Time { return e.ReceivedAt }),
		maybe("due_at", func(e E) event.Time { return e.DueAt }),
		maybe("first_attempt_at", func(e E) event.Time { return e.FirstAttemptAt }),
		maybe("acknowledged_at", func(e E) event.Time { return e.AcknowledgedAt }),
		maybe("applied_at", func(e E) event.Time { return e.AppliedAt }),
		maybe("verified_at", func(e E) event.Time { return e.VerifiedAt }),
		nullable("latency_ms", latency),
		text("latency_basis", func(e E) string { return e.LatencyBasis }),
		text("start_basis", func(e E) string { return e.StartBasis }),
		int64s("resolution_ms", func(e E) int64 { return e.ResolutionMS }),
		count("attempts", func(e E) int { return e.Attempts }),
		flag("late", func(e E) bool { return e.Late }),
		flag("coerced", func(e E) bool { return e.Coerced }),
		text("series", func(e E) string { return e.Series }),
		id("superseded_by", func(e E) string { return e.SupersededBy }),
		at("updated_at", func(e E) event.Time { return e.UpdatedAt }),
		uint64s("version", func(e E) uint64 { return e.Version }),
	}
	return define(Table{
		Name: "deliveries", Type: event.TypeDelivery, month: received(func(e E) event.Time { return e.ReceivedAt }),
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: append(cols, actor(func(e E) event.Actor { return e.Actor })...),
	})
}

// latency is null until there is one: 0 ms is a latency too.
func latency(e *event.Delivery) (ms int64, known bool) { return e.LatencyMS, e.LatencyBasis != "" }
