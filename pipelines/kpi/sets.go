package kpi

import (
	"fmt"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// coverage tells of sets that are not compared. A new one is given its first
// schedule. It returns the alert's id, which explains drift that nobody knows.
func (k *KPI) coverage(ctx stream.Ctx, in *config.Integration, end event.Time, out *stream.Out) string {
	m := k.Coverage(in, end)
	a := k.alert(ctx, in, event.RuleCoverage, "24h", &m.Measure)
	a.Unit, a.Summary = "ratio", coverageWords(in.ID, &m)
	if len(m.Gaps) > 0 && m.Young {
		a.Status = event.AlertResolved
	}
	a.FirstStep = "see why the comparison does not run: plumbline reconcile once --integration " + in.ID
	a.SQL = fmt.Sprintf("SELECT * FROM plumbline.kpi_reconciliation_coverage WHERE tenant = '%s' AND integration = '%s' AND window = '24h'",
		a.Tenant, in.ID)
	out.Emit("", a.Tenant, a)
	return a.ID
}

func coverageWords(id string, m *CoverageMeasure) string {
	switch m.Reason {
	case reasonNoData:
		return id + ": coverage not known: no whole set was ever compared"
	case reasonNotObserved:
		return id + ": coverage not known: nothing that is compared is critical"
	}
	words := fmt.Sprintf("%s: %s of %d critical sets compared in time, target over %s", id, percent(m.Value), m.Denominator, percent(m.Target))
	const few = 5
	switch n := len(m.Gaps); {
	case n > few:
		return words + "; not: " + strings.Join(m.Gaps[:few], ", ") + fmt.Sprintf(" and %d more", n-few)
	case n > 0:
		return words + "; not: " + strings.Join(m.Gaps, ", ")
	}
	return words
}

// drift tells of records that differ. What was not compared is the trouble of
// coverage.
func (k *KPI) drift(ctx stream.Ctx, in *config.Integration, end event.Time, coverage string, out *stream.Out) {
	m := k.Drift(in, end-month, end)
	a := k.alert(ctx, in, event.RuleDrift, "30d", &m.Measure)
	a.Unit, a.Summary, a.RecordsAffected = "ratio", driftWords(in.ID, &m), m.Open
	if m.Reason == reasonNoData || m.Reason == reasonNotObserved {
		a.CausedBy = coverage
	}
	a.SQL = fmt.Sprintf("SELECT * FROM plumbline.kpi_drift_rate WHERE tenant = '%s' AND integration = '%s' AND window = '30d'", a.Tenant, in.ID)
	out.Emit("", a.Tenant, a)
}

func driftWords(id string, m *DriftMeasure) string {
	switch m.Reason {
	case reasonNoData:
		return id + ": drift not known: no whole set was compared in 30 days"
	case reasonNotObserved:
		return fmt.Sprintf("%s: drift not known: %s of the records were compared in 30 days", id, percent(m.Share))
	case reasonBlind:
		return fmt.Sprintf("%s: drift not known: %d changes missed their deadline and only %d records were seen to differ", id, m.Held, m.Numerator)
	}
	part := func(n int64) string { return percent(float64(n) / float64(m.Denominator)) }
	sign := ""
	if m.AtLeast {
		sign = "≥ "
	}
	words := fmt.Sprintf("%s: %s%s of records differed in 30 days (%s new, %s already there), target under %s", id, sign, percent(m.Value),
		part(m.New), part(m.Old), percent(m.Target))
	if m.Fired {
		words += "; faster since " + m.Signal
	}
	return words
}

// Defaults of the share of failures that no rule knows.
const (
	otherWarning = 0.03
	otherFew     = 3
)

// Other judges the share of failures that are classed other over a window.
func (k *KPI) Other(in *config.Integration, from, to event.Time) Measure {
	m := Measure{Target: in.Threshold(config.ThresholdOther, otherWarning), Status: statusOK}
	k.over(in.ID, from, to, func(x *Minute) {
		m.Numerator += x.Other
		m.Denominator += x.Failures
	})
	if m.Denominator > 0 {
		m.Value, m.HasValue = float64(m.Numerator)/float64(m.Denominator), true
	}
	if m.Denominator >= lowSample && m.Numerator >= otherFew && m.Value > m.Target {
		m.Status = statusBreach
	}
	return m
}

// other tells of failures that nobody can act on by their class. Few failures
// are no trouble, and never unknown.
func (k *KPI) other(ctx stream.Ctx, in *config.Integration, end event.Time, out *stream.Out) {
	m := k.Other(in, end-event.Day, end)
	a := k.alert(ctx, in, event.RuleOther, "24h", &m)
	a.Unit, a.Class, a.RecordsAffected = "ratio", event.ClassOther, m.Numerator
	a.Summary = fmt.Sprintf("%s: %s of %d failures in 24 h are of no known kind, warning over %s", in.ID, percent(m.Value), m.Denominator, percent(m.Target))
	a.FirstStep = "open the sample and add a rule: plumbline classify --rules"
	a.SQL = fmt.Sprintf("SELECT code, message, count() FROM plumbline.failures WHERE tenant = '%s' AND integration = '%s' AND class = 'other' "+
		"AND occurred_at > now() - 86400 GROUP BY code, message ORDER BY count() DESC", a.Tenant, in.ID)
	out.Emit("", a.Tenant, a)
}
