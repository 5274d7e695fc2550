package console

import (
	"cmp"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// SignalRow is something that may explain what the numbers do.
type SignalRow struct {
	Tenant      string     `ch:"tenant"`
	Integration string     `ch:"integration"` // empty: every one of the system
	Kind        string     `ch:"kind"`
	System      string     `ch:"system"`
	Object      string     `ch:"object"`
	Field       string     `ch:"field"`
	StartedAt   time.Time  `ch:"started_at"`
	EndedAt     *time.Time `ch:"ended_at"`
	Summary     string     `ch:"summary"`
}

// causeWords name the kinds that stand under the charts; the others are of
// Plumbline's own housekeeping.
var causeWords = map[string]string{
	event.SignalVendorIncident: "Vendor incident", event.SignalSchemaChange: "Schema changed", event.SignalPicklistChange: "Picklist changed",
	event.SignalMappingChange: "Mapping changed", event.SignalMappingBreak: "Mapping will break", event.SignalDeploy: "Deploy",
	event.SignalTokenRotation: "Token rotated", event.SignalScopeChange: "Scopes changed", event.SignalBulkImport: "Bulk import",
	event.SignalQuota: "Quota", event.SignalAgentRun: "Agent run", event.SignalMissedRun: "Comparison missed",
	event.SignalSourceQuiet: "Source quiet", event.SignalSourceStalled: "Source stalled", event.SignalSourceLossy: "Source lossy",
}

// A source's silence may have begun before the window.
var signalsSQL = `SELECT tenant, integration, toString(s.kind) AS kind, toString(s.system) AS system, object, field, started_at, ended_at, summary
FROM signals AS s
WHERE s.kind IN ('` + strings.Join(slices.Sorted(maps.Keys(causeWords)), "', '") + `')
	AND (s.started_at >= ? OR s.started_at >= ? AND s.ended_at IS NULL AND startsWith(s.kind, 'source_')) AND s.started_at < ?
ORDER BY started_at DESC LIMIT 200`

// changedLine is a signal as the overview tells it.
type changedLine struct {
	Kind, Where, Summary string
	At                   template.HTML
}

const changedShown = 8

func changedLines(s *Snapshot) (out []changedLine, more string) {
	for _, r := range s.Signals {
		if r.StartedAt.Before(s.From) {
			continue
		}
		if len(out) == changedShown {
			return out, number(uint64(len(s.Signals) - changedShown))
		}
		where := cmp.Or(r.Integration, systemName(r.System))
		if r.Object != "" {
			where += " · " + strings.TrimSuffix(r.Object+"."+r.Field, ".")
		}
		out = append(out, changedLine{causeWords[r.Kind], where, capital(shorten(r.Summary, 200)), moment(r.StartedAt, s.At)})
	}
	return out, ""
}

// mark is a signal on a sparkline.
type mark struct{ X, Words string }

// marks are the signals about an integration, where they stand in the window.
func (s *Snapshot) marks(r kpiRow, configured []config.Integration) []mark {
	var out []mark
	for _, g := range s.Signals {
		if g.StartedAt.Before(s.From) || g.StartedAt.After(s.To) || g.Tenant != "" && g.Tenant != r.Tenant || !g.concerns(r, configured) {
			continue
		}
		share := float64(g.StartedAt.Sub(s.From)) / float64(s.To.Sub(s.From))
		out = append(out, mark{coordinate(sparkEdge + (sparkWidth-2*sparkEdge)*share), causeWords[g.Kind] + ": " + shorten(g.Summary, 120)})
	}
	return out
}

func (g SignalRow) concerns(r kpiRow, configured []config.Integration) bool {
	if g.Integration != "" {
		return g.Integration == r.Integration
	}
	return slices.ContainsFunc(configured, func(c config.Integration) bool {
		return c.ID == r.Integration && tenantOf(c) == r.Tenant && (g.System == "" || g.System == c.Source.System || g.System == c.Target.System)
	})
}

// said is what a source's own events say of it, nothing while it is well. A
// source that loses events says so anew each hour.
func (s *Snapshot) said(r SourceRow) *SignalRow {
	if r.Kind != "changes" {
		return nil
	}
	for i := range s.Signals {
		g := &s.Signals[i]
		lossy := g.Kind == event.SignalSourceLossy && s.At.Sub(g.StartedAt) < 2*time.Hour
		silent := (g.Kind == event.SignalSourceQuiet || g.Kind == event.SignalSourceStalled) && g.EndedAt == nil
		if g.System == r.System && (g.Tenant == "" || g.Tenant == r.Tenant) && (lossy || silent) {
			return g
		}
	}
	return nil
}

// explain sets what happened under the charts of an integration.
func (s *Snapshot) explain(panels []panel, r kpiRow, configured []config.Integration) {
	marks := s.marks(r, configured)
	for i := range panels {
		if panels[i].Spark != nil {
			panels[i].Spark.Marks = marks
		}
	}
}
