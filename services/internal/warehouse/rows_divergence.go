package warehouse

import "plumbline.dev/schemas/event"

// divergencesTable has no months: a divergence that comes back keeps its id
// and is first seen again, and both versions must meet in one partition.
func divergencesTable() *Table {
	type E = *event.Divergence
	return define(Table{
		Name: "divergences", Type: event.TypeDivergence,
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: []Column{
			id("divergence_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("object", func(e E) string { return e.Object }),
			id("record_key", func(e E) string { return e.RecordKey }),
			id("source_id", func(e E) string { return e.SourceID }),
			id("target_id", func(e E) string { return e.TargetID }),
			id("delivery_id", func(e E) string { return e.DeliveryID }),
			text("field", func(e E) string { return e.Field }),
			text("kind", func(e E) string { return e.Kind }),
			text("difference", func(e E) string { return e.Difference }),
			text("class", func(e E) string { return e.Class }),
			text("state", func(e E) string { return e.State }),
			text("source_value", func(e E) string { return e.SourceValue.Show() }),
			text("target_value", func(e E) string { return e.TargetValue.Show() }),
			maybe("source_modified_at", func(e E) event.Time { return e.SourceModifiedAt }),
			maybe("target_modified_at", func(e E) event.Time { return e.TargetModifiedAt }),
			text("source_writer", func(e E) string { return writer(e.SourceWriter) }),
			text("target_writer", func(e E) string { return writer(e.TargetWriter) }),
			at("first_seen_at", func(e E) event.Time { return e.FirstSeenAt }),
			maybe("confirmed_at", func(e E) event.Time { return e.ConfirmedAt }),
			maybe("resolved_at", func(e E) event.Time { return e.ResolvedAt }),
			text("found_by", func(e E) string { return e.FoundBy }),
			flag("pre_existing", func(e E) bool { return e.PreExisting }),
			text("accepted_by", func(e E) string { return e.AcceptedBy }),
			text("cause", func(e E) string { return e.Cause }),
			at("began_at", func(e E) event.Time { return e.Began() }),
			text("changed_by", func(e E) string { return writer(e.By()) }),
			text("refused_code", func(e E) string { return e.RefusedCode }),
			text("refused_field", func(e E) string { return e.RefusedField }),
			maybe("made_at", func(e E) event.Time { return e.MadeAt }),
			id("incident_id", func(e E) string { return e.IncidentID }),
			at("updated_at", func(e E) event.Time { return e.UpdatedAt }),
			uint64s("version", func(e E) uint64 { return e.Version }),
		},
	})
}

func writer(a event.Actor) string {
	if a.Kind == "" && a.ID == "" {
		return ""
	}
	return a.Kind + ":" + a.ID
}
