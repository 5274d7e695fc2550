package kpi

import (
	"fmt"
	"time"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// judge applies the rules to every integration, once a minute.
func (k *KPI) judge(ctx stream.Ctx, end event.Time, out *stream.Out) {
	for _, id := range k.standing.Keys() {
		if k.standing.Get(id).Judged >= end {
			continue
		}
		s := k.standing.Change(id)
		k.forget(id, s, end)
		s.Judged = end
		in := k.integrations[id]
		if in == nil { // no longer configured: what it left behind is still counted
			continue
		}
		k.success(ctx, in, end, out)
		k.latency(ctx, in, end, out)
		k.other(ctx, in, end, out)
		if end-s.Looked >= lookEvery {
			s.Looked = end
			k.trim(id, s, end)
			cause := k.coverage(ctx, in, end, out)
			k.drift(ctx, in, end, cause, out)
		}
	}
}

// forget turns hours that no window needs any more into what was normal in them.
func (k *KPI) forget(id string, s *Standing, end event.Time) {
	last := floor(end, event.Hour) - keepHours*event.Hour
	for old := max(floor(s.Judged, event.Hour)-keepHours*event.Hour, last-baselineSpan); old <= last; old += event.Hour {
		if k.hours.Get(hourKey(id, old)) != nil {
			s.Baseline = append(s.Baseline, k.normals(id, old, old+event.Hour)...)
			k.hours.Delete(hourKey(id, old))
		}
	}
	for len(s.Baseline) > 0 && s.Baseline[0].Hour < end-baselineSpan-event.Day {
		s.Baseline = s.Baseline[1:]
	}
}

func (k *KPI) success(ctx stream.Ctx, in *config.Integration, end event.Time, out *stream.Out) {
	m := k.Success(in, end-event.Day, end)
	a := k.alert(ctx, in, event.RuleSuccess, "24h", &m)
	a.Unit = "ratio"
	a.RecordsAffected = m.Denominator - m.Numerator
	a.Summary = successWords(in.ID, &m)
	a.SQL = fmt.Sprintf("SELECT * FROM plumbline.kpi_sync_success_rate WHERE tenant = '%s' AND integration = '%s' AND window = '24h'",
		a.Tenant, in.ID)
	out.Emit("", a.Tenant, a)
}

func successWords(id string, m *Measure) string {
	switch m.Reason {
	case reasonBlind:
		return fmt.Sprintf("%s: success rate not known: no attempt reported in 24 h while %d changes wait", id, m.Waiting)
	case reasonLowSample:
		return fmt.Sprintf("%s: success rate not known: %d of %d failed in 24 h, too few to judge",
			id, m.Denominator-m.Numerator, m.Denominator)
	case reasonNotObserved:
		return id + ": success rate not known: nobody saw what the target holds"
	case reasonNoData:
		return id + ": success rate not known: nothing happened in 24 h"
	}
	what := "write attempts"
	if m.Basis == "records" {
		what = "changes"
	}
	words := fmt.Sprintf("%s: %s of %d %s succeeded in 24 h, target over %s", id, percent(m.Value), m.Denominator, what, percent(m.Target))
	if m.Silent > 0 {
		words += fmt.Sprintf("; %d more were acknowledged and never taken", m.Silent)
	}
	return words
}

// latency looks at the last hour; where that tells nothing, as in a quiet
// night, at the day: only what a whole day does not tell is unknown.
func (k *KPI) latency(ctx stream.Ctx, in *config.Integration, end event.Time, out *stream.Out) {
	window := "1h"
	m := k.Latency(in, end-event.Hour, end)
	if m.Status == statusUnknown {
		window, m = "24h", k.Latency(in, end-event.Day, end)
	}
	a := k.alert(ctx, in, event.RuleLatency, window, &m)
	a.Unit = "ms"
	a.RecordsAffected = max(m.Denominator-m.Numerator, 0)
	a.Summary = latencyWords(in.ID, window, &m)
	a.SQL = fmt.Sprintf("SELECT * FROM plumbline.kpi_sync_latency WHERE tenant = '%s' AND integration = '%s' AND window = '%s'",
		a.Tenant, in.ID, window)
	out.Emit("", a.Tenant, a)
}

func latencyWords(id, window string, m *Measure) string {
	switch m.Reason {
	case reasonNoData:
		return fmt.Sprintf("%s: latency not known: no change was due in %s", id, window)
	case reasonNotObserved:
		return fmt.Sprintf("%s: latency not known: too few arrivals were seen in %s, or clocks differ", id, window)
	case reasonLowSample:
		return fmt.Sprintf("%s: latency not known: %d changes in %s, too few to judge", id, m.Denominator, window)
	case reasonLearning:
		return fmt.Sprintf("%s: p95 latency %s in %s; what is normal is still being learned", id, span(m.Value), window)
	}
	sign := ""
	if m.AtLeast {
		sign = "≥ "
	}
	return fmt.Sprintf("%s: p95 latency %s%s over %d changes in %s, target under %s", id, sign, span(m.Value), m.Denominator, window, span(m.Target))
}

// alert is the condition of a KPI; what tells people makes a story of it.
func (k *KPI) alert(ctx stream.Ctx, in *config.Integration, rule, window string, m *Measure) *event.Alert {
	subject := in.ID + "/" + rule
	a := &event.Alert{
		ID: event.AlertID(rule, in.TenantOrDefault()+"/"+subject), Tenant: in.TenantOrDefault(), Integration: in.ID, Rule: rule,
		Subject: subject, Priority: priority(in), Window: window, ObservedAt: event.JSONTime(ctx.Now), Since: event.JSONTime(ctx.Now),
		Numerator: m.Numerator, Denominator: m.Denominator, Reason: m.Reason,
		Status: event.AlertResolved, Severity: event.Ticket, Confidence: 1, Attribution: event.ByUnknown,
	}
	target := m.Target
	a.Target = &target
	if m.HasValue {
		value := m.Value
		a.Value = &value
	}
	switch {
	case m.Status == statusUnknown:
		a.Status = event.AlertUnknown
	case m.Status != statusOK:
		a.Status = event.AlertFiring
	}
	if m.Fired && a.Priority == event.P1 {
		a.Severity = event.Page
	}
	return a
}

func priority(in *config.Integration) string {
	if in.Priority == event.P2 {
		return event.P2
	}
	return event.P1
}

// span reads as a person says it.
func span(ms float64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	}
	return fmt.Sprintf("%.1f h", d.Hours())
}
