package warehouse

import "plumbline.dev/schemas/event"

// agentStatesTable has no months: there are few agents, and each has one row.
func agentStatesTable() *Table {
	type E = *event.AgentState
	return define(Table{
		Name: "agent_states", Type: event.TypeAgentState,
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: []Column{
			id("agent_key", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("kind", func(e E) string { return e.Kind }),
			text("agent", func(e E) string { return e.Agent }),
			text("state", func(e E) string { return e.State }),
			at("since", func(e E) event.Time { return e.Since }),
			maybe("onset_at", func(e E) event.Time { return e.OnsetAt }),
			text("rule", func(e E) string { return e.Rule }),
			text("reason", func(e E) string { return e.Reason }),
			text("object", func(e E) string { return e.Object }),
			text("field", func(e E) string { return e.Field }),
			text("run", func(e E) string { return e.Run }),
			text("token", func(e E) string { return e.Token }),
			float64s("value", func(e E) float64 { return e.Value }),
			float64s("allowed", func(e E) float64 { return e.Limit }),
			int64s("writes_1m", func(e E) int64 { return e.Minute }),
			int64s("writes_1h", func(e E) int64 { return e.Hour }),
			int64s("writes_24h", func(e E) int64 { return e.Day }),
			int64s("writes_run", func(e E) int64 { return e.RunWrites }),
			text("reset_by", func(e E) string { return e.ResetBy }),
			at("updated_at", func(e E) event.Time { return e.UpdatedAt }),
			uint64s("version", func(e E) uint64 { return e.Version }),
		},
	})
}
