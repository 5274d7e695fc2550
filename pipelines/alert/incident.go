package alert

import (
	"fmt"
	"slices"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// incident turns an incident's state into its alert. Incidents have held back
// their own flapping: what they say is told at once.
func (a *Alerts) incident(ctx stream.Ctx, i *event.Incident, out *stream.Out) {
	id := event.AlertID(event.RuleIncident, i.Tenant+"/"+i.ID)
	c := event.Alert{
		ID: id, Status: event.AlertFiring, Severity: event.Ticket, Priority: i.Priority, Rule: event.RuleIncident,
		Tenant: i.Tenant, Integration: i.Integration, Object: i.Object, Subject: i.Integration + "/" + i.Fingerprint,
		Since: event.JSONTime(i.DetectedAt), ObservedAt: event.JSONTime(ctx.Now), RecordsAffected: i.Affected,
		Numerator: i.Open, Denominator: i.Affected, Class: i.Class, Attribution: i.Attribution, Confidence: i.Confidence,
		Provider: i.Provider, FirstStep: i.FirstStep, IncidentID: i.ID, AcknowledgedBy: i.AcknowledgedBy,
		SQL:     "SELECT * FROM plumbline.incidents WHERE incident_id = '" + i.ID + "'",
		Summary: words(i),
	}
	if i.Priority == event.P1 {
		c.Severity = event.Page
	}
	if v := a.vendorOf(i); v != "" {
		c.CausedBy = v
		if c.Severity == event.Page {
			a.raise(ctx, v, out)
		}
	}
	e := a.entries.Change(id)
	e.Latest, e.Status = c, event.AlertFiring
	switch {
	case i.State == event.IncidentResolved:
		e.Latest.Status = event.AlertResolved
		a.resolve(ctx, e, out)
	case e.Active && c.AcknowledgedBy != "" && e.Told.AcknowledgedBy == "":
		c.Status, c.Since, c.SilencedUntil = event.AlertAcknowledged, e.Told.Since, e.Told.SilencedUntil
		a.tell(ctx, e, c, out)
	default:
		a.fire(ctx, e, out)
	}
}

func words(i *event.Incident) string {
	s := fmt.Sprintf("%s: %s", i.Integration, i.Title)
	switch {
	case i.State == event.IncidentResolved && i.ResolvedBy != "":
		return s + fmt.Sprintf("; closed by %s, %s waived", i.ResolvedBy, records(i.Waived))
	case i.State == event.IncidentResolved && i.Unverified > 0:
		return s + fmt.Sprintf("; over: %s, %d on the target's word alone", records(i.Affected), i.Unverified)
	case i.State == event.IncidentResolved:
		return s + fmt.Sprintf("; over: %s, all right again", records(i.Affected))
	}
	s += fmt.Sprintf("; %s, %d not right yet", records(i.Affected), i.Open)
	if i.Reopened > 0 {
		s += ", it came back"
	}
	if i.Kind == event.IncidentOfDivergence && i.Evidence != "" {
		s += "; " + i.Evidence
	}
	return s
}

func records(n int64) string {
	if n == 1 {
		return "1 record"
	}
	return fmt.Sprintf("%d records", n)
}

// raise makes a page of an alert that explains one: whoever hears of it alone
// must not hear less of it.
func (a *Alerts) raise(ctx stream.Ctx, id string, out *stream.Out) {
	if a.entries.Get(id).Told.Severity == event.Page {
		return
	}
	e := a.entries.Change(id)
	e.Latest.Severity, e.Latest.Priority = event.Page, event.P1
	a.fire(ctx, e, out)
}

// explained is the open incident that best explains a KPI's breach.
func (a *Alerts) explained(c *event.Alert) string {
	if c.Rule != event.RuleSuccess && c.Rule != event.RuleLatency {
		return c.CausedBy
	}
	best, affected := "", int64(0)
	for _, key := range a.entries.Keys() {
		e := a.entries.Get(key)
		if e.Active && e.Told.Rule == event.RuleIncident && e.Told.Tenant == c.Tenant && e.Told.Integration == c.Integration &&
			e.Told.RecordsAffected > affected {
			best, affected = key, e.Told.RecordsAffected
		}
	}
	return best
}

// verdict makes one alert of a vendor's outage, whatever number of
// integrations and tokens it hits.
func (a *Alerts) verdict(ctx stream.Ctx, v *event.CauseVerdict, out *stream.Out) {
	if v.Attribution != event.ByVendor || !v.Decided && a.entries.Get(vendorAlert(v.Tenant, v.Provider)) == nil {
		return
	}
	id := vendorAlert(v.Tenant, v.Provider)
	e := a.entries.Change(id)
	e.Verdicts = slices.DeleteFunc(e.Verdicts, func(x string) bool { return x == v.ID })
	if v.End == 0 {
		e.Verdicts = append(e.Verdicts, v.ID)
	}
	c := event.Alert{
		ID: id, Status: event.AlertFiring, Severity: event.Ticket, Priority: event.P2, Rule: event.RuleVendor, Tenant: v.Tenant,
		Subject: v.Provider, Provider: v.Provider, Since: event.JSONTime(v.Start), RecordsAffected: max(v.Failures, e.Told.RecordsAffected),
		Class: event.ClassVendorOutage, Attribution: event.ByVendor, Confidence: v.Confidence, FirstStep: v.FirstStep,
		Summary: v.Provider + ": the vendor fails, not you: " + v.Evidence,
		SQL:     "SELECT * FROM plumbline.verdicts WHERE provider = '" + v.Provider + "' ORDER BY started_at DESC",
	}
	if len(e.Verdicts) == 0 {
		c.Status = event.AlertResolved
		c.Summary = v.Provider + ": the vendor works again"
	}
	a.condition(ctx, &c, out)
}

func vendorAlert(tenant, provider string) string {
	return event.AlertID(event.RuleVendor, tenant+"/"+provider)
}

// vendorOf is the vendor's alert that explains an incident, "" if none does.
func (a *Alerts) vendorOf(i *event.Incident) string {
	id := vendorAlert(i.Tenant, i.Provider)
	e := a.entries.Get(id)
	if e == nil || !e.Active || i.Kind != event.IncidentOfFailures || i.Attribution != event.ByVendor {
		return ""
	}
	return id
}

// signal tells of what will stop or was missed.
func (a *Alerts) signal(ctx stream.Ctx, s *event.Signal, out *stream.Out) {
	rules := map[string]string{
		event.SignalMissedRun: event.RuleMissed, event.SignalQuota: event.RuleQuota, event.SignalRunbookGap: event.RuleRunbook,
		event.SignalMappingBreak: event.RuleSchema, event.SignalRetries: event.RuleRetry,
	}
	rule, ok := rules[s.Kind]
	if !ok {
		return
	}
	subject := s.Integration + "/" + s.System + "/" + s.Object
	c := event.Alert{
		ID: event.AlertID(rule, s.Tenant+"/"+subject), Status: event.AlertFiring, Severity: event.Ticket, Priority: event.P2,
		Rule: rule, Tenant: s.Tenant, Integration: s.Integration, Object: s.Object, Subject: subject, Provider: s.System,
		Since: event.JSONTime(s.StartedAt), Confidence: 1, Summary: s.Integration + ": " + s.Summary,
	}
	if s.Field != "" { // each field is a story of its own
		c.Subject += "." + s.Field
		c.ID = event.AlertID(rule, s.Tenant+"/"+c.Subject)
	}
	if step, ok := event.Find(s.Detail, "first_step"); ok {
		c.FirstStep = step.Text
	}
	if s.EndedAt != 0 {
		c.Status = event.AlertResolved
	}
	a.condition(ctx, &c, out)
}

// click is what a person did about an alert that is no incident's.
func (a *Alerts) click(ctx stream.Ctx, k *event.Click, out *stream.Out) {
	e := a.entries.Get(k.Subject)
	if e == nil || !e.Active {
		return
	}
	e = a.entries.Change(k.Subject)
	next := e.Told
	switch k.Kind {
	case event.ClickAcknowledge:
		if next.Rule == event.RuleIncident || next.AcknowledgedBy != "" {
			return // the incident says so itself
		}
		next.AcknowledgedBy = k.By
		if next.Status == event.AlertFiring {
			next.Status = event.AlertAcknowledged
		}
	case event.ClickSilence:
		next.SilencedUntil = event.JSONTime(k.Until)
	case event.ClickUnsilence:
		next.SilencedUntil = 0
	case event.ClickResolve:
		if next.Rule == event.RuleIncident {
			return
		}
		e.Status, e.SinceMS = event.AlertResolved, ctx.Now
		next.Status = event.AlertResolved
	default:
		return
	}
	a.tell(ctx, e, next, out)
}
