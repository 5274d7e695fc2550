package warehouse_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// The KPI views over hand-made rows, on the real engine. The window ends at
// noon; ago counts back from there.
func ago(d time.Duration) event.Time { return noon - event.Time(d.Milliseconds()) }

func stdAt(at event.Time) string { return at.Std().Format("2006-01-02 15:04:05.000") }

type successRow struct {
	Object      string   `ch:"object"`
	Series      string   `ch:"series"`
	Value       *float64 `ch:"value"`
	Numerator   uint64   `ch:"numerator"`
	Denominator uint64   `ch:"denominator"`
	Status      string   `ch:"status"`
	Severity    string   `ch:"severity"`
	Reason      string   `ch:"reason"`
	Detail      string   `ch:"detail"`
	Basis       string   `ch:"basis"`
	Records     *float64 `ch:"record_success_rate"`
	FirstTry    *float64 `ch:"first_try_rate"`
	PerRecord   *float64 `ch:"attempts_per_record"`
	Silent      uint64   `ch:"silent_failures"`
	Vendor      *float64 `ch:"vendor_outage_share"`
}

type latencyRow struct {
	Object     string   `ch:"object"`
	Series     string   `ch:"series"`
	Value      *float64 `ch:"value"`
	Samples    uint64   `ch:"samples"`
	Status     string   `ch:"status"`
	Severity   string   `ch:"severity"`
	Reason     string   `ch:"reason"`
	Detail     string   `ch:"detail"`
	Basis      string   `ch:"basis"`
	AtLeast    bool     `ch:"at_least"`
	StartBasis string   `ch:"start_basis"`
	Resolution int64    `ch:"resolution"`
	OnTime     *float64 `ch:"on_time_share"`
	Oldest     *int64   `ch:"oldest_waiting"`
	Backlog    uint64   `ch:"backlog"`
	Baseline   *float64 `ch:"baseline"`
}

// kpis is a database with one integration, i, and what happened to it.
type kpis struct {
	t    *testing.T
	db   *warehouse.DB
	in   []config.Integration
	now  event.Time // of the stages
	rows map[string][]event.Event
	all  map[string][]event.Event // rows that were stored before, too
	n    int
}

func newKPIs(t *testing.T, change ...func(*config.Integration)) *kpis {
	db := warehousetest.New(t)
	c := config.Integration{
		ID: "i", Tenant: "t", Mode: config.Realtime, Attempts: config.AttemptsFull, Priority: "P1",
		Objects: []config.Object{{Name: "contact"}},
	}
	for _, f := range change {
		f(&c)
	}
	require.NoError(t, db.WriteIntegrations(t.Context(), []config.Integration{c}))
	require.NoError(t, db.Exec(t.Context(), "INSERT INTO integrations_raw SELECT * REPLACE (toDateTime64(0, 3) AS since, updated_at + 1 AS updated_at) FROM integrations_raw"))
	return &kpis{t: t, db: db, now: noon, in: []config.Integration{c}, rows: map[string][]event.Event{}, all: map[string][]event.Event{}}
}

// attempts adds n attempts, one a record from the given one on.
func (k *kpis) attempts(n int, at event.Time, outcome string, change ...func(i int, a *event.Attempt)) {
	for i := range n {
		k.n++
		a := &event.Attempt{
			ID: fmt.Sprint("a", k.n), Tenant: "t", Integration: "i", Object: "contact", Operation: event.OpUpdate, Outcome: outcome,
			RecordKey: fmt.Sprint("i/contact/", k.n), OccurredAt: at, ReceivedAt: at,
		}
		for _, f := range change {
			f(i, a)
		}
		k.rows["attempts"] = append(k.rows["attempts"], a)
		if k.fail(a) {
			k.rows["failures"] = append(k.rows["failures"], failed(a, a.Verdict))
		}
	}
}

// deliveries adds n deliveries that changed at a time and were due five
// minutes later. A delivered one took took.
func (k *kpis) deliveries(n int, changed event.Time, state string, took time.Duration, change ...func(i int, d *event.Delivery)) {
	for i := range n {
		k.n++
		d := &event.Delivery{
			ID: fmt.Sprint("d", k.n), Tenant: "t", Integration: "i", Object: "contact", RecordKey: fmt.Sprint("i/contact/", k.n),
			State: state, ChangedAt: changed, ReceivedAt: changed + 100, DueAt: changed + 5*event.Minute, UpdatedAt: changed,
			StartBasis: event.TimeEvent, Version: 1,
		}
		if state == event.StateApplied {
			d.AppliedAt = changed + event.Time(took.Milliseconds())
			d.LatencyMS, d.LatencyBasis = took.Milliseconds(), event.BasisAppliedEvent
		}
		for _, f := range change {
			f(i, d)
		}
		k.rows["deliveries"] = append(k.rows["deliveries"], d)
	}
}

// fail gives a failed write the verdict that track gives every one.
func (k *kpis) fail(a *event.Attempt) bool {
	if a.Outcome != event.OutcomeError || a.Granularity == event.GranularityRun {
		return false
	}
	if a.Verdict == nil {
		a.Verdict = &event.Verdict{Class: event.ClassSchema, Fingerprint: "f"}
	}
	return true
}

func failed(a *event.Attempt, v *event.Verdict) *event.Failure {
	return &event.Failure{
		ID: "f" + a.ID, Tenant: "t", Integration: "i", AttemptID: a.ID, Object: a.Object, Operation: a.Operation, RecordKey: a.RecordKey,
		OccurredAt: a.OccurredAt, ReceivedAt: a.ReceivedAt, Origin: event.OriginError, Verdict: *v, Provider: a.System, Token: a.Token,
	}
}

// store keeps the rows, and the minutes that the stages make of all of them.
func (k *kpis) store() {
	k.t.Helper()
	if len(k.rows) == 0 {
		return
	}
	for table, events := range k.rows {
		k.all[table] = append(k.all[table], events...)
	}
	require.NoError(k.t, k.db.Exec(k.t.Context(), "TRUNCATE TABLE kpi_minutes_raw"))
	require.NoError(k.t, k.db.Exec(k.t.Context(), "TRUNCATE TABLE kpi_hours_raw"))
	made := warehousetest.Minutes(k.now, k.in, k.all["attempts"], k.all["failures"], k.all["deliveries"])
	for _, table := range []string{"kpi_minutes", "kpi_hours"} { // with those that a test wrote itself
		k.rows[table] = append(made[table], k.all[table]...)
	}
	k.n++ // every block has a name of its own
	for table, events := range k.rows {
		byMonth := map[int][]event.Event{}
		for _, ev := range events {
			m := warehouse.FindTable(table).Month(ev)
			byMonth[m] = append(byMonth[m], ev)
		}
		for m, list := range byMonth {
			require.NoError(k.t, k.db.Insert(k.t.Context(), block(table, fmt.Sprint(table, m, k.n), 0, list...)))
		}
	}
	k.rows = map[string][]event.Event{}
}

func (k *kpis) success(window time.Duration, object, series string) successRow {
	k.t.Helper()
	k.store()
	var rows []successRow
	require.NoError(k.t, k.db.Query(k.t.Context(), &rows, fmt.Sprintf("SELECT object, series, value, numerator, denominator, status, severity, "+
		"reason, detail, basis, record_success_rate, first_try_rate, attempts_per_record, silent_failures, vendor_outage_share "+
		"FROM kpi_sync_success_rate_at(from = '%s', to = '%s') WHERE object = '%s' AND series = '%s'",
		stdAt(ago(window)), stdAt(noon), object, series)))
	require.Len(k.t, rows, 1)
	return rows[0]
}

func (k *kpis) latency(window time.Duration, series string) latencyRow {
	k.t.Helper()
	k.store()
	var rows []latencyRow
	require.NoError(k.t, k.db.Query(k.t.Context(), &rows, fmt.Sprintf("SELECT object, series, value, samples, status, severity, reason, detail, "+
		"basis, at_least, start_basis, resolution, on_time_share, oldest_waiting, backlog, baseline "+
		"FROM kpi_sync_latency_at(from = '%s', to = '%s') WHERE object = '' AND series = '%s'",
		stdAt(ago(window)), stdAt(noon), series)))
	require.Len(k.t, rows, 1)
	return rows[0]
}

const day = 24 * time.Hour

// bucket is how far a percentile may be from the truth: latencies are counted
// in buckets that are two per cent wide.
const bucket = 0.01

func TestSuccessTargetAndWarning(t *testing.T) {
	for _, c := range []struct {
		failed           int
		status, severity string
	}{{0, "ok", ""}, {2, "breach", "ticket"}, {4, "breach", "page"}} {
		k := newKPIs(t)
		k.attempts(100-c.failed, ago(time.Hour), event.OutcomeOK)
		k.attempts(c.failed, ago(time.Hour), event.OutcomeError)
		got := k.success(day, "", "")
		require.Equal(t, c.status, got.Status, "%d failed", c.failed)
		require.Equal(t, c.severity, got.Severity, "%d failed", c.failed)
		require.InDelta(t, float64(100-c.failed)/100, *got.Value, 1e-9)
		require.Equal(t, k.success(day, "contact", "").Numerator, got.Numerator)
	}
}

// One bad day inside a good month warns, though the month's target is met.
func TestSuccessWarnsOverAnyDayOfTheWindow(t *testing.T) {
	k := newKPIs(t)
	k.attempts(5000, ago(20*day), event.OutcomeOK)
	k.attempts(90, ago(10*day), event.OutcomeOK)
	k.attempts(10, ago(10*day), event.OutcomeError)
	got := k.success(30*day, "", "")
	require.Equal(t, "warning", got.Status)
	require.Equal(t, "page", got.Severity)
	require.Greater(t, *got.Value, 0.99)
}

// Reads are no writes, a run is a row of its own, weighted by its records.
func TestSuccessCountsRecordWrites(t *testing.T) {
	k := newKPIs(t)
	k.attempts(40, ago(time.Hour), event.OutcomeOK)
	k.attempts(40, ago(time.Hour), event.OutcomeError, func(_ int, a *event.Attempt) { a.Operation = event.OpRead })
	k.attempts(2, ago(time.Hour), event.OutcomeError, func(_ int, a *event.Attempt) {
		a.Granularity, a.RecordsOK, a.RecordsFailed = event.GranularityRun, 450, 50
	})
	require.Equal(t, uint64(40), k.success(day, "", "").Denominator)
	runs := k.success(day, "", "run")
	require.Equal(t, "runs", runs.Basis)
	require.InDelta(t, 0.9, *runs.Value, 1e-9)
	require.Equal(t, uint64(1000), runs.Denominator)
}

func TestRetryStormOfOnePoisonRecord(t *testing.T) {
	k := newKPIs(t)
	k.attempts(99, ago(time.Hour), event.OutcomeOK)
	k.deliveries(99, ago(time.Hour), event.StateApplied, time.Second, func(_ int, d *event.Delivery) {
		d.Attempts, d.AcknowledgedAt = 1, d.ChangedAt+1000
	})
	k.attempts(300, ago(time.Hour), event.OutcomeError, func(_ int, a *event.Attempt) { a.RecordKey = "i/contact/poison" })
	k.deliveries(1, ago(time.Hour), event.StateFailed, 0, func(_ int, d *event.Delivery) { d.RecordKey, d.Attempts = "i/contact/poison", 300 })
	got := k.success(day, "", "")
	require.InDelta(t, 99./399, *got.Value, 1e-9, "retries count")
	require.Equal(t, "breach", got.Status)
	require.Equal(t, "ticket", got.Severity, "one record is no page")
	require.InDelta(t, 0.99, *got.Records, 1e-9)
	require.InDelta(t, 3.99, *got.PerRecord, 1e-9)
	require.InDelta(t, 0.99, *got.FirstTry, 1e-9)
}

// Collateral records were not written, but they did not fail by themselves.
func TestCollateralIsNoFailureOfItsOwn(t *testing.T) {
	k := newKPIs(t)
	k.attempts(60, ago(time.Hour), event.OutcomeOK)
	k.attempts(40, ago(time.Hour), event.OutcomeError, func(i int, a *event.Attempt) {
		a.Verdict = &event.Verdict{Class: event.ClassVendorOutage, Collateral: i > 0}
	})
	got := k.success(day, "", "")
	require.InDelta(t, 0.6, *got.Value, 1e-9)
	require.Equal(t, "ticket", got.Severity, "only one record failed")
	require.InDelta(t, 1, *got.Vendor, 1e-9, "shown, not subtracted")
}

// A worker that swallows errors reports success; the records tell.
func TestWorkerThatSwallowsErrors(t *testing.T) {
	k := newKPIs(t)
	k.attempts(100, ago(time.Hour), event.OutcomeOK)
	k.deliveries(90, ago(time.Hour), event.StateApplied, time.Second)
	k.deliveries(10, ago(time.Hour), event.StateNotApplied, 0)
	got := k.success(day, "", "")
	require.Equal(t, "ok", got.Status)
	require.InDelta(t, 1, *got.Value, 1e-9)
	require.InDelta(t, 0.9, *got.Records, 1e-9)
	require.Equal(t, uint64(10), got.Silent)
}

func TestWorkerThatStopped(t *testing.T) {
	k := newKPIs(t)
	k.deliveries(50, ago(40*time.Minute), event.StateStalled, 0)
	got := k.success(time.Hour, "", "")
	require.Equal(t, "unknown", got.Status)
	require.Equal(t, "blind", got.Reason)
	require.Equal(t, "ticket", got.Severity)
	require.InDelta(t, 0, *got.Records, 1e-9, "for the records it is a miss")
}

func TestTwelveAttemptsADay(t *testing.T) {
	k := newKPIs(t)
	k.attempts(10, ago(time.Hour), event.OutcomeOK)
	k.attempts(2, ago(time.Hour), event.OutcomeError)
	got := k.success(day, "", "")
	require.Equal(t, "unknown", got.Status)
	require.Equal(t, "low_sample", got.Reason)
	require.Equal(t, "2 of 12 failed", got.Detail)
}

func TestBatchBetweenRuns(t *testing.T) {
	k := newKPIs(t, func(c *config.Integration) { c.Mode = config.Batch })
	k.deliveries(80, ago(20*time.Minute), event.StateObserved, 0, func(_ int, d *event.Delivery) { d.DueAt = d.ChangedAt + event.Hour })
	got := k.success(time.Hour, "", "")
	require.Equal(t, "no_data", got.Reason, "nothing is overdue: not blind")
	l := k.latency(time.Hour, "")
	require.Equal(t, "no_data", l.Reason)
	require.Equal(t, uint64(80), l.Backlog)
	require.Equal(t, (20 * time.Minute).Milliseconds(), *l.Oldest)
}

func TestNobodyReportsAttempts(t *testing.T) {
	k := newKPIs(t, func(c *config.Integration) { c.Attempts = config.AttemptsNone })
	k.deliveries(95, ago(time.Hour), event.StateApplied, time.Second)
	k.deliveries(5, ago(time.Hour), event.StateStalled, 0)
	k.deliveries(40, ago(time.Hour), event.StateSuperseded, 0)
	k.deliveries(40, ago(time.Hour), event.StateApplied, time.Second, func(_ int, d *event.Delivery) { d.Series = "import" })
	got := k.success(day, "", "")
	require.Equal(t, "records", got.Basis)
	require.InDelta(t, 0.95, *got.Value, 1e-9)
	require.Equal(t, "page", got.Severity)

	k = newKPIs(t, func(c *config.Integration) { c.Attempts = config.AttemptsNone })
	k.deliveries(50, ago(time.Hour), event.StateUnobserved, 0)
	require.Equal(t, "not_observed", k.success(day, "", "").Reason)
}

func TestNothingHappenedIsUnknown(t *testing.T) {
	k := newKPIs(t)
	got := k.success(day, "contact", "")
	require.Equal(t, "unknown", got.Status)
	require.Equal(t, "no_data", got.Reason)
	require.Nil(t, got.Value)
	require.Equal(t, "no_data", k.latency(day, "").Reason)
}

// history is a week of an unremarkable latency.
func (k *kpis) history(took time.Duration) {
	for h := 2 * time.Hour; h < 9*day; h += time.Hour {
		k.deliveries(3, ago(h), event.StateApplied, took)
	}
}

func TestLatencyOfSurvivorsInAnOutage(t *testing.T) {
	k := newKPIs(t)
	k.history(4 * time.Second)
	k.deliveries(40, ago(45*time.Minute), event.StateApplied, 5*time.Second)
	k.deliveries(20, ago(42*time.Minute), event.StateStalled, 0)
	got := k.latency(time.Hour, "")
	require.InEpsilon(t, (42 * time.Minute).Milliseconds(), *got.Value, bucket, "not the five seconds of those who arrived")
	require.True(t, got.AtLeast)
	require.Equal(t, "breach", got.Status)
	require.Equal(t, "page", got.Severity, "far over the baseline too")
	require.Equal(t, event.BasisAppliedEvent, got.Basis)
	require.Equal(t, uint64(20), got.Backlog)
	require.InDelta(t, 40./60, *got.OnTime, 1e-9)
}

func TestLatencyWarnsOverTheBaseline(t *testing.T) {
	for took, want := range map[time.Duration]string{4 * time.Second: "ok", 20 * time.Second: "ok", 40 * time.Second: "warning", 400 * time.Second: "breach"} {
		k := newKPIs(t)
		k.history(4 * time.Second)
		k.deliveries(50, ago(30*time.Minute), event.StateApplied, took)
		got := k.latency(time.Hour, "")
		require.Equal(t, want, got.Status, took.String())
		require.InEpsilon(t, 4000, *got.Baseline, bucket)
	}
}

func TestLatencyLearns(t *testing.T) {
	k := newKPIs(t)
	k.deliveries(50, ago(30*time.Minute), event.StateApplied, time.Second)
	got := k.latency(time.Hour, "")
	require.Equal(t, "unknown", got.Status)
	require.Equal(t, "learning", got.Reason)
	for h := 2; h < 30; h++ {
		k.deliveries(3, ago(time.Duration(h)*time.Hour), event.StateApplied, time.Second)
	}
	got = k.latency(time.Hour, "")
	require.Equal(t, "ok", got.Status)
	require.Equal(t, "learning, day 2 of 7", got.Detail)
}

// The strongest basis that covers four fifths; kinds of evidence never mix.
func TestLatencyBases(t *testing.T) {
	basis := func(b string, took int64) func(int, *event.Delivery) {
		return func(_ int, d *event.Delivery) {
			d.LatencyBasis, d.LatencyMS, d.ResolutionMS, d.AcknowledgedAt = b, took, 60_000, d.ChangedAt+1500
		}
	}
	k := newKPIs(t)
	k.deliveries(70, ago(time.Hour), event.StateApplied, 0, basis(event.BasisAppliedPoll, 30_000))
	k.deliveries(30, ago(time.Hour), event.StateApplied, 0, basis(event.BasisAppliedEvent, 2_000))
	got := k.latency(day, "")
	require.Equal(t, event.BasisAcknowledged, got.Basis, "no applied basis covers 80 %, the acknowledgements do")
	require.InEpsilon(t, 1500, *got.Value, bucket)

	k.deliveries(250, ago(time.Hour), event.StateApplied, 0, basis(event.BasisAppliedPoll, 30_000))
	got = k.latency(day, "")
	require.Equal(t, event.BasisAppliedPoll, got.Basis)
	require.Equal(t, int64(60_000), got.Resolution)

	k = newKPIs(t)
	k.deliveries(50, ago(time.Hour), event.StateApplied, time.Second)
	k.deliveries(50, ago(time.Hour), event.StateUnobserved, 0)
	got = k.latency(day, "")
	require.Equal(t, "not_observed", got.Reason)
	require.Nil(t, got.Value)
}

func TestLatencyWithoutEventTimesStartsAtReceipt(t *testing.T) {
	k := newKPIs(t)
	k.deliveries(40, ago(30*time.Minute), event.StateStalled, 0, func(_ int, d *event.Delivery) {
		d.StartBasis, d.ReceivedAt, d.DueAt = event.TimeReceived, ago(20*time.Minute), ago(15*time.Minute)
	})
	got := k.latency(time.Hour, "")
	require.Equal(t, event.TimeReceived, got.StartBasis)
	require.InEpsilon(t, (20 * time.Minute).Milliseconds(), *got.Value, bucket)
}

func TestLatencyOfImportsStandsApart(t *testing.T) {
	k := newKPIs(t)
	k.deliveries(50, ago(time.Hour), event.StateApplied, time.Second)
	k.deliveries(50, ago(time.Hour), event.StateApplied, time.Hour, func(_ int, d *event.Delivery) { d.Series = "import" })
	require.InEpsilon(t, 1000, *k.latency(day, "").Value, bucket)
	require.InEpsilon(t, 3_600_000, *k.latency(day, "import").Value, bucket)
}

func TestLatencySkewAndLowSample(t *testing.T) {
	k := newKPIs(t)
	k.deliveries(50, ago(time.Hour), event.StateApplied, -40*time.Second)
	got := k.latency(day, "")
	require.InEpsilon(t, -40_000, *got.Value, bucket, "kept, not hidden")
	require.Equal(t, "unknown", got.Status)
	require.Contains(t, got.Detail, "clocks differ")

	k = newKPIs(t)
	k.deliveries(12, ago(time.Hour), event.StateApplied, time.Second)
	got = k.latency(day, "")
	require.Equal(t, "low_sample", got.Reason)
	require.Equal(t, "12 of 12 on time", got.Detail)
}

// The named windows end at the last closed minute and have a row for every
// object, and work from another database.
func TestNamedWindows(t *testing.T) {
	k := newKPIs(t)
	now := event.At(time.Now())
	k.now = now
	k.attempts(100, now-2*event.Hour, event.OutcomeOK)
	k.deliveries(100, now-2*event.Hour, event.StateApplied, time.Second)
	k.store()
	elsewhere := warehousetest.New(t)
	for _, view := range []string{"kpi_sync_success_rate", "kpi_sync_latency"} {
		var rows []struct {
			Window  string    `ch:"window"`
			Object  string    `ch:"object"`
			Samples uint64    `ch:"samples"`
			Start   time.Time `ch:"window_start"`
			End     time.Time `ch:"window_end"`
		}
		warehousetest.Refresh(t, k.db, view)
		require.NoError(t, elsewhere.Query(t.Context(), &rows, "SELECT window, object, samples, window_start, window_end FROM "+
			k.db.Database()+"."+view+" ORDER BY window_start, object"))
		require.Len(t, rows, 8)
		for _, r := range rows {
			require.Zero(t, r.End.Second())
			want := uint64(100)
			if r.Window == "1h" {
				want = 0
			}
			require.Equal(t, want, r.Samples, "%s %s", view, r.Window)
		}
		require.Equal(t, "30d", rows[0].Window)
		require.Equal(t, 30*day, rows[0].End.Sub(rows[0].Start))
	}
}
