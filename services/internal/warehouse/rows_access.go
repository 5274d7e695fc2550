package warehouse

import "plumbline.dev/schemas/event"

func accessesTable() *Table {
	type E = *event.Access
	return define(Table{
		Name: "accesses", Type: event.TypeAccess, month: received(func(e E) event.Time { return e.ReceivedAt }),
		columns: append([]Column{
			id("access_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(E) string { return "" }),
			text("system", func(e E) string { return e.System }),
			text("account", func(e E) string { return e.Account }),
			text("token", func(e E) string { return e.Token }),
			at("at", func(e E) event.Time { return e.At }),
			at("received_at", func(e E) event.Time { return e.ReceivedAt }),
			text("operation", func(e E) string { return e.Operation }),
			text("object", func(e E) string { return e.Object }),
			int64s("rows", func(e E) int64 { return e.Rows }),
			int64s("calls", func(e E) int64 { return max(e.Calls, 1) }),
			text("network", func(e E) string { return e.Network }),
			text("user_agent", func(e E) string { return e.Agent }),
			flag("failed", func(e E) bool { return e.Failed }),
			text("sender", func(e E) string { return e.Sender }),
		}, actor(func(e E) event.Actor { return e.Actor })...),
	})
}
