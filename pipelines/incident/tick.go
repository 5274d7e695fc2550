package incident

import (
	"fmt"
	"slices"
	"strings"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Tick implements stream.Operator.
func (n *Incidents) Tick(ctx stream.Ctx, out *stream.Out) {
	n.settle(ctx)
	for _, key := range slices.Clone(n.cases.Keys()) {
		c := n.cases.Get(key)
		before := c.mark()
		n.tick(ctx, key, c, out)
		if n.cases.Get(key) != nil && c.mark() != before {
			n.cases.Change(key)
		}
	}
	n.overdue(ctx, out)
}

// mark is what a tick may change of a case.
type mark struct {
	opened, changed, urgent, asked, recheck bool
	healed, right, told, mitigated          event.Time
	state, priority                         string
}

func (c *Case) mark() mark {
	return mark{
		c.Opened, c.Changed, c.Urgent, c.Asked, c.Recheck, c.HealedAt, c.RightAt, c.TicketAt, c.I.MitigatedAt, c.I.State, c.I.Priority,
	}
}

func (n *Incidents) tick(ctx stream.Ctx, key string, c *Case, out *stream.Out) {
	if !c.Opened && c.I.Kind == event.IncidentOfDivergence && n.told(key, c) {
		n.cases.Delete(key)
		return
	}
	healed := c.healed(ctx.Now)
	switch {
	case healed && c.HealedAt == 0:
		c.HealedAt, c.Changed = ctx.Now, true
	case !healed:
		c.HealedAt = 0
	}
	held := healed && ctx.Now-c.over() >= flapHold
	if !c.Opened {
		if held {
			n.cases.Delete(key)
			return
		}
		if healed || !c.ripe(ctx.Now) {
			return
		}
		n.open(ctx, c)
	}
	n.calm(ctx, c, out)
	if held || c.Closed {
		n.resolve(ctx, key, c, out)
		return
	}
	if c.Recheck {
		c.Recheck = false
		n.check(ctx, c, event.CheckRunbook, out)
	}
	c.rank(n.p1(c.I.Integration))
	if c.Urgent || c.Changed && ctx.Now-c.TicketAt >= tellEvery {
		n.tell(ctx, c, out)
	}
}

// told takes out the records whose failure is a case already: one trouble is
// one incident. It reports whether none is left.
func (n *Incidents) told(key string, c *Case) bool {
	before := len(c.Wrong)
	c.Wrong = slices.DeleteFunc(c.Wrong, func(r string) bool {
		return slices.ContainsFunc(n.cases.Keys(), func(other string) bool {
			x := n.cases.Get(other)
			_, ok := slices.BinarySearch(x.Wrong, bare(r))
			return ok && other != key && x.I.Integration == c.I.Integration && x.I.Kind != event.IncidentOfDivergence
		})
	})
	if len(c.Wrong) < before {
		c.I.Affected -= int64(before - len(c.Wrong))
		n.cases.Change(key)
	}
	return len(c.Wrong) == 0 && before > 0
}

func (n *Incidents) resolve(ctx stream.Ctx, key string, c *Case, out *stream.Out) {
	c.I.ResolvedAt = c.over()
	if c.I.MitigatedAt == 0 || c.I.MitigatedAt > c.I.ResolvedAt {
		c.I.MitigatedAt = c.I.ResolvedAt
	}
	c.I.Unverified += c.Loose + c.Over
	c.state(event.IncidentResolved)
	n.tell(ctx, c, out)
	n.cases.Delete(key)
}

// open makes a candidate an incident.
func (n *Incidents) open(ctx stream.Ctx, c *Case) {
	c.Opened, c.Urgent = true, true
	c.I.Title = n.title(c)
	c.I.ID = event.IncidentID(c.I.Integration, c.I.Fingerprint, c.I.DetectedAt-c.I.DetectedAt%event.Minute)
	p := n.past.Change(c.I.Integration + "/" + c.I.Fingerprint)
	p.Opened = slices.DeleteFunc(p.Opened, func(t event.Time) bool { return t <= ctx.Now-recurSpan })
	p.Opened = append(p.Opened, ctx.Now)
	c.I.Recurrence = len(p.Opened)
}

// calm notices that it no longer grows, and asks what the records hold now.
func (n *Incidents) calm(ctx stream.Ctx, c *Case, out *stream.Out) {
	if c.I.State == event.IncidentMitigated || !c.calm(ctx.Now) {
		return
	}
	c.I.MitigatedAt = c.I.LastAt
	c.state(event.IncidentMitigated)
	if !c.Asked {
		c.Asked = true
		n.check(ctx, c, event.CheckIncident, out)
	}
}

func (n *Incidents) p1(integration string) bool {
	in := n.integrations[integration]
	return in == nil || in.Priority != event.P2
}

// rank sets the priority. It rises while the incident grows, and stays.
func (c *Case) rank(p1 bool) {
	wide := c.I.Affected >= p1Records || c.I.Class == event.ClassVendorOutage ||
		c.I.Class == event.ClassAuth && c.I.Recoverability == event.Permanent
	if p1 && wide && c.I.Priority != event.P1 {
		c.I.Priority, c.Changed, c.Urgent = event.P1, true, true
	}
}

func (n *Incidents) tell(ctx stream.Ctx, c *Case, out *stream.Out) {
	c.rank(n.p1(c.I.Integration))
	c.I.Title = n.title(c)
	i := c.I
	var wrong int64
	i.Records, wrong = distinct(c.Wrong, event.MaxSample) // none is nil, restored or not
	i.Open = wrong + c.Over + c.Loose
	i.Unverified += int64(len(c.Soft))
	if i.State == event.IncidentResolved {
		i.Open = 0
	}
	i.Predicate = "integration = '" + i.Integration + "' AND " + c.Predicate
	i.Steps, i.Fingerprints = slices.Clone(c.I.Steps), slices.Clone(c.Prints)
	i.UpdatedAt, i.Version = ctx.Now, ctx.Version
	out.Emit(topic.Incidents, i.Integration, &i)
	c.I.Was, c.TicketAt, c.Changed, c.Urgent = c.I.State, ctx.Now, false, false
}

// check asks what the systems hold for the records that are wrong, no others.
func (n *Incidents) check(ctx stream.Ctx, c *Case, reason string, out *stream.Out) {
	records, _ := distinct(c.Wrong, maxChecks)
	for _, r := range records {
		object, record, _ := strings.Cut(r, "/")
		out.Emit(topic.Checks, event.RecordKey(c.I.Integration, object, record), &event.Check{
			ID:     event.Hash("check", c.I.ID, r, fmt.Sprint(int64(ctx.Now))),
			Tenant: c.I.Tenant, Integration: c.I.Integration, Object: object, RecordKey: record, SourceID: record, Reason: reason,
			Subject: c.I.ID, AskedAt: ctx.Now, Version: ctx.Version,
		})
	}
}

// MTTR targets (kpis.md 3).
const (
	mttrP1 = 2 * event.Hour
	mttrP2 = 24 * event.Hour
)

// overdue tells of incidents that are open for longer than the target, and of
// those that come back without anybody having written down what to do.
func (n *Incidents) overdue(ctx stream.Ctx, out *stream.Out) {
	for _, key := range n.cases.Keys() {
		c := n.cases.Get(key)
		if !c.Opened {
			continue
		}
		target := n.target(c)
		age := ctx.Now - c.I.DetectedAt
		a := n.condition(ctx, c, event.RuleMTTR, event.AlertResolved)
		value, limit := float64(age), float64(target)
		a.Value, a.Target, a.Unit = &value, &limit, "ms"
		if age > target && c.HealedAt == 0 {
			a.Status = event.AlertFiring
		}
		if c.I.Priority == event.P1 {
			a.Severity = event.Page
		}
		a.Summary = fmt.Sprintf("%s: open for %s, target under %s: %s", c.I.Integration, hours(age), whole(target), c.I.Title)
		out.Emit("", c.I.Tenant, a)
		n.recurs(ctx, c, out)
	}
}

// target is how long an incident may be open.
func (n *Incidents) target(c *Case) event.Time {
	name, otherwise := config.ThresholdMTTRP2, mttrP2
	if c.I.Priority == event.P1 {
		name, otherwise = config.ThresholdMTTRP1, mttrP1
	}
	if in := n.integrations[c.I.Integration]; in != nil {
		return event.Time(in.Threshold(name, float64(otherwise)))
	}
	return event.Time(otherwise)
}

func (n *Incidents) recurs(ctx stream.Ctx, c *Case, out *stream.Out) {
	if c.I.Recurrence < 2 || n.written(ctx, c) {
		return
	}
	a := n.condition(ctx, c, event.RuleRunbook, event.AlertFiring)
	a.Summary = fmt.Sprintf("%s: %d incidents in 30 days and no runbook step of its own: %s", c.I.Integration, c.I.Recurrence, c.I.Title)
	a.FirstStep = "write down what worked, under this fingerprint, in the integration's runbook"
	out.Emit("", c.I.Tenant, a)
}

// written reports whether the runbook knows the case, or any of its failures.
func (n *Incidents) written(ctx stream.Ctx, c *Case) bool {
	return n.documented(c.I.Integration, c.I.Fingerprint, c.I.Class, ctx.Now) ||
		slices.ContainsFunc(c.Prints, func(fp string) bool { return n.documented(c.I.Integration, fp, c.I.Class, ctx.Now) })
}

// condition is what a rule finds of a case.
func (n *Incidents) condition(ctx stream.Ctx, c *Case, rule, status string) *event.Alert {
	subject := c.I.Integration + "/" + c.I.Fingerprint
	return &event.Alert{
		ID: event.AlertID(rule, c.I.Tenant+"/"+subject), Status: status, Severity: event.Ticket, Priority: c.I.Priority, Rule: rule,
		Tenant: c.I.Tenant, Integration: c.I.Integration, Object: c.I.Object, Subject: subject, Since: event.JSONTime(c.I.DetectedAt),
		ObservedAt: event.JSONTime(ctx.Now), RecordsAffected: c.I.Affected, Class: c.I.Class, Attribution: c.I.Attribution,
		Confidence: c.I.Confidence, FirstStep: c.I.FirstStep, IncidentID: c.I.ID,
	}
}

// whole writes a target without minutes where it has none.
func whole(t event.Time) string {
	if t%event.Hour == 0 {
		return fmt.Sprintf("%d h", t/event.Hour)
	}
	return hours(t)
}

func hours(t event.Time) string {
	return fmt.Sprintf("%d h %d min", t/event.Hour, t%event.Hour/event.Minute)
}
