package alert

import (
	"fmt"
	"slices"
	"time"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

const (
	// clearHold is how long a condition must be clear before people are told.
	clearHold = 5 * event.Minute
	// blindFor is how long something may be unknown before that is a ticket.
	blindFor = event.Hour
	// barkEvery is the watchdog's rhythm; consumers page after barkDeadline.
	barkEvery    = event.Minute
	barkDeadline = 3 * event.Minute
	// forgetAfter is when a resolved alert leaves the compacted topic.
	forgetAfter = 30 * event.Day
	// growth is how much wider an alert must get to be told again.
	growth = 4
)

// Alerts implements stream.Operator.
type Alerts struct {
	*stream.Parts
	entries *stream.Table[Entry, *Entry]
	tenants *stream.Table[Tenant, *Tenant]
	console string
}

// New makes the operator of one partition of partials. Console is the base
// URL that links start with, or empty.
func New(console string) *Alerts {
	a := &Alerts{entries: stream.NewTable[Entry](), tenants: stream.NewTable[Tenant](), console: console}
	a.Parts = stream.NewParts(stream.Part{Name: "a", State: a.entries}, stream.Part{Name: "t", State: a.tenants})
	return a
}

// Step implements stream.Operator.
func (a *Alerts) Step(ctx stream.Ctx, _ string, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Alert:
		a.condition(ctx, e, out)
	case *event.Incident:
		a.incident(ctx, e, out)
	case *event.CauseVerdict:
		a.verdict(ctx, e, out)
	case *event.Signal:
		if e.Kind == event.SignalToken {
			a.token(ctx, e, out)
			return
		}
		a.signal(ctx, e, out)
	case *event.AgentState:
		a.agent(ctx, e, out)
	case *event.Click:
		a.click(ctx, e, out)
	case *event.Pulse:
		t := a.tenants.Change(e.Tenant)
		if t.At == nil {
			t.At = map[int]int64{}
		}
		t.At[e.Partition] = int64(e.At)
	}
}

// Tick implements stream.Operator.
func (a *Alerts) Tick(ctx stream.Ctx, out *stream.Out) {
	for _, key := range slices.Clone(a.entries.Keys()) {
		e := a.entries.Get(key)
		switch {
		case !e.Active && e.Status == event.AlertUnknown:
			if ctx.Now-e.SinceMS >= blindFor {
				a.unmeasured(ctx, a.entries.Change(key), out)
			}
		case e.Active && e.Status == event.AlertResolved && ctx.Now-e.SinceMS >= clearHold:
			a.resolve(ctx, a.entries.Change(key), out)
		case !e.Active && e.Told.Seq > 0 && ctx.Now-event.Time(e.Told.ObservedAt) >= forgetAfter:
			out.Emit(topic.AlertStates, key, &event.Gone{})
			a.entries.Delete(key)
		}
	}
	for _, tenant := range a.tenants.Keys() {
		if t := a.tenants.Get(tenant); ctx.Now-t.Barked >= barkEvery {
			a.bark(ctx, tenant, a.tenants.Change(tenant), out)
		}
	}
}

// condition takes what a rule measured.
func (a *Alerts) condition(ctx stream.Ctx, c *event.Alert, out *stream.Out) {
	e := a.entries.Get(c.ID)
	if e == nil && c.Status == event.AlertResolved {
		return
	}
	e = a.entries.Change(c.ID)
	if e.Status != c.Status {
		e.Status, e.SinceMS = c.Status, ctx.Now
	}
	e.Latest = *c
	switch {
	case c.Status == event.AlertResolved && !e.Active && e.Told.Seq == 0:
		a.entries.Delete(c.ID) // it was about to become unknown, and is not
	case c.Status == event.AlertFiring:
		a.fire(ctx, e, out)
	case c.Status == event.AlertUnknown && e.Active && e.Told.Status != event.AlertUnknown:
		a.unmeasured(ctx, e, out)
	}
}

// fire tells of an alert that is new, worse, or can be measured again.
func (a *Alerts) fire(ctx stream.Ctx, e *Entry, out *stream.Out) {
	next := e.Latest
	next.CausedBy = a.explained(&next)
	if !e.Active {
		next.AcknowledgedBy, next.SilencedUntil = "", 0
		a.tell(ctx, e, next, out)
		return
	}
	next.Since, next.AcknowledgedBy, next.SilencedUntil = e.Told.Since, e.Told.AcknowledgedBy, e.Told.SilencedUntil
	if next.AcknowledgedBy != "" {
		next.Status = event.AlertAcknowledged
	}
	if next.Rule != event.RuleIncident && e.Told.CausedBy != "" && e.Told.Status != event.AlertUnknown {
		next.CausedBy = e.Told.CausedBy // what explained it first; why it was not known explains no breach
	}
	worse := next.Severity == event.Page && e.Told.Severity != event.Page
	if e.Told.Severity == event.Page {
		next.Severity, next.Priority = event.Page, e.Told.Priority // it does not calm down by itself before it is over
	}
	if worse || next.Status != e.Told.Status || next.CausedBy != e.Told.CausedBy || next.Attribution != e.Told.Attribution ||
		next.FirstStep != e.Told.FirstStep || next.RecordsAffected >= growth*max(e.Told.RecordsAffected, 1) {
		a.tell(ctx, e, next, out)
	}
}

// unmeasured freezes an alert, or tells that something cannot be known.
func (a *Alerts) unmeasured(ctx stream.Ctx, e *Entry, out *stream.Out) {
	next := e.Latest
	next.Status, next.Severity = event.AlertUnknown, event.Ticket
	if e.Active {
		next.Since, next.Severity, next.RecordsAffected = e.Told.Since, e.Told.Severity, e.Told.RecordsAffected
		next.AcknowledgedBy, next.SilencedUntil = e.Told.AcknowledgedBy, e.Told.SilencedUntil
	} else {
		next.Since = event.JSONTime(e.SinceMS)
	}
	a.tell(ctx, e, next, out)
}

func (a *Alerts) resolve(ctx stream.Ctx, e *Entry, out *stream.Out) {
	next := e.Latest
	next.Status, next.Since, next.Severity = event.AlertResolved, e.Told.Since, e.Told.Severity
	next.RecordsAffected = max(next.RecordsAffected, e.Told.RecordsAffected)
	next.AcknowledgedBy = e.Told.AcknowledgedBy
	a.tell(ctx, e, next, out)
}

// tell writes an alert to both topics.
func (a *Alerts) tell(ctx stream.Ctx, e *Entry, next event.Alert, out *stream.Out) {
	t := a.tenants.Change(next.Tenant)
	t.Seq++
	next.Seq, next.ObservedAt = t.Seq, event.JSONTime(ctx.Now)
	if next.Since == 0 {
		next.Since = next.ObservedAt
	}
	a.links(&next)
	e.Told, e.Active = next, next.Status != event.AlertResolved
	if !e.Active {
		e.Status, e.SinceMS = event.AlertResolved, ctx.Now
	}
	out.Emit(topic.Alerts, next.Tenant, &next)
	state := next
	out.Emit(topic.AlertStates, next.ID, &state)
}

func (a *Alerts) links(n *event.Alert) {
	if a.console == "" {
		return
	}
	n.ConsoleURL = a.console + "/?alert=" + n.ID
	if n.IncidentID != "" {
		n.ConsoleURL = a.console + "/?incident=" + n.IncidentID
	}
	n.RunbookURL = a.console + "/runbook?integration=" + n.Integration + "&rule=" + n.Rule
}

// bark is the sign of life: its absence is the consumer's page.
func (a *Alerts) bark(ctx stream.Ctx, tenant string, t *Tenant, out *stream.Out) {
	t.Barked = ctx.Now
	oldest := int64(ctx.Now)
	for _, at := range t.At {
		oldest = min(oldest, at)
	}
	id := event.AlertID(event.RuleWatchdog, tenant)
	e := a.entries.Change(id)
	lag := int64(ctx.Now) - oldest
	a.tell(ctx, e, event.Alert{
		ID: id, Status: event.AlertFiring, Severity: event.Info, Priority: event.P2, Rule: event.RuleWatchdog, Tenant: tenant,
		Subject: tenant, Since: e.Told.Since, Confidence: 1, LagMS: lag, Oldest: event.JSONTime(oldest),
		DeadlineSeconds: int64(barkDeadline / event.Second),
		Summary:         fmt.Sprintf("%s: watching; everything up to %s was seen, %s behind the clock", tenant, event.Time(oldest), time.Duration(lag)*time.Millisecond),
	}, out)
	e.Status = event.AlertFiring
}
