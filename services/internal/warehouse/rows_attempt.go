package warehouse

import "plumbline.dev/schemas/event"

func attemptsTable() *Table {
	type E = *event.Attempt
	cols := []Column{
		id("id", func(e E) string { return e.ID }),
		tenant(func(e E) string { return e.Tenant }),
		id("integration", func(e E) string { return e.Integration }),
		at("occurred_at", func(e E) event.Time { return e.OccurredAt }),
		at("received_at", func(e E) event.Time { return e.ReceivedAt }),
		text("system", func(e E) string { return e.System }),
		text("object", func(e E) string { return e.Object }),
		text("operation", func(e E) string { return e.Operation }),
		id("record_key", func(e E) string { return e.RecordKey }),
		id("delivery_id", func(e E) string { return e.DeliveryID }),
		id("source_id", func(e E) string { return e.SourceID }),
		id("target_id", func(e E) string { return e.TargetID }),
		id("change_id", func(e E) string { return e.ChangeID }),
		id("call_id", func(e E) string { return e.CallID }),
		count("try", func(e E) int { return e.Try }),
		text("retry_of", func(e E) string { return e.RetryOf }),
		text("idempotency_key", func(e E) string { return e.IdempotencyKey }),
		text("granularity", granularity),
		int64s("records_ok", func(e E) int64 { return max(e.RecordsOK, 0) }),
		int64s("records_failed", func(e E) int64 { return max(e.RecordsFailed, 0) }),
		status(func(e E) int { return e.Status }),
		text("code", func(e E) string { return e.Code }),
		text("message", func(e E) string { return e.Message }),
		text("body", func(e E) string { return e.Body }),
		fields("headers", func(e E) []event.Field { return e.Headers }),
		int64s("duration_ms", func(e E) int64 { return e.DurationMS }),
		text("outcome", func(e E) string { return e.Outcome }),
		text("token", func(e E) string { return e.Token }),
		fields("fields", func(e E) []event.Field { return e.Fields }),
		text("sender", func(e E) string { return e.Sender }),
		uint64s("body_hash", func(e E) uint64 { return e.BodyHash }),
	}
	return define(Table{
		Name: "attempts", Type: event.TypeAttempt, month: received(func(e E) event.Time { return e.ReceivedAt }),
		columns: append(cols, actor(func(e E) event.Actor { return e.Actor })...),
	})
}

func granularity(e *event.Attempt) string {
	if e.Granularity == "" {
		return event.GranularityRecord
	}
	return e.Granularity
}
