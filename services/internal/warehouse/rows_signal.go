package warehouse

import "plumbline.dev/schemas/event"

func signalsTable() *Table {
	type E = *event.Signal
	cols := []Column{
		id("signal_id", func(e E) string { return e.ID }),
		tenant(func(e E) string { return e.Tenant }),
		id("integration", func(e E) string { return e.Integration }),
		text("kind", func(e E) string { return e.Kind }),
		text("system", func(e E) string { return e.System }),
		text("object", func(e E) string { return e.Object }),
		text("field", func(e E) string { return e.Field }),
		at("started_at", func(e E) event.Time { return e.StartedAt }),
		maybe("ended_at", func(e E) event.Time { return e.EndedAt }),
		at("received_at", func(e E) event.Time { return e.ReceivedAt }),
		text("summary", func(e E) string { return e.Summary }),
		fields("detail", func(e E) []event.Field { return e.Detail }),
		text("token", func(e E) string { return e.Token }),
		text("sender", func(e E) string { return e.Sender }),
	}
	return define(Table{
		Name: "signals", Type: event.TypeSignal, month: received(func(e E) event.Time { return e.ReceivedAt }),
		columns: append(cols, actor(func(e E) event.Actor { return e.Actor })...),
	})
}
