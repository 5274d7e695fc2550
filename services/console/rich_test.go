package console_test

import (
	"fmt"
	"testing"
	"time"

	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// text is a field of an event.
func text(name, value string) event.Field {
	return event.Field{Name: name, Value: event.Value{Text: value}}
}

const richKey = "hubspot-salesforce/contact/101"

// rich is a believable day with something on every page: an incident, a record
// with a story, a stopped agent, a strange token, dead letters, comparisons.
func rich(t testing.TB) *world {
	w := believable(t)
	sync := event.Actor{Kind: event.ActorIntegration, ID: "005SYNC"}
	w.list[0].Owner = "revops@example.com"
	w.list[0].Objects[0].Fields = []config.FieldMap{{Source: "lifecyclestage", Target: "Lifecycle__c"}, {Source: "email", Target: "Email"}}
	w.incident("inc-1", func(i *event.Incident) {
		i.Records = []string{"contact/" + richKey}
		i.Steps = []event.Step{{Step: "acknowledge", By: "anna", At: ago(50 * time.Minute)}}
	})
	w.incident("inc-2", func(i *event.Incident) {
		i.Title, i.Priority, i.Class, i.State, i.ResolvedAt = "Salesforce throttled the sync", "P2", event.ClassRateLimit, event.IncidentResolved, ago(3*time.Hour)
		i.DetectedAt, i.OnsetAt = ago(6*time.Hour), ago(6*time.Hour)
	})
	w.add("agent_states", &event.AgentState{
		ID: "g", Tenant: "default", Integration: "hubspot-salesforce", Kind: "agent", Agent: "enricher", State: event.AgentTripped, Since: ago(9 * time.Minute),
		Rule: "loop", Reason: "wrote the same 40 records again and again: 1,240 writes in 5 minutes", Minute: 250, Hour: 1240, Day: 1980, Limit: 60,
		Token: "enrich-key", UpdatedAt: ago(time.Minute), Version: 1,
	}, &event.AgentState{
		ID: "g2", Tenant: "default", Kind: "automation", Agent: "lead-router", State: event.AgentOK, Since: ago(9 * time.Hour), Hour: 22, Day: 310,
		UpdatedAt: ago(time.Minute), Version: 1,
	})
	for i, s := range []event.Signal{
		{Kind: event.SignalToken, Token: "drift", Summary: "first used from 185.220.101.0/24", Detail: []event.Field{text("findings", "new_network")}},
		{Kind: event.SignalPicklistChange, Object: "contact", Field: "Lifecycle__c", Summary: "Lifecycle__c lost the value Evangelist"},
		{Kind: event.SignalQuota, Summary: "62 % of the daily calls are used: writes stop about 19:40 UTC"},
	} {
		s.ID, s.Tenant, s.Integration, s.System = fmt.Sprint("s", i), "default", "hubspot-salesforce", "salesforce"
		s.StartedAt = ago(time.Duration(40+i) * time.Minute)
		s.ReceivedAt = s.StartedAt
		w.add("signals", &s)
	}
	w.story(sync)
	for i := range 30 {
		w.divergence(fmt.Sprint("hubspot-salesforce/contact/", 200+i), []string{"Lifecycle__c", "Phone", "OwnerId"}[i%3], sync)
	}
	w.compared("hubspot-salesforce", 4000)
	for i := range 6 {
		w.add("dead_letters", &event.DeadLetter{
			ID: fmt.Sprint("letter-", i), Tenant: "default", Origin: "v1/attempts:sync-worker", Reason: "occurred_at is missing", Code: "invalid",
			ReceivedAt: ago(time.Duration(i) * time.Minute), Bytes: []byte(`{"integration":"hubspot-salesforce"}`),
		})
	}
	w.store()
	return w
}

func (w *world) add(table string, events ...event.Event) {
	w.rows[table] = append(w.rows[table], events...)
}

func (w *world) incident(id string, change ...func(*event.Incident)) {
	i := &event.Incident{
		ID: id, Tenant: "default", Integration: "hubspot-salesforce", Object: "contact", Fingerprint: "schema", Kind: "failures", State: event.IncidentOpen,
		Priority: "P1", Class: event.ClassSchema, Attribution: event.ByCustomer, Confidence: 0.9, Recoverability: event.Permanent, Provider: "salesforce",
		Title: "Lifecycle stage: bad value for restricted picklist field", Evidence: "the vendor's code says so; the value was removed 41 minutes ago",
		FirstStep: "compare the picklist map with Salesforce's current values and add the missing option", OnsetAt: ago(70 * time.Minute),
		DetectedAt: ago(time.Hour), LastAt: ago(time.Minute), Failures: 29, Affected: 29, Open: 21, Fingerprints: []string{"schema"}, Predicate: "integration = 'hubspot-salesforce' AND fingerprint = 'schema'",
		UpdatedAt: ago(time.Minute), Version: 1,
	}
	for _, f := range change {
		f(i)
	}
	w.add("incidents", i)
}

func (w *world) divergence(key, field string, by event.Actor) {
	w.n++
	w.add("divergences", &event.Divergence{
		ID: fmt.Sprint("v", w.n), Tenant: "default", Integration: "hubspot-salesforce", Object: "contact", RecordKey: key, Field: field,
		Kind: event.ValueMismatch, Difference: "picklist", State: event.DivergenceConfirmed, SourceValue: event.Value{Text: "evangelist"},
		TargetValue: event.Value{Text: "Other"}, TargetWriter: by, FirstSeenAt: ago(time.Hour), ConfirmedAt: ago(30 * time.Minute),
		FoundBy: "reconcile", Cause: "Lifecycle__c lost the value Evangelist", UpdatedAt: ago(time.Minute), Version: 1,
	})
}

// story is one record: changed, tried, echoed, looked at, different.
func (w *world) story(by event.Actor) {
	const in, object = "hubspot-salesforce", "contact"
	person := event.Actor{Kind: event.ActorUser, ID: "anna@example.com"}
	w.add("changes", &event.Change{
		ID: "c-101", Tenant: "default", Integration: in, Side: "source", System: "hubspot", Object: object, RecordID: "101", RecordKey: richKey, Account: "62515",
		Operation: event.OpUpdate, ChangedAt: ago(45 * time.Minute), ReceivedAt: ago(45 * time.Minute), Hook: "hubspot-main", Actor: person,
		Fields: []event.Field{text("lifecyclestage", "evangelist"), text("email", "#a1b2")},
	}, &event.Change{
		ID: "c-102", Tenant: "default", Integration: in, Side: "target", System: "salesforce", Object: object, RecordID: "003A", RecordKey: richKey,
		Operation: event.OpUpdate, ChangedAt: ago(44 * time.Minute), ReceivedAt: ago(44 * time.Minute), Actor: by, Fields: []event.Field{text("Lifecycle__c", "Other")},
	}, &event.Change{
		ID: "c-103", Tenant: "default", Integration: in, Side: "source", System: "hubspot", Object: object, RecordID: "102", RecordKey: "hubspot-salesforce/contact/102",
		Operation: event.OpUpdate, ChangedAt: ago(8 * time.Minute), ReceivedAt: ago(8 * time.Minute), Actor: event.Actor{Kind: event.ActorAgent, ID: "enricher"},
		Token: "enrich-key", Fields: []event.Field{text("lifecyclestage", "lead")},
	})
	w.add("attempts", &event.Attempt{
		ID: "a-101", Tenant: "default", Integration: in, Object: object, Operation: event.OpUpdate, Outcome: event.OutcomeOK, Status: 204, RecordKey: richKey,
		OccurredAt: ago(44 * time.Minute), ReceivedAt: ago(44 * time.Minute), Sender: "sync-worker", System: "salesforce", Actor: by, Token: "sync-key",
		SourceID: "101", TargetID: "003A", DurationMS: 210,
	})
	w.add("observations", &event.Observation{
		ID: "o-101", Tenant: "default", Integration: in, Side: "target", System: "salesforce", Object: object, RecordID: "003A", RecordKey: richKey,
		ObservedAt: ago(10 * time.Minute), ReceivedAt: ago(10 * time.Minute), FoundBy: "readback", Whole: true, Writer: by,
		Fields: []event.Field{text("Lifecycle__c", "Other"), text("Email", "#a1b2")},
	})
	w.deliveries(in, 1, ago(45*time.Minute), event.StateNotApplied, 0, func(d *event.Delivery) {
		d.RecordKey, d.SourceID, d.TargetID, d.Coerced = richKey, "101", "003A", true
	})
	w.failure(in, "schema", ago(43*time.Minute), vendorWords(0), func(f *event.Failure) { f.RecordKey = richKey })
	w.divergence(richKey, "lifecyclestage", by)
}
