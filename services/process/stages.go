package process

import (
	"plumbline.dev/pipelines/agent"
	"plumbline.dev/pipelines/alert"
	"plumbline.dev/pipelines/attribute"
	"plumbline.dev/pipelines/drift"
	"plumbline.dev/pipelines/incident"
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/pipelines/ledger"
	"plumbline.dev/pipelines/quota"
	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/retry"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/tally"
	"plumbline.dev/pipelines/token"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// StageOptions is what the stages depend on.
type StageOptions struct {
	Integrations []config.Integration
	Enrich       func(*event.Attempt) // puts the verdict on a failed attempt
	Documented   incident.Documented  // what the runbooks cover; nil: nothing
	Agents       []config.Agent       // what agents may do
	Console      string               // base URL of links in alerts
	MaxIDs       int                  // event ids that a partition remembers, 0 = default
}

// Stages are the steps from intake to deliveries and alerts, in the order data
// flows.
func Stages(o StageOptions) []Stage {
	return []Stage{
		{
			Name: "resolve", Input: topic.Intake, Changelog: topic.ResolveState,
			Operator: func() stream.Operator {
				return resolve.New(resolve.Options{Integrations: o.Integrations, MaxIDs: o.MaxIDs})
			},
		},
		{Name: "track", Input: topic.Facts, Changelog: topic.TrackState, Operator: func() stream.Operator { return track(o) }},
		{Name: "watch", Input: topic.Partials, Changelog: topic.WatchState, Plain: true, Operator: func() stream.Operator { return watch(o) }},
	}
}

// track is the ledger, what counts what it does, and how it is tried again.
func track(o StageOptions) stream.Operator {
	return stream.NewChain(
		stream.Link{Op: ledger.New(o.Integrations, o.Enrich)},
		stream.Link{Name: "@tally", Op: tally.New(o.Integrations)},
		stream.Link{Name: "@agent", Op: agent.NewTally()},
		stream.Link{Name: "@retry", Op: retry.New()},
	)
}

// watch is one fold over everything of a tenant. Each link hears those before
// it: verdicts and quotas explain drift and incidents, incidents count in KPIs, all become alerts.
func watch(o StageOptions) stream.Operator {
	return stream.NewChain(
		stream.Link{Name: "attribute", Op: attribute.New()},
		stream.Link{Name: "quota", Op: quota.New()},
		stream.Link{Name: "drift", Op: drift.New(o.Integrations)},
		stream.Link{Name: "incident", Op: incident.New(incident.Options{Integrations: o.Integrations, Documented: o.Documented})},
		stream.Link{Name: "kpi", Op: kpi.New(o.Integrations)},
		stream.Link{Name: "agent", Op: agent.NewWatch(o.Agents)},
		stream.Link{Name: "token", Op: token.New()},
		stream.Link{Name: "alert", Op: alert.New(o.Console)},
	)
}
