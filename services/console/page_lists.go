package console

import (
	"context"

	"plumbline.dev/services/console/ask"
)

// lastMonth looks back 30 days, whatever the page's own window.
func lastMonth(v *visit) func(*ask.Params) {
	return func(p *ask.Params) { p.From = v.now.Add(-month) }
}

func loadDifferences(ctx context.Context, v *visit) (*content, error) {
	open := flat(v.query)
	open["state"] = "confirmed"
	silent := map[string]string{}
	causes := map[string]string{"integration": v.get("integration")}
	fields := map[string]string{"integration": v.get("integration"), "object": v.get("object")}
	for _, name := range []string{"integration", "object", "field"} {
		silent[name] = v.get(name)
	}
	sheets, err := v.sheets(
		ctx,
		part{name: "silent_failures", values: silent},
		part{name: "drift_by_field", values: fields},
		part{name: "drift_causes", values: causes},
		part{name: "divergences", values: open, limit: 50},
	)
	return &content{Title: "Differences", Sheets: sheets}, err
}

func loadAgents(ctx context.Context, v *visit) (*content, error) {
	sheets, err := v.sheets(ctx, part{name: "agents", limit: 100})
	return &content{Title: "Agents", Sheets: sheets}, err
}

// agentPage is one agent.
type agentPage struct {
	ID, Agent, Tone, State, Reason string
	Tripped                        bool
	Facts, Hours, Silent, Failures *sheet
}

func loadAgent(ctx context.Context, v *visit) (*content, error) {
	name := v.get("agent")
	a, err := v.ask(ctx, "agents", 1, map[string]string{"agent": name})
	if err != nil {
		return nil, err
	}
	sheets, err := v.sheets(
		ctx,
		part{name: "agent_hours", values: map[string]string{"actor_id": name}, limit: 48},
		part{name: "silent_failures", values: map[string]string{"actor_id": name}},
		part{name: "failures", values: map[string]string{"actor_id": name}},
	)
	if err != nil {
		return nil, err
	}
	if len(a.Rows) == 0 && len(sheets[0].Rows) == 0 {
		return nil, errNotThere
	}
	text := func(column string) string { s, _ := a.Value(0, column).(string); return s }
	p := &agentPage{
		ID: text("agent_key"), Agent: name, State: text("state"), Reason: capital(text("reason")), Tripped: text("state") == "tripped",
		Tone: tones[text("state")], Facts: v.sheet(a, "agent", "reason"), Hours: sheets[0], Silent: sheets[1], Failures: sheets[2],
	}
	return &content{Title: name, Data: p}, nil
}

func loadTokens(ctx context.Context, v *visit) (*content, error) {
	sheets, err := v.sheets(ctx, part{name: "token_findings", values: flat(v.query)}, part{name: "tokens", values: flat(v.query), limit: 100})
	return &content{Title: "Tokens", Sheets: sheets}, err
}

func loadRuns(ctx context.Context, v *visit) (*content, error) {
	parts := []part{
		{name: "runs", values: flat(v.query), limit: 40},
		{name: "watermarks", values: flat(v.query), limit: 100},
	}
	if v.person.Tenants == nil { // an account's budget is nobody's in particular
		parts = append(parts, part{name: "api_calls"})
	}
	sheets, err := v.sheets(ctx, parts...)
	return &content{Title: "Comparisons", Sheets: sheets}, err
}

func loadChecklists(ctx context.Context, v *visit) (*content, error) {
	sheets, err := v.sheets(ctx, part{name: "checklists", values: flat(v.query), limit: 200})
	return &content{Title: "Checklists", Sheets: sheets}, err
}

func loadSurface(ctx context.Context, v *visit) (*content, error) {
	sheets, err := v.sheets(
		ctx,
		part{name: "surface", values: flat(v.query), limit: 100},
		part{name: "field_writers", values: flat(v.query), limit: 50},
	)
	return &content{Title: "Integration surface", Sheets: sheets}, err
}

func loadLetters(ctx context.Context, v *visit) (*content, error) {
	sheets, err := v.sheets(
		ctx,
		part{name: "dead_letters_by_origin", values: flat(v.query)},
		part{name: "dead_letters", values: flat(v.query), limit: 50},
	)
	return &content{Title: "Dead letters", Sheets: sheets}, err
}
