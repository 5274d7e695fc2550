package console

import (
	"html/template"
	"net/url"
	"slices"
	"strings"
	"time"
)

// targets are those of kpis.md, where no row says another.
var targets = map[string]float64{"mttr": 2 * 3_600_000, "drift": 0.01, "coverage": 0.95}

// besideOf are the panels of KPI 3 to 5 of one integration.
func (s *Snapshot) besideOf(r kpiRow) []panel {
	var out []panel
	for _, kpi := range []string{"mttr", "drift", "coverage"} {
		i := slices.IndexFunc(s.Beside, func(b BesideRow) bool {
			return b.KPI == kpi && b.Tenant == r.Tenant && b.Integration == r.Integration
		})
		b := BesideRow{KPI: kpi, Status: "unknown", Reason: "no_data", Target: targets[kpi]}
		if i >= 0 {
			b = s.Beside[i]
		}
		p := besidePanel(b)
		if kpi == "coverage" {
			p.note(s.linkingOf(r.Tenant, r.Integration))
		}
		out = append(out, p)
	}
	return out
}

func besidePanel(b BesideRow) panel {
	p := panel{ID: b.KPI, Status: statusOf(b.Status), Severity: severities[b.Severity], Value: "–"}
	p.rank = rank(kpiRow{Status: b.Status, Severity: b.Severity, Reason: b.Reason})
	switch b.KPI {
	case "mttr":
		p.mttr(b)
	case "drift":
		p.drift(b)
	default:
		p.coverage(b)
	}
	return p
}

func (p *panel) mttr(b BesideRow) {
	p.Name, p.Lines = "MTTR", "Target < "+duration(b.Target)
	if b.Denominator == 0 { // no incident is no zero, and nothing to do either
		p.Value, p.Fraction, p.Lines = "no incidents", "", ""
		p.Status, p.rank = Status{"ok", "No incidents"}, 99
		return
	}
	p.Fraction = plural(uint64(b.Denominator), "incident")
	if b.Value != nil {
		p.Value = duration(*b.Value)
		if b.AtLeast {
			p.Value = "≥ " + p.Value
		}
	} else {
		p.Value = plural(uint64(b.Denominator), "incident")
		p.Fraction = "Listed one by one: too few for a mean"
	}
	p.note(b.Detail)
}

func (p *panel) drift(b BesideRow) {
	p.Name, p.Lines = "Data drift, 30 d", "Target < "+percent(b.Target)
	if b.Denominator > 0 {
		p.Value = share(b.Value)
		p.Fraction = number(uint64(b.Numerator)) + " of " + plural(uint64(b.Denominator), "compared record")
	}
	if p.Status.Key == "unknown" {
		p.Todo = "Records were not compared as a whole yet. Give both sides a connection, then run plumbline reconcile once."
		if b.Reason == "not_observed" {
			p.Todo = "Less than half of the records were compared. " + capital(b.Detail) + "."
		}
		return
	}
	p.note(b.Detail)
}

func (p *panel) coverage(b BesideRow) {
	p.Name, p.Lines = "Reconciliation coverage", "Target > "+percent(b.Target)
	if b.Denominator > 0 {
		p.Value = share(b.Value)
		p.Fraction = "of " + plural(uint64(b.Denominator), "critical set") + " of object and field"
	}
	if p.Status.Key == "unknown" {
		p.Todo = "Nothing critical is compared on a schedule. Give both sides a connection."
		return
	}
	p.note(b.Detail)
}

func (p *panel) note(detail string) {
	if detail != "" {
		p.Notes = append(p.Notes, capital(detail))
	}
}

// incidentLine is one open incident.
type incidentLine struct {
	ID, Priority, Integration, Title, Whose, Records, Step, Who string
	Since                                                       template.HTML
	Key                                                         string // status that colours it
}

func incidentLines(s *Snapshot) []incidentLine {
	var out []incidentLine
	for _, r := range s.Incidents {
		l := incidentLine{
			ID: r.ID, Priority: r.Priority, Integration: r.Integration, Title: r.Title, Step: r.FirstStep, Key: "warning",
			Since: moment(r.DetectedAt, s.At) + plainText(" ("+ago(s.At.Sub(r.DetectedAt))+")"), Whose: whose(r.Attribution, r.Confidence),
			Records: number(uint64(max(r.Open, 0))) + " of " + plural(uint64(max(r.Affected, 0)), "record") + " not right yet",
		}
		if r.Priority == "P1" {
			l.Key = "breach"
		}
		switch {
		case r.State == "mitigated":
			l.Who = "no longer grows"
		case r.AcknowledgedBy != "":
			l.Who = "taken by " + r.AcknowledgedBy
		}
		out = append(out, l)
	}
	return out
}

// whose says who is to blame, and how sure that is.
func whose(attribution string, confidence float64) string {
	who, ok := map[string]string{"vendor": "the vendor's", "customer": "yours", "pipeline": "the pipeline's"}[attribution]
	switch {
	case !ok:
		return "cause undecided"
	case confidence >= 0.85:
		return who
	}
	return "probably " + who
}

// machineLine is a stopped agent or a strange token.
type machineLine struct {
	What, Name, Reason, Href string
	Since                    template.HTML
}

func machineLines(s *Snapshot) []machineLine {
	var out []machineLine
	for _, r := range s.Machines {
		out = append(out, machineLine{
			What: map[string]string{"token": "Token"}[r.Kind], Name: r.Name, Since: moment(r.Since, s.At),
			Reason: shorten(r.Reason, 300), Href: "/tokens?window=" + s.Window.Name,
		})
		if r.Kind != "token" {
			out[len(out)-1].What = capital(r.Kind) + " stopped"
			out[len(out)-1].Href = "/agent?" + url.Values{"agent": {r.Name}}.Encode()
		}
	}
	return out
}

// differenceLine is what is green there and wrong here.
type differenceLine struct {
	Record, Field, What, Source, Target, Writer string
	Since                                       template.HTML
}

var differenceWords = map[string]string{
	"missing_in_target": "missing in the target", "missing_in_source": "only in the target", "value_mismatch": "another value",
	"stale": "an older value", "duplicate": "there more than once",
}

func differenceLines(s *Snapshot) (out []differenceLine, all uint64) {
	for _, r := range s.Differences {
		all = r.All
		what := differenceWords[r.Kind]
		if r.Difference != "" && r.Difference != "other" {
			what += ", " + strings.ReplaceAll(r.Difference, "_", " ")
		}
		out = append(out, differenceLine{
			Record: r.RecordKey, Field: r.Field, What: what, Source: shorten(r.Source, 80), Target: shorten(r.Target, 80),
			Writer: r.Writer, Since: moment(r.ConfirmedAt, s.At),
		})
	}
	return out, all
}

// month is what the drift rate always looks back.
const month = 30 * 24 * time.Hour
