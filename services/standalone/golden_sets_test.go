package standalone

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// differs is a divergence that was confirmed so long ago, and is over since.
func (f *facts) differs(record, field, kind string, confirmed, ended time.Duration, state string, pre bool) {
	f.n++
	at := func(ago time.Duration) event.Time { return goldenEnd - event.Time(ago.Milliseconds()) }
	d := event.Divergence{
		ID: event.DivergenceID(f.in.ID, "contact", record, field, kind), Tenant: "t", Integration: f.in.ID, Object: "contact", RecordKey: record,
		Field: field, Kind: kind, Difference: "other", State: event.DivergenceConfirmed, FirstSeenAt: at(confirmed), ConfirmedAt: at(confirmed),
		PreExisting: pre, UpdatedAt: at(confirmed), Version: uint64(2 * f.n),
	}
	if f.n%3 == 0 { // made a while before: after the last comparison, or not
		d.MadeAt = d.ConfirmedAt - event.Time(f.n%7)*event.Hour
	}
	first := d
	f.divergence = append(f.divergence, &first)
	if state == event.DivergenceConfirmed {
		return
	}
	d.Was, d.State, d.UpdatedAt, d.Version = d.State, state, at(ended), uint64(2*f.n+1)
	if state == event.DivergenceResolved {
		d.ResolvedAt = at(ended)
	}
	f.divergence = append(f.divergence, &d)
}

// compares is how a set stands, told so long ago.
func (f *facts) compares(object, field, state string, ago time.Duration, compared, records int64, critical bool) {
	f.n++
	at := goldenEnd - event.Time(ago.Milliseconds())
	r := &event.Reconciliation{
		ID: fmt.Sprint(f.in.ID, "r", f.n), Tenant: "t", Integration: f.in.ID, Object: object, Field: field, Run: fmt.Sprint("run", f.n), State: state,
		Critical: critical, ScheduleMS: int64(event.Day), StartedAt: at, EndedAt: at, SourceRecords: records, Compared: compared,
		UpdatedAt: at, Version: uint64(at),
	}
	if records > 0 {
		r.Share = float64(compared) / float64(records)
	}
	if state == event.RunComplete || state == event.RunSampled {
		r.ComparedThrough = at
	}
	f.compared = append(f.compared, r)
}

func (f *facts) changesSchema(ago time.Duration) {
	at := goldenEnd - event.Time(ago.Milliseconds())
	f.signals = append(f.signals, &event.Signal{
		ID: fmt.Sprint(f.in.ID, "s", at), Tenant: "t", Integration: f.in.ID, Kind: event.SignalSchemaChange, System: "hubspot", Object: "contact",
		StartedAt: at, ReceivedAt: at, Summary: "Phone is gone",
	})
}

// sets draws what KPI 4 and 5 are made of, near their thresholds.
func sets(seed uint64) *facts {
	r := rand.New(rand.NewPCG(seed, 2))
	f := &facts{in: config.Integration{
		ID: fmt.Sprint("i", seed), Tenant: "t", Mode: config.Realtime, Attempts: config.AttemptsFull, Priority: "P1",
		Objects: []config.Object{{Name: "contact"}},
	}}
	minutes := func(most time.Duration) time.Duration {
		return time.Duration(1+r.Int64N(int64(most/time.Minute))) * time.Minute
	}
	if r.IntN(8) > 0 {
		records := []int64{30, 1000, 2000}[r.IntN(3)]
		share := []float64{0.3, 0.5, 0.95, 1}[r.IntN(4)]
		for range 1 + r.IntN(3) {
			f.compares("contact", "", []string{event.RunComplete, event.RunSampled}[r.IntN(2)], minutes(40*day), int64(share*float64(records)), records, true)
		}
		f.compares("deal", "", event.RunComplete, minutes(3*day), 100, 100, r.IntN(2) == 0)
		good := r.IntN(3) == 0
		if good {
			f.compares("contact", "", event.RunComplete, time.Hour, records, records, true)
			f.compares("deal", "", event.RunComplete, time.Hour, 100, 100, r.IntN(2) == 0)
			for i := range []int{0, 17, 18, 19, 20, 21}[r.IntN(6)] { // and one that is not
				f.compares("deal", fmt.Sprint("d", i), event.RunComplete, time.Hour, 100, 100, true)
			}
			f.compares("deal", "late", event.RunComplete, []time.Duration{35, 37}[r.IntN(2)]*time.Hour, 100, 100, true)
		}
		for i := range r.IntN(20) {
			if good {
				f.compares("contact", fmt.Sprint("f", i), event.RunComplete, 35*time.Hour, records, records, true)
				continue
			}
			state := []string{event.RunComplete, event.RunComplete, event.RunComplete, event.RunPlanned, event.RunFailed, event.RunExcluded, event.RunRemoved}[r.IntN(7)]
			ago := []time.Duration{time.Hour, 35 * time.Hour, 36 * time.Hour, 36*time.Hour + time.Minute, 3 * day}[r.IntN(5)]
			f.compares("contact", fmt.Sprint("f", i), state, ago, records, records, r.IntN(5) > 0)
		}
	}
	states := []string{event.DivergenceConfirmed, event.DivergenceConfirmed, event.DivergenceResolved, event.DivergenceAccepted, event.DivergenceOutOfScope}
	kinds := []string{event.ValueMismatch, event.Stale, event.Duplicate, event.MissingInTarget}
	for range []int{0, 5, 9, 10, 11, 20, 40}[r.IntN(7)] {
		confirmed := minutes(40 * day)
		if r.IntN(2) == 0 {
			confirmed = minutes(2 * day)
		}
		ended := time.Duration(r.Int64N(int64(confirmed/time.Minute))) * time.Minute
		f.differs(fmt.Sprint("r", r.IntN(30)), fmt.Sprint("f", len(f.divergence)), kinds[r.IntN(4)], confirmed, ended, states[r.IntN(5)], r.IntN(3) == 0)
	}
	for range r.IntN(3) {
		f.changesSchema([]time.Duration{minutes(20 * day), 2*day + minutes(time.Hour)}[r.IntN(2)])
	}
	if r.IntN(5) == 0 { // a burst after a change of the schema
		f.changesSchema(day)
		for i := range 8 + r.IntN(6) {
			f.differs(fmt.Sprint("b", i), "phone", event.ValueMismatch, minutes(20*time.Hour), 0, event.DivergenceConfirmed, false)
		}
	}
	if r.IntN(4) == 0 { // and the readers were blind
		for range []int{5, 10, 60}[r.IntN(3)] {
			f.delivery(goldenEnd-event.Time(minutes(5*day).Milliseconds()), event.StateStalled, 0, "")
		}
	}
	return f
}

const day = 24 * time.Hour

type goldenSet struct {
	Integration string   `ch:"integration"`
	Value       *float64 `ch:"value"`
	Numerator   float64  `ch:"numerator"`
	Denominator float64  `ch:"denominator"`
	Status      string   `ch:"status"`
	Reason      string   `ch:"reason"`
	Fired       bool     `ch:"fired"`
}

func goldenSets(t *testing.T, db *warehouse.DB, view string) map[string]goldenSet {
	t.Helper()
	at := func(e event.Time) string { return e.Std().Format("2006-01-02 15:04:05.000") }
	var rows []goldenSet
	require.NoError(t, db.Query(t.Context(), &rows, fmt.Sprintf(
		"SELECT integration, value, toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator, status, reason, "+
			"toBool(coalesce(warning_fired, 0)) AS fired FROM %s_at(from = '%s', to = '%s') WHERE object = ''",
		view, at(goldenEnd-30*event.Day), at(goldenEnd))))
	out := map[string]goldenSet{}
	for _, r := range rows {
		out[r.Integration] = r
	}
	return out
}

func TestRulesAndViewsAgreeOnSets(t *testing.T) {
	var all []*facts
	for seed := range uint64(250) {
		all = append(all, sets(seed))
	}
	db, seen := stored(t, all), map[string]int{}
	drift, coverage := goldenSets(t, db, "kpi_drift_rate"), goldenSets(t, db, "kpi_reconciliation_coverage")
	for _, f := range all {
		rules := f.rules()
		got := rules.Drift(&f.in, goldenEnd-30*event.Day, goldenEnd)
		requireSet(t, "drift of "+f.in.ID, drift[f.in.ID], got.Measure, float64(got.Numerator))
		seen["drift "+got.Status+" "+got.Reason]++
		covered := rules.Coverage(&f.in, goldenEnd)
		if want, ok := coverage[f.in.ID]; ok { // the view has no row of what was never compared
			requireSet(t, "coverage of "+f.in.ID, want, covered.Measure, covered.Covered)
		} else {
			require.Equal(t, "unknown no_data", covered.Status+" "+covered.Reason, f.in.ID)
		}
		seen["coverage "+covered.Status+" "+covered.Reason]++
	}
	t.Log(seen)
	for _, status := range []string{
		"drift breach ", "drift ok ", "drift warning ", "drift unknown no_data", "drift unknown not_observed", "drift unknown blind",
		"coverage breach ", "coverage ok ", "coverage warning ", "coverage unknown no_data",
	} {
		require.NotZero(t, seen[status], "the facts never reach %s: %v", status, seen)
	}
}

func requireSet(t *testing.T, what string, want goldenSet, got kpi.Measure, numerator float64) {
	t.Helper()
	what = fmt.Sprintf("%s: view %+v, rule %+v", what, want, got)
	require.Equal(t, want.Status, got.Status, what)
	require.Equal(t, want.Reason, got.Reason, what)
	require.InDelta(t, want.Numerator, numerator, 1e-9, what)
	require.InDelta(t, want.Denominator, got.Denominator, 1e-9, what)
	require.Equal(t, want.Fired, got.Fired, what)
	require.Equal(t, want.Value != nil, got.HasValue, what)
	if want.Value != nil {
		require.InDelta(t, *want.Value, got.Value, 1e-9, what)
	}
}
