package warehouse

import (
	"strings"

	"plumbline.dev/schemas/event"
)

func incidentsTable() *Table {
	type E = *event.Incident
	return define(Table{
		Name: "incidents", Type: event.TypeIncident, month: received(func(e E) event.Time { return e.DetectedAt }),
		version: func(e event.Event) uint64 { return e.(E).Version },
		columns: []Column{
			id("incident_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			text("object", func(e E) string { return e.Object }),
			text("fingerprint", func(e E) string { return e.Fingerprint }),
			text("kind", func(e E) string { return e.Kind }),
			text("state", func(e E) string { return e.State }),
			text("priority", func(e E) string { return e.Priority }),
			text("class", func(e E) string { return e.Class }),
			text("attribution", func(e E) string { return e.Attribution }),
			text("recoverability", func(e E) string { return e.Recoverability }),
			float64s("confidence", func(e E) float64 { return e.Confidence }),
			text("provider", func(e E) string { return e.Provider }),
			text("token", func(e E) string { return e.Token }),
			text("title", func(e E) string { return e.Title }),
			text("evidence", func(e E) string { return e.Evidence }),
			text("first_step", func(e E) string { return e.FirstStep }),
			at("onset_at", func(e E) event.Time { return e.OnsetAt }),
			at("detected_at", func(e E) event.Time { return e.DetectedAt }),
			maybe("acknowledged_at", func(e E) event.Time { return e.AcknowledgedAt }),
			text("acknowledged_by", func(e E) string { return e.AcknowledgedBy }),
			maybe("mitigated_at", func(e E) event.Time { return e.MitigatedAt }),
			maybe("resolved_at", func(e E) event.Time { return e.ResolvedAt }),
			text("resolved_by", func(e E) string { return e.ResolvedBy }),
			at("last_at", func(e E) event.Time { return e.LastAt }),
			int64s("failures", func(e E) int64 { return e.Failures }),
			int64s("affected", func(e E) int64 { return e.Affected }),
			int64s("open", func(e E) int64 { return e.Open }),
			int64s("unverified", func(e E) int64 { return e.Unverified }),
			int64s("waived", func(e E) int64 { return e.Waived }),
			texts("records", func(e E) []string { return e.Records }),
			text("predicate", func(e E) string { return e.Predicate }),
			count("reopened", func(e E) int { return e.Reopened }),
			count("recurrence", func(e E) int { return e.Recurrence }),
			text("verdict_id", func(e E) string { return e.VerdictID }),
			texts("fingerprints", func(e E) []string { return e.Fingerprints }),
			texts("steps", func(e E) []string { return steps(e.Steps) }),
			at("updated_at", func(e E) event.Time { return e.UpdatedAt }),
			uint64s("version", func(e E) uint64 { return e.Version }),
		},
	})
}

func steps(list []event.Step) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.Join(strings.Fields(strings.Join([]string{s.At.String(), s.By, s.Step, s.Result, s.Reason}, " ")), " ")
	}
	return out
}

func alertsTable() *Table {
	type E = *event.Alert
	return define(Table{
		Name: "alerts", Type: event.TypeAlert, month: received(func(e E) event.Time { return event.Time(e.ObservedAt) }),
		version: func(e event.Event) uint64 { return uint64(e.(E).Seq) },
		columns: []Column{
			id("alert_id", func(e E) string { return e.ID }),
			tenant(func(e E) string { return e.Tenant }),
			id("integration", func(e E) string { return e.Integration }),
			int64s("seq", func(e E) int64 { return e.Seq }),
			text("status", func(e E) string { return e.Status }),
			text("severity", func(e E) string { return e.Severity }),
			text("priority", func(e E) string { return e.Priority }),
			text("rule", func(e E) string { return e.Rule }),
			text("object", func(e E) string { return e.Object }),
			text("subject", func(e E) string { return e.Subject }),
			maybe("since", func(e E) event.Time { return event.Time(e.Since) }),
			at("observed_at", func(e E) event.Time { return event.Time(e.ObservedAt) }),
			int64s("records_affected", func(e E) int64 { return e.RecordsAffected }),
			maybeFloat("value", func(e E) *float64 { return e.Value }),
			maybeFloat("target", func(e E) *float64 { return e.Target }),
			int64s("numerator", func(e E) int64 { return e.Numerator }),
			int64s("denominator", func(e E) int64 { return e.Denominator }),
			text("unit", func(e E) string { return e.Unit }),
			text("window", func(e E) string { return e.Window }),
			text("reason", func(e E) string { return e.Reason }),
			text("class", func(e E) string { return e.Class }),
			text("attribution", func(e E) string { return e.Attribution }),
			float64s("confidence", func(e E) float64 { return e.Confidence }),
			text("provider", func(e E) string { return e.Provider }),
			text("summary", func(e E) string { return e.Summary }),
			text("first_step", func(e E) string { return e.FirstStep }),
			id("incident_id", func(e E) string { return e.IncidentID }),
			id("caused_by", func(e E) string { return e.CausedBy }),
			text("acknowledged_by", func(e E) string { return e.AcknowledgedBy }),
			maybe("silenced_until", func(e E) event.Time { return event.Time(e.SilencedUntil) }),
		},
	})
}
