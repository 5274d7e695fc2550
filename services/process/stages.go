package process

import (
	"plumbline.dev/pipelines/ledger"
	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
)

// Stages are the steps from intake to deliveries, in the order data flows.
// Enrich puts the verdict on a failed attempt.
func Stages(integrations []config.Integration, enrich func(*event.Attempt)) []Stage {
	return []Stage{
		{
			Name: "resolve", Input: topic.Intake, Changelog: topic.ResolveState,
			Operator: func() stream.Operator { return resolve.New(resolve.Options{Integrations: integrations}) },
		},
		{
			Name: "track", Input: topic.Facts, Changelog: topic.TrackState,
			Operator: func() stream.Operator { return ledger.New(integrations, enrich) },
		},
	}
}
