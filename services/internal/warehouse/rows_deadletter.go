package warehouse

import "plumbline.dev/schemas/event"

func deadLettersTable() *Table {
	type E = *event.DeadLetter
	return define(Table{
		Name: "dead_letters", Type: event.TypeDeadLetter, month: received(func(e E) event.Time { return e.ReceivedAt }),
		columns: []Column{
			id("dead_letter_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			// What could not be decoded belongs to no integration yet.
			text("integration", func(E) string { return "" }),
			text("origin", func(e E) string { return e.Origin }),
			count("index", func(e E) int { return e.Index }),
			text("reason", func(e E) string { return e.Reason }),
			text("code", func(e E) string { return e.Code }),
			at("received_at", func(e E) event.Time { return e.ReceivedAt }),
			// A String holds any bytes; these are kept as they came.
			raw("bytes", func(e E) []byte { return e.Bytes }),
			flag("sealed", func(e E) bool { return e.Sealed }),
			text("key_id", func(e E) string { return e.KeyID }),
			text("batch", func(e E) string { return e.Batch }),
		},
	})
}
