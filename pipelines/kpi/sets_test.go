package kpi_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/kpi"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

// now is a whole hour, far enough from 1970 for a month before it.
const now event.Time = 20_000 * event.Day

// sync is a P1 integration.
var sync = config.Integration{ID: "i", Tenant: "t", Mode: config.Realtime, Attempts: config.AttemptsFull, Priority: event.P1}

// fold plays events into a fresh operator, now.
func fold(events ...event.Event) *kpi.KPI {
	k := kpi.New([]config.Integration{sync})
	ctx := stream.Ctx{Now: now}
	k.Step(ctx, "t", &event.Pulse{Tenant: "t"}, nil)
	for _, e := range events {
		k.Step(ctx, "t", e, nil)
	}
	return k
}

func turns(state, was string, at event.Time, pre bool, records ...string) event.Event {
	return &event.Partial{Tenant: "t", Integration: "i", Object: "contact", Second: now, Divergences: []event.DivergenceCount{{
		Minute: at, Field: "phone", Kind: event.ValueMismatch, State: state, Was: was, N: int64(len(records)), Records: records, Settled: at, PreExisting: pre,
	}}}
}

func keys(from, n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprint("r", from+i))
	}
	return list
}

func compared(field, state string, at event.Time, n, of int64) *event.Reconciliation {
	r := &event.Reconciliation{
		Integration: "i", Object: "contact", Field: field, Run: fmt.Sprint(at), State: state, Critical: true, ScheduleMS: int64(event.Day),
		StartedAt: at, SourceRecords: of, Compared: n, UpdatedAt: at, Version: uint64(at),
	}
	if state == event.RunComplete {
		r.ComparedThrough, r.Share = at, float64(n)/float64(of)
	}
	return r
}

// At, just under and just over the target; over a half compared, or not known.
func TestDriftThresholds(t *testing.T) {
	const confirmed = event.DivergenceConfirmed
	for _, tt := range []struct {
		differ       int
		compared, of int64
		status       string
	}{
		{9, 1000, 1000, "ok"},
		{10, 1000, 1000, "breach"}, // the target is under 1 %
		{11, 1000, 1000, "breach"},
		{10, 1001, 1001, "ok"},
		{10, 500, 1000, "breach"},
		{10, 499, 1000, "unknown"},
		{0, 1000, 1000, "ok"},
	} {
		k := fold(turns(confirmed, "", now-event.Hour, false, keys(0, tt.differ)...), compared("", event.RunComplete, now-event.Hour, tt.compared, tt.of))
		m := k.Drift(&sync, now-30*event.Day, now)
		require.Equal(t, tt.status, m.Status, "%+v: %+v", tt, m)
	}
	silent := fold(turns(confirmed, "", now-event.Hour, false, "r")).Drift(&sync, now-30*event.Day, now)
	require.Equal(t, "no_data", silent.Reason, "nobody compared: silence is not good news")
}

// What was there on day one is said apart, and counts; what a person accepted,
// what left the scope and what was over before the window does not.
func TestDayOneBacklogIsNotNew(t *testing.T) {
	k := fold(
		compared("", event.RunComplete, now-event.Hour, 1000, 1000),
		turns(event.DivergenceConfirmed, "", now-2*event.Hour, true, keys(0, 15)...),
		turns(event.DivergenceConfirmed, "", now-event.Hour, false, keys(100, 4)...),
		turns(event.DivergenceConfirmed, "", now-event.Hour, false, keys(200, 30)...),
		turns(event.DivergenceAccepted, event.DivergenceConfirmed, now-event.Minute, false, keys(200, 20)...),
		turns(event.DivergenceOutOfScope, event.DivergenceConfirmed, now-event.Minute, false, keys(220, 10)...),
		turns(event.DivergenceConfirmed, "", now-40*event.Day, false, "old"),
		turns(event.DivergenceResolved, event.DivergenceConfirmed, now-31*event.Day, false, "old"),
		turns(event.DivergenceResolved, event.DivergenceConfirmed, now-event.Minute, true, "r0"),
	)
	m := k.Drift(&sync, now-30*event.Day, now)
	require.Equal(t, []int64{19, 15, 4, 18}, []int64{m.Numerator, m.Old, m.New, m.Open}, "%+v", m)
}

// A record that was made after the last comparison of everything and differs
// was compared by itself: it stands in both terms.
func TestYoungRecordsStandInBothTerms(t *testing.T) {
	made := func(at event.Time, records ...string) event.Event {
		p := turns(event.DivergenceConfirmed, "", now-event.Minute, false, records...).(*event.Partial)
		p.Divergences[0].Made = at
		return p
	}
	m := fold(
		compared("", event.RunComplete, now-event.Hour, 10, 10),
		made(0, keys(0, 2)...), made(now-2*event.Hour, keys(2, 2)...), made(now-event.Hour, "r4"), made(now-event.Hour+1, keys(5, 15)...),
	).Drift(&sync, now-30*event.Day, now)
	require.EqualValues(t, 20, m.Numerator)
	require.EqualValues(t, 25, m.Denominator)
	require.InDelta(t, 0.8, m.Value, 1e-9)
	require.Equal(t, "no_data", fold(made(now-event.Minute, "r1")).Drift(&sync, now-30*event.Day, now).Reason, "nobody compared")
}

// Drift accelerates from ten records and a lower bound over 1.5 on, no sooner.
func TestDriftAccelerates(t *testing.T) {
	signal := &event.Signal{Integration: "i", Kind: event.SignalSchemaChange, StartedAt: now - event.Day, Summary: "Phone is gone"}
	of := func(before, after int) kpi.DriftMeasure {
		return fold(
			compared("", event.RunComplete, now-event.Hour, 100_000, 100_000), signal,
			turns(event.DivergenceConfirmed, "", now-3*event.Day, false, keys(0, before)...),
			turns(event.DivergenceConfirmed, "", now-event.Hour, false, keys(1000, after)...),
		).Drift(&sync, now-30*event.Day, now)
	}
	require.False(t, of(0, 9).Fired, "nine records")
	require.True(t, of(0, 10).Fired)
	require.Equal(t, "Phone is gone", of(0, 10).Signal)
	require.False(t, of(35, 13).Fired, "%v", of(35, 13).Faster)
	require.True(t, of(35, 14).Fired, "%v", of(35, 14).Faster)
	require.Equal(t, "warning", of(35, 14).Status)
}

func TestCoverageThresholds(t *testing.T) {
	limit := event.Time(36 * event.Hour) // a day's schedule and a half
	for _, tt := range []struct {
		sets, late int
		age        event.Time
		status     string
		fired      bool
	}{
		{20, 0, limit - 1, "ok", false},
		{20, 0, limit, "breach", true},
		{20, 1, event.Hour, "breach", true},  // 95 %: the target is over that
		{21, 1, event.Hour, "warning", true}, // any gap
		{100, 1, event.Hour, "warning", true},
		{1, 0, event.Hour, "ok", false},
		{1, 1, event.Hour, "breach", true},
	} {
		var all []event.Event
		for i := range tt.sets {
			at := now - tt.age
			if i < tt.late {
				at = now - limit
			}
			all = append(all, compared(fmt.Sprint("f", i), event.RunComplete, at, 10, 10))
		}
		m := fold(all...).Coverage(&sync, now)
		require.Equal(t, tt.status, m.Status, "%+v: %+v", tt, m)
		require.Equal(t, tt.fired, m.Fired, "%+v: %+v", tt, m)
	}
	require.Equal(t, "no_data", fold().Coverage(&sync, now).Reason)
}

// One field that is compared is not the object: what was planned and never
// compared is a gap, and what is left out with a reason is none.
func TestOneFieldCoverage(t *testing.T) {
	k := fold(
		compared("email", event.RunComplete, now-event.Hour, 10, 10), compared("phone", event.RunPlanned, now-event.Hour, 0, 0),
		compared("", event.RunFailed, now-event.Hour, 0, 0), compared("fax", event.RunExcluded, now-event.Hour, 0, 0),
		compared("city", event.RunComplete, now-event.Hour, 4, 10),
	)
	m := k.Coverage(&sync, now)
	require.Equal(t, []string{"contact", "contact.phone"}, m.Gaps)
	require.InDelta(t, 1.4/4, m.Value, 1e-9)
	require.Equal(t, "breach", m.Status)
}

// Whatever the order in which sets and divergences are told, and however often,
// the same comes out.
func TestReorderedSets(t *testing.T) {
	var all []event.Event
	for i := range 12 {
		at := now - event.Time(i+1)*event.Hour
		all = append(all, compared(fmt.Sprint("f", i%3), []string{event.RunComplete, event.RunFailed}[i%2], at, 10, 10), compared("", event.RunComplete, at, int64(10+i), 20))
	}
	want := fold(all...)
	r := rand.New(rand.NewPCG(1, 1))
	for range 20 {
		again := append([]event.Event{all[r.IntN(len(all))]}, all...)
		r.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		got := fold(again...)
		require.Equal(t, want.Coverage(&sync, now), got.Coverage(&sync, now))
		require.Equal(t, want.Drift(&sync, now-30*event.Day, now), got.Drift(&sync, now-30*event.Day, now))
	}
}

// Failures of no known kind are told from thirty failures and three of them on,
// over three in a hundred.
func TestShareOfOther(t *testing.T) {
	failed := func(class string, n int64) event.Event {
		return &event.Partial{Tenant: "t", Integration: "i", Object: "contact", Second: now, Failures: []event.FailureCount{{
			Minute: now - event.Hour, Class: class, Fingerprint: class, N: n, Origin: event.OriginError, Operation: event.OpUpdate,
		}}}
	}
	for _, tt := range []struct {
		other, all int64
		status     string
	}{{3, 29, "ok"}, {2, 30, "ok"}, {3, 30, "breach"}, {3, 100, "ok"}, {4, 100, "breach"}, {29, 1000, "ok"}, {31, 1000, "breach"}, {0, 0, "ok"}} {
		k := fold(failed(event.ClassOther, tt.other), failed(event.ClassSchema, tt.all-tt.other))
		require.Equal(t, tt.status, k.Other(&sync, now-event.Day, now).Status, "%+v", tt)
	}
}
