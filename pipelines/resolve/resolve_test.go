package resolve_test

import (
	"testing"

	"plumbline.dev/pipelines/resolve"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/config"
)

func integrations() []config.Integration {
	return []config.Integration{
		{
			ID: "hs-sf", Tenant: "default",
			Source: config.Endpoint{System: "hubspot", Account: "1"},
			Target: config.Endpoint{System: "salesforce", Account: "00D"},
			Objects: []config.Object{
				{Name: "contact", Source: "contact", Target: config.List[string]{"Lead", "Contact"}},
				{Name: "company", Source: "company", Target: config.List[string]{"Account"}, Key: config.List[config.Key]{
					{Source: "salesforceaccountid", Target: "Id"}, {Source: "domain", Target: "Website", Normalize: "text"},
				}},
			},
		},
		{
			ID: "hs-wh", Tenant: "default",
			Source:  config.Endpoint{System: "hubspot", Account: "1"},
			Target:  config.Endpoint{System: "warehouse"},
			Objects: []config.Object{{Name: "person", Source: "contact", Target: config.List[string]{"contacts"}}},
		},
	}
}

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Operator: func(*streamtest.Scenario) (stream.Operator, error) {
			return resolve.New(resolve.Options{Integrations: integrations(), KeepHours: 26, MaxIDs: 1000, WaitLimit: 2}), nil
		},
	})
}
