package ledger_test

import (
	"testing"

	"plumbline.dev/pipelines/ledger"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// integrations is what the scenarios are played on: a real-time sync with a
// field map, and a batch one without.
func integrations() []config.Integration {
	return []config.Integration{
		{
			ID: "hs-sf", Tenant: "default", Mode: config.Realtime, Attempts: config.AttemptsFull,
			Source: config.Endpoint{System: "hubspot", SyncUser: "hs-sync"},
			Target: config.Endpoint{System: "salesforce", SyncUser: "005SYNC"},
			Objects: []config.Object{{
				Name: "contact", Source: "contact", Target: config.List[string]{"Contact"},
				Fields: []config.FieldMap{
					{Source: "email", Target: "Email", Compare: "email"},
					{Source: "phone", Target: "Phone", Compare: "phone"},
					{Source: "stage", Target: "Stage__c", Compare: "picklist", Map: map[string]string{"lead": "Lead", "customer": "Customer"}},
				},
			}},
		},
		{
			ID: "hs-wh", Tenant: "default", Mode: config.Batch,
			Source:  config.Endpoint{System: "hubspot"},
			Target:  config.Endpoint{System: "warehouse"},
			Objects: []config.Object{{Name: "contact", Source: "contact", Target: config.List[string]{"contacts"}}},
		},
	}
}

// permanentBelow500 stands in for classification: the ledger only needs to
// know whether trying again can help.
func permanentBelow500(a *event.Attempt) {
	v := &event.Verdict{Class: event.ClassOther, Recoverability: event.Temporary, Attribution: event.ByUnknown}
	if a.Status >= 400 && a.Status < 500 {
		v.Class, v.Recoverability = event.ClassSchema, event.Permanent
	}
	a.Verdict = v
}

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Operator: func(*streamtest.Scenario) (stream.Operator, error) {
			return ledger.New(integrations(), permanentBelow500), nil
		},
	})
}
