package ledger

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/streamtest"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// integrations is what the scenarios are played on: a real-time sync with a
// field map whose worker reports its attempts, the same one where nobody does,
// and a batch one without a map.
func integrations() []config.Integration {
	contact := []config.Object{{
		Name: "contact", Source: "contact", Target: config.List[string]{"Contact"},
		Fields: []config.FieldMap{
			{Source: "email", Target: "Email", Compare: "email"},
			{Source: "phone", Target: "Phone", Compare: "phone"},
			{Source: "stage", Target: "Stage__c", Compare: "picklist", Map: map[string]string{"lead": "Lead", "customer": "Customer"}},
			{Source: "company", Target: "AccountId", Compare: "reference"},
		},
	}}
	rules := []config.Object{{
		Name: "contact", Source: "contact", Target: config.List[string]{"Contact"},
		Fields: []config.FieldMap{
			{Source: "email", Target: "Email", Compare: "email", Rule: "source_wins"},
			{Source: "phone", Target: "Phone", Compare: "phone", Rule: "target_unless_blank"},
			{Source: "stage", Target: "Stage__c", Rule: "target_wins"},
			{Source: "city", Target: "City", Rule: "source_unless_blank"},
		},
	}}
	return []config.Integration{
		{
			ID: "hs-sf", Tenant: "default", Mode: config.Realtime, Attempts: config.AttemptsFull, Objects: contact,
			Source: config.Endpoint{System: "hubspot", SyncUser: "hs-sync"},
			Target: config.Endpoint{System: "salesforce", SyncUser: "005SYNC"},
		},
		{
			ID: "polled", Tenant: "default", Mode: config.Realtime, Attempts: config.AttemptsNone, Objects: contact,
			Source: config.Endpoint{System: "hubspot", SyncUser: "integration"},
			Target: config.Endpoint{System: "salesforce", SyncUser: "005SYNC"},
		},
		{
			ID: "two-way", Tenant: "default", Mode: config.Realtime, Attempts: config.AttemptsFull, Bidirectional: true, Objects: rules,
			Source: config.Endpoint{System: "hubspot", SyncUser: "hs-sync"},
			Target: config.Endpoint{System: "salesforce", SyncUser: "005SYNC"},
		},
		{
			ID: "one-way", Tenant: "default", Mode: config.Realtime, Attempts: config.AttemptsFull, Objects: rules,
			Source: config.Endpoint{System: "hubspot", SyncUser: "hs-sync"},
			Target: config.Endpoint{System: "salesforce", SyncUser: "005SYNC"},
		},
		{
			ID: "hs-wh", Tenant: "default", Mode: config.Batch,
			Source:  config.Endpoint{System: "hubspot"},
			Target:  config.Endpoint{System: "warehouse"},
			Objects: []config.Object{{Name: "contact", Source: "contact", Target: config.List[string]{"contacts"}}},
		},
	}
}

// byStatus stands in for classification: the ledger only needs to know
// whether trying again can help, and whether anybody knows.
func byStatus(a *event.Attempt) {
	v := &event.Verdict{Class: event.ClassOther, Recoverability: event.Temporary, Attribution: event.ByUnknown}
	switch {
	case a.Status >= 500:
		v.Class = event.ClassVendorOutage
	case a.Status >= 400:
		v.Class, v.Recoverability = event.ClassSchema, event.Permanent
	}
	a.Verdict = v
}

func TestScenarios(t *testing.T) {
	streamtest.Run(t, streamtest.Options{
		Settings: []string{"learn_after"},
		Operator: func(s *streamtest.Scenario) (stream.Operator, error) {
			return newOperator(integrations(), byStatus, learnsAfter(s)), nil
		},
		Format: (*streamtest.Scenario).Changes,
	})
}

// learnsAfter is how many samples make a habit: few, in a scenario about it.
func learnsAfter(s *streamtest.Scenario) int {
	if n, err := strconv.Atoi(s.Settings["learn_after"]); err == nil {
		return n
	}
	return learnAfter
}

// A vendor's clock that is ten years ahead must not keep a delivery open for
// ten years.
func TestDueDoesNotBelieveAClockFarAhead(t *testing.T) {
	p := pace{deadline: realtimeDeadline}
	now := event.Time(1_790_000_000_000)
	require.Equal(t, now+10*event.Minute, p.due(&event.Change{ChangedAt: now + 3650*event.Day, ReceivedAt: now}))
	require.Equal(t, now+event.Minute+realtimeDeadline, p.due(&event.Change{ChangedAt: now + event.Minute, ReceivedAt: now}))
}
