package alert_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/alert"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// told feeds one event and shows what goes to the alerts topic.
func told(t *testing.T, op stream.Operator, now event.Time, ev event.Event) (out []string) {
	t.Helper()
	var o stream.Out
	ctx := stream.Ctx{Now: now}
	if ev == nil {
		op.Tick(ctx, &o)
	} else {
		op.Step(ctx, "t1", ev, &o)
	}
	for _, x := range o.List {
		if a, ok := x.Event.(*event.Alert); ok && x.Topic == topic.Alerts && a.Rule != event.RuleWatchdog {
			require.NoError(t, a.Validate())
			out = append(out, fmt.Sprintf("%s %s %s %s: %s", a.Status, a.Severity, a.Rule, a.Subject, a.Summary))
		}
	}
	return out
}

func TestTrippedAgentPagesOnceAndResolvesWithItsReset(t *testing.T) {
	op, now := alert.New(""), event.Time(1_767_225_600_000)
	s := &event.AgentState{ID: "g", Tenant: "t1", Kind: "agent", Agent: "enricher", State: event.AgentOK, Since: now}
	require.Empty(t, told(t, op, now, s), "an agent at work is no news")
	s = &event.AgentState{
		ID: "g", Tenant: "t1", Kind: "agent", Agent: "enricher", State: event.AgentTripped, Since: now, Rule: "burst", Reason: "wrote 900 times within a minute", Hour: 900,
	}
	require.Equal(t, []string{"firing page agent.tripped agent/enricher: enricher is stopped: it wrote 900 times within a minute"}, told(t, op, now, s))
	require.Empty(t, told(t, op, now+event.Hour, s), "told once")
	require.Empty(t, told(t, op, now+2*event.Hour, nil), "it stays until a person decides")
	s = &event.AgentState{ID: "g", Tenant: "t1", Kind: "agent", Agent: "enricher", State: event.AgentOK, Since: now, ResetBy: "ana"}
	require.Equal(t, []string{"resolved page agent.tripped agent/enricher: enricher may go on, says ana"}, told(t, op, now+3*event.Hour, s))
	require.Empty(t, told(t, op, now+3*event.Hour, s))
}

func TestTokenFindingsGrowFromTicketToPage(t *testing.T) {
	op, now := alert.New(""), event.Time(1_767_225_600_000)
	signal := func(score, findings string) *event.Signal {
		return &event.Signal{
			ID: "s" + score, Tenant: "t1", Kind: event.SignalToken, System: "salesforce", Token: "drift", StartedAt: now, Summary: findings,
			Detail: []event.Field{{Name: "score", Value: event.Value{Text: score}}, {Name: "findings", Value: event.Value{Text: findings}}},
		}
	}
	require.Equal(t, []string{"firing ticket token.anomaly salesforce/drift: salesforce/drift: new network"}, told(t, op, now, signal("3", "new network")))
	require.Equal(t, []string{"firing page token.anomaly salesforce/drift: salesforce/drift: sweep"}, told(t, op, now, signal("6", "sweep")))
}

// Drift that nobody knows is explained by coverage. Drift that is known and too
// high is not, whatever else is not compared: it must not be inhibited.
func TestWhyItWasNotKnownExplainsNoBreach(t *testing.T) {
	op, now := alert.New(""), event.Time(1_767_225_600_000)
	drift := func(at event.Time, status, cause string) (causes []string) {
		var o stream.Out
		op.Step(stream.Ctx{Now: at}, "t1", &event.Alert{
			ID: "d", Tenant: "t1", Rule: event.RuleDrift, Status: status, Severity: event.Ticket, Priority: event.P1, Subject: "i", CausedBy: cause,
		}, &o)
		op.Tick(stream.Ctx{Now: at}, &o)
		for _, x := range o.List {
			if a, ok := x.Event.(*event.Alert); ok && x.Topic == topic.Alerts && a.ID == "d" {
				causes = append(causes, a.Status+" "+a.CausedBy)
			}
		}
		return causes
	}
	require.Empty(t, drift(now, event.AlertUnknown, "coverage"))
	require.Equal(t, []string{"unknown coverage"}, drift(now+event.Hour, event.AlertUnknown, "coverage"))
	require.Equal(t, []string{"firing "}, drift(now+2*event.Hour, event.AlertFiring, ""))
}
