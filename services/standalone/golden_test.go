package standalone

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/pipelines/tally"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// One definition of a KPI, computed twice over what track counted: by the alert
// rules in Go, and by the SQL views over the minutes that the rules' stage tells.
// The two are held equal on facts that crowd around every threshold.

var goldenEnd = event.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))

// facts are what happened to one integration before goldenEnd.
type facts struct {
	in         config.Integration
	attempts   []event.Event
	failures   []event.Event
	deliveries []event.Event
	divergence []event.Event
	signals    []event.Event
	compared   []event.Event
	n          int
}

func (f *facts) attempt(at event.Time, ok bool, record string, collateral bool) {
	f.n++
	a := &event.Attempt{
		ID: fmt.Sprint(f.in.ID, "a", f.n), Tenant: "t", Integration: f.in.ID, Object: "contact", Operation: event.OpUpdate, Outcome: event.OutcomeOK,
		RecordKey: record, OccurredAt: at, ReceivedAt: at,
	}
	if !ok {
		a.Outcome = event.OutcomeError
		a.Verdict = &event.Verdict{Class: event.ClassSchema, Recoverability: event.Permanent, Attribution: event.ByCustomer, Fingerprint: "f", Collateral: collateral}
		f.failures = append(f.failures, &event.Failure{
			ID: "f" + a.ID, Tenant: "t", Integration: f.in.ID, AttemptID: a.ID, DeliveryID: "d", RecordKey: record, Object: "contact",
			Operation: event.OpUpdate, OccurredAt: at, ReceivedAt: at, Origin: event.OriginError, Verdict: *a.Verdict, Version: 1,
		})
	}
	f.attempts = append(f.attempts, a)
}

func (f *facts) delivery(changed event.Time, state string, took time.Duration, basis string) {
	f.n++
	d := &event.Delivery{
		ID: fmt.Sprint(f.in.ID, "d", f.n), Tenant: "t", Integration: f.in.ID, Object: "contact", RecordKey: fmt.Sprint("r", f.n), State: state,
		ChangedAt: changed, ReceivedAt: changed + 100, DueAt: changed + 5*event.Minute, UpdatedAt: changed, StartBasis: event.TimeEvent,
		Attempts: 1, Version: 1,
	}
	at := changed + event.Time(took.Milliseconds())
	switch state {
	case event.StateApplied, event.StateVerified:
		d.AppliedAt, d.LatencyMS, d.LatencyBasis, d.Late = at, took.Milliseconds(), basis, at > d.DueAt
		if basis != event.BasisAppliedPoll { // a poll sees what nobody reported
			d.AcknowledgedAt = at
		}
	case event.StateAcknowledged, event.StateUnobserved:
		d.AcknowledgedAt, d.LatencyMS, d.LatencyBasis = at, took.Milliseconds(), event.BasisAcknowledged
	}
	f.deliveries = append(f.deliveries, d)
}

// rules plays the facts through tally and kpi.
func (f *facts) rules() *kpi.KPI {
	in := []config.Integration{f.in}
	op, counter := kpi.New(in), tally.New(in)
	ctx := stream.Ctx{Now: goldenEnd}
	var out stream.Out
	for _, list := range [][]event.Event{f.attempts, f.failures, f.deliveries} {
		for _, e := range list {
			counter.Step(ctx, "", e, &out)
		}
	}
	for _, e := range f.divergence {
		counter.Step(ctx, "", e, &out)
	}
	op.Step(ctx, "", &event.Pulse{Tenant: "t"}, &stream.Out{})
	for _, list := range [][]event.Event{f.signals, f.compared} {
		for _, e := range list {
			op.Step(ctx, "", e, &stream.Out{})
		}
	}
	counter.Tick(ctx, &out)
	for _, o := range out.List {
		if o.Topic == topic.Partials {
			op.Step(ctx, o.Key, o.Event, &stream.Out{})
		}
	}
	return op
}

// stored is a database with the facts of all integrations.
func stored(t *testing.T, all []*facts) *warehouse.DB {
	t.Helper()
	db := warehousetest.New(t)
	tables := map[string][]event.Event{}
	var in []config.Integration
	for _, f := range all {
		in = append(in, f.in)
		tables["attempts"] = append(tables["attempts"], f.attempts...)
		tables["failures"] = append(tables["failures"], f.failures...)
		tables["deliveries"] = append(tables["deliveries"], f.deliveries...)
		tables["divergences"] = append(tables["divergences"], f.divergence...)
		tables["signals"] = append(tables["signals"], f.signals...)
		tables["reconciliations"] = append(tables["reconciliations"], f.compared...)
	}
	maps.Copy(tables, warehousetest.Minutes(goldenEnd, in, tables["attempts"], tables["failures"], tables["deliveries"]))
	require.NoError(t, db.WriteIntegrations(t.Context(), in))
	for table, list := range tables {
		byMonth := map[int][]event.Event{}
		for _, e := range list {
			m := warehouse.FindTable(table).Month(e)
			byMonth[m] = append(byMonth[m], e)
		}
		for m, events := range byMonth {
			b := warehouse.Block{Table: warehouse.FindTable(table), QueryID: fmt.Sprint("q", table, m), Token: fmt.Sprint(table, m)}
			for i, e := range events {
				b.Rows = append(b.Rows, warehouse.Row{Topic: "plumbline." + table, Epoch: "e", Offset: int64(i), Event: e})
			}
			require.NoError(t, db.Insert(t.Context(), b))
		}
	}
	return db
}

type goldenRow struct {
	Integration string   `ch:"integration"`
	Value       *float64 `ch:"value"`
	Numerator   uint64   `ch:"numerator"`
	Denominator uint64   `ch:"denominator"`
	Status      string   `ch:"status"`
	Reason      string   `ch:"reason"`
	Fired       bool     `ch:"fired"`
	Basis       string   `ch:"basis"`
}

func goldenView(t *testing.T, db *warehouse.DB, view string, window time.Duration) map[string]goldenRow {
	t.Helper()
	at := func(e event.Time) string { return e.Std().Format("2006-01-02 15:04:05.000") }
	var rows []goldenRow
	require.NoError(t, db.Query(t.Context(), &rows, fmt.Sprintf(
		"SELECT integration, value, toUInt64(numerator) AS numerator, toUInt64(denominator) AS denominator, status, reason, toBool(coalesce(warning_fired, 0)) AS fired, basis "+
			"FROM %s_at(from = '%s', to = '%s') WHERE object = '' AND series = ''",
		view, at(goldenEnd-event.Time(window.Milliseconds())), at(goldenEnd))))
	out := map[string]goldenRow{}
	for _, r := range rows {
		out[r.Integration] = r
	}
	return out
}

// around draws facts near the thresholds of both KPIs.
func around(seed uint64) *facts {
	r := rand.New(rand.NewPCG(seed, 1))
	reports := []string{config.AttemptsFull, config.AttemptsNone, config.AttemptsErrors}[r.IntN(3)]
	f := &facts{in: config.Integration{
		ID: fmt.Sprint("i", seed), Tenant: "t", Mode: config.Realtime, Attempts: reports, Priority: "P1", Objects: []config.Object{{Name: "contact"}},
	}}
	ago := func(max time.Duration) event.Time { return goldenEnd - 1 - event.Time(r.Int64N(max.Milliseconds())) }
	n := []int{0, 12, 29, 30, 31, 100, 300}[r.IntN(7)]
	bad := []float64{0, 0.009, 0.01, 0.011, 0.03, 0.031, 0.5}[r.IntN(7)]
	for i := range n {
		record := fmt.Sprint("r", i%max(1, []int{1, 2, 3, 50}[r.IntN(4)]))
		f.attempt(ago(25*time.Hour), float64(i) >= bad*float64(n), record, r.IntN(4) == 0)
	}
	states := []string{
		event.StateApplied, event.StateApplied, event.StateApplied, event.StateVerified, event.StateAcknowledged, event.StateUnobserved,
		event.StateObserved, event.StateAttempted, event.StateFailed, event.StateStalled, event.StateNotApplied, event.StateOverwritten,
		event.StateSuperseded,
	}[:3+r.IntN(11)]
	basis := []string{event.BasisAppliedEvent, event.BasisAppliedPoll, event.BasisAppliedReadback}[r.IntN(3)]
	slow := []time.Duration{time.Second, 299 * time.Second, 301 * time.Second, time.Hour}[r.IntN(4)]
	for i := range []int{0, 10, 29, 30, 40, 200}[r.IntN(6)] {
		took := time.Second + time.Duration(r.IntN(1000))*time.Millisecond
		if i%20 == 0 || r.IntN(25) == 0 {
			took = slow
		}
		f.delivery(ago(26*time.Hour), states[r.IntN(len(states))], took, basis)
	}
	for h := range r.IntN(6) { // hours to compare with
		for range 3 {
			f.delivery(goldenEnd-event.Time(25-h*4)*event.Hour-event.Time(r.IntN(1000)), event.StateApplied, time.Second, basis)
		}
	}
	return f
}

func TestRulesAndViewsAgree(t *testing.T) {
	var all []*facts
	for seed := range uint64(200) {
		all = append(all, around(seed))
	}
	db, seen := stored(t, all), map[string]int{}
	for _, view := range []string{"kpi_sync_success_rate", "kpi_sync_latency"} {
		for _, window := range []time.Duration{time.Hour, 24 * time.Hour} {
			rows := goldenView(t, db, view, window)
			for _, f := range all {
				rules := f.rules()
				judge := rules.Success
				if view == "kpi_sync_latency" {
					judge = rules.Latency
				}
				want, ok := rows[f.in.ID]
				require.True(t, ok, "%s has no row of %s", view, f.in.ID)
				seen[view+" "+want.Status+" "+want.Reason]++
				requireAgree(t, fmt.Sprintf("%s, %s over %s", f.in.ID, view, window), want,
					judge(&f.in, goldenEnd-event.Time(window.Milliseconds()), goldenEnd))
			}
		}
	}
	t.Log(seen)
	for _, status := range []string{
		"kpi_sync_success_rate breach ", "kpi_sync_success_rate ok ", "kpi_sync_success_rate unknown low_sample", "kpi_sync_success_rate unknown no_data",
		"kpi_sync_latency breach ", "kpi_sync_latency unknown learning", "kpi_sync_latency unknown not_observed",
	} {
		require.NotZero(t, seen[status], "the facts never reach %s: %v", status, seen)
	}
}

func requireAgree(t *testing.T, what string, want goldenRow, got kpi.Measure) {
	t.Helper()
	what = fmt.Sprintf("%s: view %+v, rule %+v", what, want, got)
	require.Equal(t, want.Status, got.Status, what)
	require.Equal(t, want.Reason, got.Reason, what)
	require.Equal(t, want.Basis, got.Basis, what)
	require.Equal(t, int64(want.Numerator), got.Numerator, what)
	require.Equal(t, int64(want.Denominator), got.Denominator, what)
	require.Equal(t, want.Fired, got.Fired, what)
	require.Equal(t, want.Value != nil, got.HasValue, what)
	if want.Value != nil {
		require.InDelta(t, *want.Value, got.Value, 1e-9*max(1, math.Abs(got.Value)), what)
	}
}

// At, just under and just over each threshold.
func TestThresholds(t *testing.T) {
	for _, tt := range []struct {
		bad, all int
		records  int
		status   string
		fired    bool
	}{
		{0, 29, 3, "unknown", false},
		{0, 30, 3, "ok", false},
		{9, 1000, 9, "ok", false},
		{10, 1000, 10, "breach", false},
		{11, 1000, 11, "breach", false},
		{30, 1000, 30, "breach", false},
		{31, 1000, 31, "breach", true},
		{31, 1000, 3, "breach", true},
		{31, 1000, 2, "breach", false},
		{500, 1000, 1, "breach", false}, // one poison record is no warning
	} {
		t.Run(fmt.Sprintf("%d of %d on %d records", tt.bad, tt.all, tt.records), func(t *testing.T) {
			f := &facts{in: config.Integration{ID: "i", Tenant: "t", Attempts: config.AttemptsFull, Priority: "P1", Objects: []config.Object{{Name: "contact"}}}}
			for i := range tt.all {
				f.attempt(goldenEnd-event.Time(i+1)*event.Second, i >= tt.bad, fmt.Sprint("r", i%tt.records), false)
			}
			got := f.rules().Success(&f.in, goldenEnd-event.Day, goldenEnd)
			require.Equal(t, tt.status, got.Status, "%+v", got)
			require.Equal(t, tt.fired, got.Fired, "%+v", got)
		})
	}
}

// The p95 is under the target while more than 95 of 100 were on time; on time
// is under it, not at it. Three times the baseline warns from beyond it on.
func TestLatencyThresholds(t *testing.T) {
	target := 5 * time.Minute
	for _, tt := range []struct {
		slow   int
		took   time.Duration
		status string
	}{
		{0, 0, "ok"},
		{4, target, "ok"},
		{5, target - time.Millisecond, "warning"}, // far over what is normal
		{5, target, "breach"},
		{5, target + time.Millisecond, "breach"},
		{100, target - time.Millisecond, "warning"},
		{100, 30 * time.Second, "ok"}, // a tenth of the target is not worth a word
		{100, 31 * time.Second, "warning"},
	} {
		t.Run(fmt.Sprintf("%d took %s", tt.slow, tt.took), func(t *testing.T) {
			f := &facts{in: config.Integration{ID: "i", Tenant: "t", Attempts: config.AttemptsFull, Priority: "P1", Objects: []config.Object{{Name: "contact"}}}}
			for h := range 20 {
				f.delivery(goldenEnd-event.Time(2+h)*event.Hour, event.StateApplied, time.Second, event.BasisAppliedEvent)
			}
			for i := range 100 {
				took := time.Second
				if i < tt.slow {
					took = tt.took
				}
				f.delivery(goldenEnd-30*event.Minute, event.StateApplied, took, event.BasisAppliedEvent)
			}
			got := f.rules().Latency(&f.in, goldenEnd-event.Hour, goldenEnd)
			require.Equal(t, tt.status, got.Status, "%+v", got)
		})
	}
}
