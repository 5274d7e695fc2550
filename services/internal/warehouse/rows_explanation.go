package warehouse

import "plumbline.dev/schemas/event"

// explanationsTable has no months: an explanation keeps its id while it
// changes, and its versions must meet in one partition.
func explanationsTable() *Table {
	type E = *event.Explanation
	return define(Table{
		Name: "explanations", Type: event.TypeExplanation,
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: []Column{
			id("explanation_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("object", func(e E) string { return e.Object }),
			text("field", func(e E) string { return e.Field }),
			text("kind", func(e E) string { return e.Kind }),
			id("cause_id", func(e E) string { return e.CauseID }),
			text("cause", func(e E) string { return e.Cause }),
			maybe("cause_at", func(e E) event.Time { return e.CauseAt }),
			maybe("first_at", func(e E) event.Time { return e.FirstAt }),
			count("rank", func(e E) int { return e.Rank }),
			at("began_from", func(e E) event.Time { return e.From }),
			maybe("began_to", func(e E) event.Time { return e.To }),
			text("by_kind", func(e E) string { return e.By.Kind }),
			text("by_id", func(e E) string { return e.By.ID }),
			text("by_run", func(e E) string { return e.By.Run }),
			int64s("divergences", func(e E) int64 { return e.Divergences }),
			int64s("of", func(e E) int64 { return e.Of }),
			int64s("changes", func(e E) int64 { return e.Exposed }),
			int64s("outside", func(e E) int64 { return e.Outside }),
			int64s("outside_changes", func(e E) int64 { return e.OutsideOf }),
			float64s("risk_ratio", func(e E) float64 { return e.Ratio }),
			float64s("risk_ratio_low", func(e E) float64 { return e.Low }),
			float64s("risk_ratio_high", func(e E) float64 { return e.High }),
			text("sentence", func(e E) string { return e.Sentence }),
			text("first_step", func(e E) string { return e.FirstStep }),
			text("sql", func(e E) string { return e.SQL }),
			at("updated_at", func(e E) event.Time { return e.UpdatedAt }),
			uint64s("version", func(e E) uint64 { return e.Version }),
		},
	})
}
