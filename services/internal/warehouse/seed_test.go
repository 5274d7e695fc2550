package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// seed is a small world that has something of everything: ten people's
// changes that arrived, an agent's, three that silently did not, one that
// stalled, retries good and bad.
func seed(t *testing.T, db *warehouse.DB) {
	t.Helper()
	now := event.At(time.Now())
	put := func(table string, events ...event.Event) {
		require.NoError(t, db.Insert(t.Context(), block(table, "seed-"+table, 1, events...)))
	}
	var changes, attempts, deliveries []event.Event
	at := func(minutes int64) event.Time { return now - event.Time(minutes)*event.Minute }
	change := func(id int, actor event.Actor, minutes int64) {
		n := fmt.Sprint(id)
		changes = append(changes, &event.Change{
			ID: fmt.Sprint("c", n, actor.ID), Integration: "hs-sf", Side: event.Source, System: "hubspot", Account: "62515", Object: "contact", RecordID: n,
			RecordKey: "hs-sf/contact/" + n, Operation: event.OpUpdate, ChangedAt: at(minutes), ReceivedAt: at(minutes), Actor: actor,
			Fields: []event.Field{{Name: "phone", Value: event.Value{Text: "+1 " + n}}},
		})
	}
	deliver := func(id int, state string, minutes int64) {
		n := fmt.Sprint(id)
		d := &event.Delivery{
			ID: "d" + n, Integration: "hs-sf", Object: "contact", RecordKey: "hs-sf/contact/" + n, SourceID: n, TargetID: "003" + n, ChangeID: "c" + n,
			State: state, ChangedAt: at(minutes), ReceivedAt: at(minutes), DueAt: at(minutes - 5), UpdatedAt: at(0), Version: 1,
			Actor: event.Actor{Kind: "user", ID: "ada"},
		}
		switch state {
		case event.StateApplied:
			d.LatencyMS, d.LatencyBasis, d.AcknowledgedAt, d.Attempts = 30_000, event.BasisAppliedEvent, at(minutes), 1
		case event.StateNotApplied:
			d.AcknowledgedAt, d.Attempts = at(minutes), 1
		}
		deliveries = append(deliveries, d)
	}
	try := func(id string, key int, op, outcome string, status int, at event.Time, headers ...event.Field) {
		attempts = append(attempts, &event.Attempt{
			ID: id, Integration: "hs-sf", System: "salesforce", Object: "contact", Operation: op, Outcome: outcome, Status: status,
			RecordKey: fmt.Sprint("hs-sf/contact/", key), OccurredAt: at, ReceivedAt: at, Token: "tok_sf",
			Actor: event.Actor{Kind: "integration", ID: "worker"}, Headers: headers,
		})
	}
	ada, enricher := event.Actor{Kind: "user", ID: "ada"}, event.Actor{Kind: "agent", ID: "enricher"}
	for id := 1; id <= 10; id++ {
		change(id, ada, 60)
		try(fmt.Sprint("ok", id), id, event.OpUpdate, event.OutcomeOK, 200, at(59))
		state := event.StateApplied
		if id == 4 {
			state = event.StateNotApplied
		}
		deliver(id, state, 60)
	}
	deliver(20, event.StateStalled, 120)
	change(1, enricher, 120)
	change(2, enricher, 120)
	change(9, enricher, 120)
	changes = append(changes, &event.Change{ // the sync user's own echo
		ID: "echo5", Integration: "hs-sf", Side: event.Target, System: "salesforce", Account: "00D1", Object: "contact", RecordID: "0035",
		RecordKey: "hs-sf/contact/5", Operation: event.OpUpdate, ChangedAt: at(59), ReceivedAt: at(59),
		Actor: event.Actor{Kind: "integration", ID: "sync"}, Fields: []event.Field{{Name: "Phone", Value: event.Value{Text: "+1 5"}}},
	})
	changes[0].(*event.Change).Fields = append(changes[0].(*event.Change).Fields, event.Field{Name: "stage"})
	for i := range 4 { // a permanent error, again and again, ever more patiently
		try(fmt.Sprint("perm", i), 11, event.OpUpdate, event.OutcomeError, 400, at(50)+event.Time(i*i)*event.Minute)
	}
	try("early1", 12, event.OpUpdate, event.OutcomeError, 429, at(40), event.Field{Name: "retry-after", Value: event.Value{Text: "10"}})
	try("early2", 12, event.OpUpdate, event.OutcomeOK, 200, at(40)+2000)
	try("unsafe1", 13, event.OpCreate, event.OutcomeError, 504, at(30))
	try("unsafe2", 13, event.OpCreate, event.OutcomeOK, 201, at(29))
	put("changes", changes...)
	put("attempts", attempts...)
	put("deliveries", deliveries...)
	put("failures", failures(at)...)
	put("divergences", divergences(at)...)
	put("signals", &event.Signal{
		ID: "s1", Integration: "hs-sf", Kind: event.SignalSchemaChange, System: "salesforce", Object: "contact", Field: "phone",
		StartedAt: at(600), ReceivedAt: at(600), Summary: "phone became a picklist",
	})
	put("explanations", &event.Explanation{
		ID: "x1", Integration: "hs-sf", Object: "contact", Field: "phone", Kind: event.SignalSchemaChange, CauseID: "s1", Cause: "schema change: phone became a picklist",
		CauseAt: at(600), FirstAt: at(55), Rank: 1, From: at(602), Divergences: 3, Of: 3, Sentence: "3 of 3", FirstStep: "compare the map", UpdatedAt: at(50), Version: 1,
	})
	require.NoError(t, db.WriteIntegrations(t.Context(), []config.Integration{{ID: "hs-sf", Objects: []config.Object{{
		Name: "contact", Impact: &config.Impact{Field: "revenue", Currency: "EUR"}, Fields: []config.FieldMap{{Source: "phone"}, {Source: "revenue"}},
	}}}}))
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO crm_records (tenant, integration, object, side, record_id, norms, version) VALUES "+
		"('default', 'hs-sf', 'contact', 'source', '1', ['+11', '5000'], 1), ('default', 'hs-sf', 'contact', 'target', '0032', ['+12', '7300'], 1)"))
	put("incidents", incidents(at)...)
	put("reconciliations",
		&event.Reconciliation{ID: "r1", Integration: "hs-sf", Object: "contact", Field: "phone", Run: "1", State: event.RunComplete, Critical: true, ScheduleMS: event.Hour, StartedAt: at(300), ComparedThrough: at(300), UpdatedAt: at(300), Version: 1},
		&event.Reconciliation{ID: "r2", Integration: "hs-sf", Object: "contact", Field: "stage", Run: "1", State: event.RunComplete, Critical: true, ScheduleMS: event.Hour, StartedAt: at(20), ComparedThrough: at(20), UpdatedAt: at(20), Version: 1})
	put("dead_letters", &event.DeadLetter{ID: "l1", Origin: "hook:hubspot-main", Code: "undecodable", Reason: "not JSON", ReceivedAt: at(5), Bytes: []byte("{")})
}

func failures(at func(int64) event.Time) []event.Event {
	var out []event.Event
	add := func(attempt string, key int, class, recoverability, by, why string) {
		out = append(out, &event.Failure{
			ID: "f" + attempt, Integration: "hs-sf", AttemptID: attempt, RecordKey: fmt.Sprint("hs-sf/contact/", key), Provider: "salesforce",
			Object: "contact", Operation: event.OpUpdate, OccurredAt: at(45), ReceivedAt: at(45), Origin: event.OriginError, Version: 1,
			Verdict: event.Verdict{Class: class, Recoverability: recoverability, Attribution: by, LikelyCause: why, Version: "1"},
		})
	}
	for i := range 4 {
		add(fmt.Sprint("perm", i), 11, event.ClassSchema, event.Permanent, event.ByCustomer, "a picklist value")
	}
	add("early1", 12, event.ClassRateLimit, event.Temporary, event.ByPipeline, "too many calls")
	add("unsafe1", 13, event.ClassNetwork, event.Temporary, event.ByPipeline, "gateway timeout")
	return out
}

func divergences(at func(int64) event.Time) []event.Event {
	var out []event.Event
	for id := 1; id <= 3; id++ {
		n := fmt.Sprint(id)
		out = append(out, &event.Divergence{
			ID: "v" + n, Integration: "hs-sf", Object: "contact", RecordKey: "hs-sf/contact/" + n, SourceID: n, TargetID: "003" + n, DeliveryID: "d" + n,
			Field: "phone", Kind: "value_mismatch", State: "confirmed", SourceValue: event.Value{Text: "+1 " + n}, TargetValue: event.Value{Text: "x", Mask: "+1 ***"},
			FirstSeenAt: at(55), ConfirmedAt: at(50), UpdatedAt: at(50), Version: 1,
		})
	}
	return append(out, &event.Divergence{
		ID: "v9", Integration: "hs-sf", Object: "contact", RecordKey: "hs-sf/contact/9", DeliveryID: "d9", Field: "stage", Kind: "value_mismatch",
		State: "resolved", FirstSeenAt: at(55), ConfirmedAt: at(50), ResolvedAt: at(10), UpdatedAt: at(10), Version: 2,
	})
}

func incidents(at func(int64) event.Time) []event.Event {
	one := func(id, by string, from, to int64) *event.Incident {
		i := &event.Incident{
			ID: id, Integration: "hs-sf", Object: "contact", Fingerprint: "fp1", Kind: event.IncidentOfFailures, State: event.IncidentOpen, Priority: event.P1,
			Title: "picklist refused", OnsetAt: at(from), DetectedAt: at(from), LastAt: at(from), AcknowledgedBy: by, UpdatedAt: at(0), Version: 1,
		}
		if to > 0 {
			i.State, i.ResolvedAt = event.IncidentResolved, at(to)
		}
		return i
	}
	other := one("i3", "ada", 240, 180)
	other.Fingerprint = "fp2"
	return []event.Event{one("i1", "ada", 360, 240), one("i2", "", 300, 0), other}
}
