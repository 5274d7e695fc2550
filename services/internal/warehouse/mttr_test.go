package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
)

type mttrRow struct {
	Value   *float64 `ch:"value"`
	Samples uint64   `ch:"samples"`
	Status  string   `ch:"status"`
	Reason  string   `ch:"reason"`
	Detail  string   `ch:"detail"`
	Open    uint64   `ch:"open"`
	Median  *float64 `ch:"med"`
}

func (k *kpis) incident(priority string, detected event.Time, took time.Duration) {
	k.n++
	i := &event.Incident{
		ID: fmt.Sprint("i", k.n), Tenant: "t", Integration: "i", Object: "contact", Fingerprint: fmt.Sprint("f", k.n),
		Kind: event.IncidentOfFailures, State: event.IncidentOpen, Priority: priority, Title: "contact update fails", OnsetAt: detected - 1000,
		DetectedAt: detected, LastAt: detected, UpdatedAt: detected, Version: 1,
	}
	if took > 0 {
		i.State, i.ResolvedAt = event.IncidentResolved, detected+event.Time(took.Milliseconds())
		i.MitigatedAt = i.ResolvedAt - 1000
	}
	k.rows["incidents"] = append(k.rows["incidents"], i)
}

func (k *kpis) mttr(window time.Duration) mttrRow {
	k.t.Helper()
	k.store()
	var rows []mttrRow
	require.NoError(k.t, k.db.Query(k.t.Context(), &rows, fmt.Sprintf(
		"SELECT value, toUInt64(samples) AS samples, status, reason, detail, toUInt64(open) AS open, toFloat64(median) AS med "+
			"FROM kpi_mttr_at(from = '%s', to = '%s') WHERE object = ''", stdAt(ago(window)), stdAt(noon))))
	require.Len(k.t, rows, 1)
	return rows[0]
}

// TestMTTR walks kpis.md 3: none, an open one, a few listed, many averaged.
func TestMTTR(t *testing.T) {
	k := newKPIs(t)
	got := k.mttr(24 * time.Hour)
	require.Equal(t, []any{"unknown", "no_data", "no incidents"}, []any{got.Status, got.Reason, got.Detail})
	require.Nil(t, got.Value, "not 0")

	k.incident(event.P1, ago(10*time.Hour), time.Hour)
	got = k.mttr(24 * time.Hour)
	require.Equal(t, "ok", got.Status)
	require.Nil(t, got.Value, "few are listed, not averaged")
	require.Equal(t, "P1 1 h: contact update fails", got.Detail)

	k.incident(event.P1, ago(2*time.Hour-time.Second), 0) // open, and a second within the target
	require.Equal(t, "ok", k.mttr(24*time.Hour).Status)
	k.incident(event.P1, ago(2*time.Hour+time.Second), 0)
	got = k.mttr(24 * time.Hour)
	require.Equal(t, "breach", got.Status, "an open P1 beyond its target is a breach by itself")
	require.Equal(t, uint64(2), got.Open)
	require.Contains(t, got.Detail, "≥ 2 h")

	k = newKPIs(t)
	for range 6 {
		k.incident(event.P2, ago(20*time.Hour), 10*time.Hour)
	}
	got = k.mttr(24 * time.Hour)
	require.InDelta(t, 10*3600_000, *got.Value, 1)
	require.Equal(t, "ok", got.Status)
	for range 6 {
		k.incident(event.P2, ago(60*time.Hour), 0) // open: their age so far counts
	}
	got = k.mttr(24 * time.Hour)
	require.InDelta(t, 35*3600_000, *got.Value, 1)
	require.Equal(t, "breach", got.Status)
	require.Contains(t, got.Detail, "≥ 35 h, 6 open")
}

type driftRow struct {
	Value        *float64 `ch:"value"`
	Numerator    uint64   `ch:"numerator"`
	Denominator  uint64   `ch:"denominator"`
	Status       string   `ch:"status"`
	Reason       string   `ch:"reason"`
	Fresh        uint64   `ch:"new_records"`
	Pre          uint64   `ch:"pre_existing"`
	Open         uint64   `ch:"open_now"`
	Acceleration *float64 `ch:"fastest"`
	Fired        bool     `ch:"fired"`
}

func (k *kpis) diverge(n int, confirmed event.Time, state string, pre bool) {
	for range n {
		k.n++
		k.rows["divergences"] = append(k.rows["divergences"], &event.Divergence{
			ID: fmt.Sprint("v", k.n), Tenant: "t", Integration: "i", Object: "contact", RecordKey: fmt.Sprint("r", k.n), Field: "email",
			Kind: event.ValueMismatch, State: state, FirstSeenAt: confirmed, ConfirmedAt: confirmed, PreExisting: pre, UpdatedAt: confirmed, Version: 1,
		})
	}
}

func (k *kpis) drift() driftRow {
	k.t.Helper()
	k.store()
	var rows []driftRow
	require.NoError(k.t, k.db.Query(k.t.Context(), &rows, fmt.Sprintf(
		"SELECT value, numerator, denominator, status, reason, new_records, pre_existing, open_now, toNullable(toFloat64(acceleration)) AS fastest, "+
			"toBool(coalesce(warning_fired, 0)) AS fired FROM kpi_drift_rate_at(from = '%s', to = '%s') WHERE object = ''", stdAt(ago(30*day)), stdAt(noon))))
	require.Len(k.t, rows, 1)
	return rows[0]
}

// TestDrift walks kpis.md 4: never compared, the day-one backlog, thresholds,
// what is accepted, and an acceleration after a schema change.
func TestDrift(t *testing.T) {
	k := newKPIs(t)
	require.Equal(t, "no_data", k.drift().Reason)

	compared := func(records, compared int64) {
		k.n++
		k.rows["reconciliations"] = append(k.rows["reconciliations"], &event.Reconciliation{
			ID: fmt.Sprint("c", k.n), Tenant: "t", Integration: "i", Object: "contact", Run: fmt.Sprint("run", k.n), State: event.RunComplete,
			StartedAt: ago(time.Hour), UpdatedAt: ago(time.Hour), SourceRecords: records, Compared: compared, ComparedThrough: ago(time.Hour), Version: 1,
		})
	}
	compared(10_000, 4_900)
	require.Equal(t, "not_observed", k.drift().Reason, "less than half was compared")
	compared(10_000, 10_000)
	require.Equal(t, "ok", k.drift().Status)

	k.diverge(99, ago(3*day), event.DivergenceConfirmed, true) // an old backlog, found on day one
	k.diverge(50, ago(3*day), event.DivergenceAccepted, false)
	k.diverge(50, ago(3*day), event.DivergencePending, false)
	got := k.drift()
	require.Equal(t, "ok", got.Status)
	require.Equal(t, []uint64{99, 10_000, 0, 99}, []uint64{got.Numerator, got.Denominator, got.Fresh, got.Pre})
	k.diverge(1, ago(3*day), event.DivergenceConfirmed, false)
	got = k.drift()
	require.Equal(t, "breach", got.Status, "1 % is not under 1 %")
	require.Equal(t, []uint64{1, 99, 100}, []uint64{got.Fresh, got.Pre, got.Open})
	require.False(t, got.Fired)

	k.rows["signals"] = append(k.rows["signals"], &event.Signal{
		ID: "s1", Tenant: "t", Integration: "i", Kind: event.SignalSchemaChange, StartedAt: ago(2 * day), ReceivedAt: ago(2 * day), Summary: "Stage__c retyped",
	})
	k.diverge(9, ago(2*day-time.Hour), event.DivergenceConfirmed, false)
	require.False(t, k.drift().Fired, "nine records are too few")
	k.diverge(1, ago(2*day-time.Hour), event.DivergenceConfirmed, false)
	got = k.drift()
	require.True(t, got.Fired)
	require.Greater(t, *got.Acceleration, 1.5)
}

// While nobody gets in, what waits differs and nobody sees it: more of that
// than was seen, and over the target, is no number but a reason.
func TestDriftInAnOutage(t *testing.T) {
	k := newKPIs(t)
	k.n++
	k.rows["reconciliations"] = append(k.rows["reconciliations"], &event.Reconciliation{
		ID: "c", Tenant: "t", Integration: "i", Object: "contact", Run: "run", State: event.RunComplete, StartedAt: ago(time.Hour),
		UpdatedAt: ago(time.Hour), SourceRecords: 1000, Compared: 1000, ComparedThrough: ago(time.Hour), Version: 1,
	})
	held := func(state string, n int64) {
		k.n++
		m := event.KPIMinute{
			ID: fmt.Sprint("m", k.n), Tenant: "t", Integration: "i", Object: "contact", Minute: ago(day), UpdatedAt: ago(day), Version: 1,
			Counts: []event.Count{{Name: "deliveries/" + state, N: n}},
		}
		h := event.KPIHour(m)
		h.ID = fmt.Sprint("h", k.n)
		k.rows["kpi_minutes"], k.rows["kpi_hours"] = append(k.rows["kpi_minutes"], &m), append(k.rows["kpi_hours"], &h)
	}
	held(event.StateApplied, 500)
	held(event.StateFailed, 9)
	require.Equal(t, "ok", k.drift().Status, "nine of a thousand are under the target even if all differ")
	held(event.StateApplied+"/late", 1)
	got := k.drift()
	require.Equal(t, "unknown", got.Status)
	require.Equal(t, "blind", got.Reason)
	k.diverge(5, ago(day), event.DivergenceConfirmed, false)
	require.Equal(t, "ok", k.drift().Status, "half of them were looked at: readers see")
}
