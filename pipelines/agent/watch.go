package agent

import (
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Watch is the operator on partials.
type Watch struct {
	agents *stream.Keyed[Agent, *Agent]
}

// NewWatch makes the operator of one partition of partials.
func NewWatch(agents []config.Agent) *Watch {
	return &Watch{agents: stream.NewKeyed[Agent](watchFold{newRoster(agents)})}
}

// Step implements stream.Operator.
func (w *Watch) Step(ctx stream.Ctx, _ string, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Activity:
		if watchedKind(e.Actor.Kind) && e.Actor.ID != "" {
			w.agents.Step(ctx, agentKey(e.Tenant, e.Actor), ev, out)
		}
	case *event.Signal:
		if watchedKind(e.Actor.Kind) && e.Actor.ID != "" && (e.Kind == event.SignalBulkImport || e.Kind == event.SignalAgentRun) {
			w.agents.Step(ctx, agentKey(e.Tenant, e.Actor), ev, out)
		}
	case *event.Click:
		if e.Kind == event.ClickReset {
			w.agents.Step(ctx, e.Subject, ev, out)
		}
	}
}

// Tick implements stream.Operator.
func (w *Watch) Tick(ctx stream.Ctx, out *stream.Out) { w.agents.Tick(ctx, out) }

// Save implements stream.State.
func (w *Watch) Save(emit stream.Emit) error { return w.agents.Save(emit) }

// Rewrite implements stream.State.
func (w *Watch) Rewrite(n int, emit stream.Emit) (bool, error) { return w.agents.Rewrite(n, emit) }

// Load implements stream.State.
func (w *Watch) Load(key string, value []byte) error { return w.agents.Load(key, value) }

// watchedKind: people are not watched, and a sync or an announced import is
// the integration's own business.
func watchedKind(kind string) bool { return kind == event.ActorAgent || kind == event.ActorAutomation }

// agentKey is the key on agent-states, and what a reset names.
func agentKey(tenant string, a event.Actor) string { return tenant + "/" + a.Kind + "/" + a.ID }

type watchFold struct{ roster roster }

// Step implements stream.Fold.
func (f watchFold) Step(ctx stream.Ctx, key string, a *Agent, ev event.Event, out *stream.Out) {
	switch e := ev.(type) {
	case *event.Activity:
		if a.ID == "" {
			a.Tenant, a.Kind, a.ID, a.First = e.Tenant, e.Actor.Kind, e.Actor.ID, e.Second
			a.Told.State, a.Told.Since = event.AgentOK, e.Second
		}
		a.take(e)
		f.look(ctx, key, a, e, out)
	case *event.Signal:
		if a.ID == "" {
			a.Tenant, a.Kind, a.ID, a.First, a.Last = e.Tenant, e.Actor.Kind, e.Actor.ID, ctx.Now, ctx.Now
			a.Told.State, a.Told.Since = event.AgentOK, ctx.Now
		}
		a.excuse(e)
	case *event.Click:
		f.reset(ctx, key, a, e, out)
	}
}

// look trips an agent that breaks a rule, and tells how it stands once a minute.
func (f watchFold) look(ctx stream.Ctx, key string, a *Agent, e *event.Activity, out *stream.Out) {
	if a.Told.State == event.AgentTripped {
		return // told again by the timer
	}
	b, broken := judge(a, f.roster.limits(a.ID), e, a.excused(e))
	if broken {
		a.Told = Told{
			State: event.AgentTripped, Rule: b.rule, Reason: b.reason, Integration: e.Integration, Object: e.Object,
			Field: b.field, Run: e.Actor.Run, Token: e.Token, Value: b.value, Limit: b.limit, Since: e.Second, Onset: e.First,
		}
		a.tell(ctx, key, out)
		return
	}
	if a.Told.At/event.Minute != ctx.Now/event.Minute {
		a.tell(ctx, key, out)
	}
}

// reset lets a tripped agent go on. Its windows begin anew: what tripped it
// must not trip it again at once.
func (f watchFold) reset(ctx stream.Ctx, key string, a *Agent, c *event.Click, out *stream.Out) {
	if a.ID == "" || a.Told.State != event.AgentTripped {
		return
	}
	a.Minutes, a.Hours, a.Days = [60]Counts{}, [24]Counts{}, [28]Counts{}
	a.Runs, a.Fields = nil, nil
	a.Told = Told{State: event.AgentOK, Since: ctx.Now, ResetBy: c.By}
	a.tell(ctx, key, out)
}

// Timer implements stream.Fold.
func (f watchFold) Timer(ctx stream.Ctx, key string, a *Agent, out *stream.Out) {
	if a.Told.State == event.AgentTripped {
		a.roll(ctx.Now)
		a.tell(ctx, key, out)
		return
	}
	*a = Agent{}
}

// tell writes the agent as it now stands.
func (a *Agent) tell(ctx stream.Ctx, key string, out *stream.Out) {
	a.Told.At = ctx.Now
	minute, hour, day := a.over(1), a.over(60), a.day()
	t := &a.Told
	s := &event.AgentState{
		ID: event.Hash("agent", a.Tenant, a.Kind, a.ID), Tenant: a.Tenant, Kind: a.Kind, Agent: a.ID, State: t.State, Since: t.Since,
		Rule: t.Rule, Reason: t.Reason, Integration: t.Integration, Object: t.Object, Field: t.Field, Run: t.Run, Token: t.Token,
		Value: t.Value, Limit: t.Limit, OnsetAt: t.Onset, Minute: minute.tried(), Hour: hour.tried(), Day: day.tried(),
		UpdatedAt: ctx.Now, ResetBy: t.ResetBy, Version: ctx.Version,
	}
	if r := a.run(t.Run); r != nil {
		s.RunWrites = r.Writes
	}
	out.Emit(topic.AgentStates, key, s)
}
