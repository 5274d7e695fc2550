package warehouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

type checklistRow struct {
	Item     string `ch:"item"`
	State    string `ch:"state"`
	Finding  string `ch:"finding"`
	TickedBy string `ch:"ticked_by"`
}

// Every item of the checklists has a state, from data where data tells, and
// from people where it does not.
func TestChecklists(t *testing.T) {
	k := newKPIs(t)
	now := event.At(time.Now())
	read := func() map[string]checklistRow {
		k.store()
		var rows []checklistRow
		require.NoError(t, k.db.Query(t.Context(), &rows, "SELECT item, state, finding, ticked_by FROM checklists WHERE integration = 'i'"))
		out := map[string]checklistRow{}
		for _, r := range rows {
			require.NotContains(t, out, r.Item, "one row an item")
			out[r.Item] = r
		}
		return out
	}
	got := read()
	require.Len(t, got, 27)
	require.Equal(t, "ok", got["daily.incidents"].State)
	require.Equal(t, "due", got["quarterly.restore"].State)
	require.Equal(t, "unknown", got["daily.success"].State)
	require.Equal(t, "unknown", got["monthly.drift"].State)

	k.rows["incidents"] = append(k.rows["incidents"], &event.Incident{
		ID: "x", Tenant: "t", Integration: "i", Fingerprint: "f", Kind: event.IncidentOfFailures, State: event.IncidentOpen, Priority: event.P1,
		Class: event.ClassAuth, Title: "salesforce refuses the credential", OnsetAt: now, DetectedAt: now, UpdatedAt: now, Version: 1,
	})
	tick := func(id, item, result string, at event.Time) {
		k.rows["signals"] = append(k.rows["signals"], &event.Signal{
			ID: id, Tenant: "t", Integration: "i", Kind: event.SignalChecklist, Field: item, StartedAt: at, ReceivedAt: at,
			Detail: []event.Field{{Name: "result", Value: event.Value{Text: result}}},
			Actor:  event.Actor{Kind: event.ActorUser, ID: "ana@example.com"},
		})
	}
	tick("t1", "quarterly.restore", "done", now-30*event.Day)
	tick("t2", "quarterly.access", "done", now-93*event.Day)
	tick("t3", "quarterly.exercise", "failed", now-event.Day)
	got = read()
	require.Equal(t, "attention", got["daily.auth"].State)
	require.Equal(t, "salesforce refuses the credential", got["daily.auth"].Finding)
	require.Contains(t, got["daily.incidents"].Finding, "1 P1, 0 P2")
	require.Equal(t, "done", got["quarterly.restore"].State)
	require.Equal(t, "ana@example.com", got["quarterly.restore"].TickedBy)
	require.Equal(t, "due", got["quarterly.access"].State, "more than a quarter ago")
	require.Equal(t, "attention", got["quarterly.exercise"].State, "a drill that failed is not done")
}

// The query that an item names is one that runs.
func TestChecklistQueriesRun(t *testing.T) {
	db := warehousetest.New(t)
	var items []struct {
		Item string `ch:"item"`
		Look string `ch:"look"`
	}
	require.NoError(t, db.Query(t.Context(), &items, "SELECT item, look FROM checklist_items WHERE look != ''"))
	require.Len(t, items, 23)
	for _, i := range items {
		require.NoError(t, db.Exec(t.Context(), "SELECT count() FROM ("+i.Look+")"), i.Item)
	}
}
