package warehouse

import "plumbline.dev/schemas/event"

func changesTable() *Table {
	type E = *event.Change
	cols := []Column{
		id("event_id", func(e E) string { return e.ID }),
		tenant(func(e E) string { return e.Tenant }),
		id("integration", func(e E) string { return e.Integration }),
		text("side", func(e E) string { return e.Side }),
		text("system", func(e E) string { return e.System }),
		text("account", func(e E) string { return e.Account }),
		text("object", func(e E) string { return e.Object }),
		id("record_id", func(e E) string { return e.RecordID }),
		id("record_key", func(e E) string { return e.RecordKey }),
		text("operation", func(e E) string { return e.Operation }),
		at("changed_at", func(e E) event.Time { return e.ChangedAt }),
		at("received_at", func(e E) event.Time { return e.ReceivedAt }),
		text("time_basis", func(e E) string { return e.TimeBasis }),
		fields("fields", func(e E) []event.Field { return e.Fields }),
		text("token", func(e E) string { return e.Token }),
		text("hook", func(e E) string { return e.Hook }),
		id("external_id", func(e E) string { return e.ExternalID }),
		id("merged_into", func(e E) string { return e.MergedInto }),
		texts("merged_ids", func(e E) []string { return e.MergedIDs }),
		id("related_id", func(e E) string { return e.RelatedID }),
		text("relation", func(e E) string { return e.Relation }),
		flag("removed", func(e E) bool { return e.Removed }),
		uint64s("body_hash", func(e E) uint64 { return e.BodyHash }),
	}
	return define(Table{
		Name: "changes", Type: event.TypeChange, month: received(func(e E) event.Time { return e.ReceivedAt }),
		columns: append(cols, actor(func(e E) event.Actor { return e.Actor })...),
	})
}
