package standalone

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
	"plumbline.dev/services/notify"
)

// What a person reads on Monday, from what ClickHouse holds.
func TestDigestReadsWell(t *testing.T) {
	db := warehousetest.New(t)
	in := []config.Integration{
		{ID: "billing", Tenant: "t", Mode: config.Realtime, Attempts: config.AttemptsFull, Priority: "P2", Objects: []config.Object{{Name: "contact"}}},
		{ID: "hs-sf", Tenant: "t", Mode: config.Realtime, Attempts: config.AttemptsFull, Priority: "P1", Objects: []config.Object{{Name: "contact"}, {
			Name: "deal", Impact: &config.Impact{Field: "amount", When: "open", Currency: "USD"}, Fields: []config.FieldMap{{Source: "amount"}, {Source: "dealstage"}},
		}}},
	}
	require.NoError(t, db.WriteIntegrations(t.Context(), in))
	slot := time.Now().UTC().Truncate(time.Hour)
	ago := func(d time.Duration) event.Time { return event.At(slot.Add(-d)) }
	rows := map[string][]event.Event{}
	attempts := func(id string, n, bad int, at event.Time) {
		for i := range n {
			a := &event.Attempt{ID: fmt.Sprint(id, at, i), Tenant: "t", Integration: id, Object: "contact", Operation: event.OpUpdate, Outcome: event.OutcomeOK, RecordKey: fmt.Sprint(i), OccurredAt: at, ReceivedAt: at}
			if i < bad {
				a.Outcome, a.Verdict = event.OutcomeError, &event.Verdict{Class: event.ClassSchema, Fingerprint: "f"}
			}
			rows["attempts"] = append(rows["attempts"], a)
		}
	}
	attempts("hs-sf", 100, 8, ago(30*time.Hour))
	attempts("hs-sf", 100, 1, ago(9*24*time.Hour))
	attempts("billing", 50, 0, ago(30*time.Hour))
	rows["incidents"] = append(rows["incidents"], &event.Incident{
		ID: "i1", Tenant: "t", Integration: "hs-sf", Fingerprint: "f", Kind: event.IncidentOfFailures, State: event.IncidentOpen, Priority: event.P1,
		Title: "salesforce refuses contact writes: schema (400)", Records: []string{"deal/1", "deal/2#dealstage", "contact/1"},
		OnsetAt: ago(30 * time.Hour), DetectedAt: ago(30 * time.Hour), LastAt: ago(time.Hour), UpdatedAt: ago(time.Hour), Version: 1,
	})
	for i := range 3 {
		d := &event.Delivery{
			ID: fmt.Sprint("d", i), Tenant: "t", Integration: "hs-sf", Object: "contact", RecordKey: fmt.Sprint("hs-sf/contact/", i), State: event.StateNotApplied, ChangedAt: ago(20 * time.Hour), ReceivedAt: ago(20 * time.Hour),
			DueAt: ago(19 * time.Hour), AcknowledgedAt: ago(20 * time.Hour), UpdatedAt: ago(19 * time.Hour), StartBasis: event.TimeEvent, Attempts: 1, Version: 1,
		}
		rows["deliveries"] = append(rows["deliveries"], d)
	}
	for _, key := range []string{"1", "2", "3"} { // the incident is about two of them
		rows["divergences"] = append(rows["divergences"], &event.Divergence{
			ID: "v" + key, Tenant: "t", Integration: "hs-sf", Object: "deal", RecordKey: key, SourceID: key, Field: "dealstage", Kind: event.ValueMismatch,
			State: event.DivergenceConfirmed, FirstSeenAt: ago(time.Hour), ConfirmedAt: ago(time.Hour), UpdatedAt: ago(time.Hour), Version: 1,
		})
		require.NoError(t, db.Exec(t.Context(), "INSERT INTO crm_records (tenant, integration, object, side, record_id, norms, version) VALUES ('t', 'hs-sf', 'deal', 'source', ?, ?, 1)",
			key, []string{"2000" + key, "prospecting"}))
	}
	for table, list := range warehousetest.Minutes(event.At(slot), in, rows["attempts"], rows["deliveries"]) {
		rows[table] = append(rows[table], list...)
	}
	for table, list := range rows {
		byMonth := map[int][]event.Event{}
		for _, ev := range list {
			m := warehouse.FindTable(table).Month(ev)
			byMonth[m] = append(byMonth[m], ev)
		}
		for m, events := range byMonth {
			b := warehouse.Block{Table: warehouse.FindTable(table), QueryID: fmt.Sprint("q", table, m), Token: fmt.Sprint(table, m)}
			for i, ev := range events {
				b.Rows = append(b.Rows, warehouse.Row{Topic: "t", Epoch: "e", Offset: int64(i), Event: ev})
			}
			require.NoError(t, db.Insert(t.Context(), b))
		}
	}
	d := &notify.Digest{Zone: time.UTC, Read: db.Read}
	headline, text, err := d.Letter(t.Context(), "t", slot, "http://console")
	require.NoError(t, err)
	require.Equal(t, "Week to "+slot.Format("2 January")+", t: 3 records silently failed, 1 incident open", headline)
	require.Contains(t, text, `Silently failed (reported as synced, and still not equal):
- hs-sf: 3 contacts

At stake:
- hs-sf: 60 k USD open on 3 deal records whose dealstage differs; known on 3 of 3

hs-sf (the worst)
- sync success: 92.00 %, breach; the week before 99.00 %
`)
	require.Contains(t, text, "\nbilling\n- sync success: 100.00 %\n")
	require.Contains(t, text, "- time to repair: ≥ 30.0 h, breach\n")
	require.Contains(t, text, "- coverage: not known (no data)\n")
	require.Contains(t, text, "- P1 hs-sf, open for 30.0 h, nobody has it: salesforce refuses contact writes: schema (400)\n")
	require.Contains(t, text, "To look at (plumbline runbook checklist):\n- weekly: Accepted differences")
	worth, err := notify.Worth(db.Read, &event.Alert{Tenant: "t", Integration: "hs-sf", Rule: event.RuleIncident, IncidentID: "i1"})
	require.NoError(t, err)
	require.Equal(t, "40 k USD on 2 of 2 records that still differ", worth)
	worth, err = notify.Worth(db.Read, &event.Alert{Tenant: "t", Integration: "hs-sf", Rule: event.RuleDrift})
	require.NoError(t, err)
	require.Equal(t, "60 k USD on 3 of 3 records that still differ", worth)
	worth, err = notify.Worth(db.Read, &event.Alert{Tenant: "other", Integration: "hs-sf", Rule: event.RuleDrift})
	require.NoError(t, err)
	require.Empty(t, worth, "another tenant's is not told")
	_, other, err := d.Letter(t.Context(), "nobody", slot, "http://console")
	require.NoError(t, err)
	require.NotContains(t, other, "hs-sf", "another tenant's are not told")
}
