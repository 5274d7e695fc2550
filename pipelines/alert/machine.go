package alert

import (
	"strconv"

	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// agent tells of an agent that is stopped, and that it goes on again.
func (a *Alerts) agent(ctx stream.Ctx, s *event.AgentState, out *stream.Out) {
	subject := s.Kind + "/" + s.Agent
	id := event.AlertID(event.RuleAgent, s.Tenant+"/"+subject)
	tripped := s.State == event.AgentTripped
	if e := a.entries.Get(id); !tripped && (e == nil || !e.Active) {
		return
	}
	value, limit := s.Value, s.Limit
	c := event.Alert{
		ID: id, Status: event.AlertFiring, Severity: event.Page, Priority: event.P1, Rule: event.RuleAgent, Tenant: s.Tenant,
		Integration: s.Integration, Object: s.Object, Subject: subject, Since: event.JSONTime(s.Since), RecordsAffected: s.Hour,
		Value: &value, Target: &limit, Reason: s.Rule, Confidence: 1,
		Summary:   s.Agent + " is stopped: it " + s.Reason,
		FirstStep: "Stop the agent at its gateway, look at what it wrote, plan the way back: plumbline agent plan " + s.Agent,
		SQL:       "SELECT * FROM plumbline.changes WHERE actor_id = '" + s.Agent + "' ORDER BY changed_at DESC LIMIT 1000",
	}
	if !tripped {
		e := a.entries.Change(id)
		e.Latest.Summary = s.Agent + " may go on, says " + s.ResetBy
		a.resolve(ctx, e, out)
		return
	}
	a.condition(ctx, &c, out)
}

// token tells of a credential that is used in a way it never was.
func (a *Alerts) token(ctx stream.Ctx, s *event.Signal, out *stream.Out) {
	subject := s.System + "/" + s.Token
	if s.Token == "" {
		subject = s.System
	}
	c := event.Alert{
		ID: event.AlertID(event.RuleToken, s.Tenant+"/"+subject), Status: event.AlertFiring, Severity: event.Ticket, Priority: event.P2,
		Rule: event.RuleToken, Tenant: s.Tenant, Integration: s.Integration, Subject: subject, Provider: s.System,
		Since: event.JSONTime(s.StartedAt), Reason: detail(s, "findings"), Confidence: 0.6, Summary: subject + ": " + s.Summary,
		FirstStep: "Ask its owner whether this was planned; if not, see what stops with it and revoke it: plumbline token preview",
		SQL:       "SELECT * FROM plumbline.signals WHERE kind = 'token_anomaly' ORDER BY started_at DESC",
	}
	if score, _ := strconv.Atoi(detail(s, "score")); score >= severeToken {
		c.Severity, c.Priority, c.Confidence = event.Page, event.P1, 0.9
	}
	a.condition(ctx, &c, out)
}

// severeToken is the score from which a person is woken (token.Severe).
const severeToken = 5

func detail(s *event.Signal, name string) string {
	v, _ := event.Find(s.Detail, name)
	return v.Text
}
