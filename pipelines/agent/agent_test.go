package agent

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/schemas/event"
)

var ana = event.Actor{Kind: event.ActorUser, ID: "ana"}

// Thousands of writes within minutes: an agent that runs in circles.
func TestRunawayLoopTripsWithinSeconds(t *testing.T) {
	w := newWorld(t)
	started := w.now
	for i := range 3000 {
		w.write(enricher, i%40, event.OpUpdate, "note", fmt.Sprint(i))
		if i%20 == 19 { // 20 writes a second
			w.pass(event.Second)
		}
	}
	require.Equal(t, []string{"loop"}, w.rules())
	require.Less(t, w.untilHit, 400, "writes until it was caught")
	require.Less(t, w.trips[0].Since-started, event.Time(30*event.Second))
	require.Contains(t, w.trips[0].Reason, "records it had just written")
}

func TestBurstAgainstItsOwnPast(t *testing.T) {
	w := newWorld(t)
	for hour := range 30 { // it usually writes 50 a minute at most
		for i := range 50 {
			w.write(enricher, hour*1000+i, event.OpUpdate, "score", fmt.Sprint(i))
		}
		w.pass(event.Hour)
	}
	require.Empty(t, w.trips)
	for i := range 500 { // ten times as much is allowed, exactly
		w.write(enricher, 100_000+i, event.OpUpdate, "score", fmt.Sprint(i))
	}
	w.pass(event.Second)
	require.Empty(t, w.trips)
	w.write(enricher, 200_000, event.OpUpdate, "score", "x")
	w.pass(event.Second)
	require.Equal(t, []string{"burst"}, w.rules())
	require.EqualValues(t, 501, w.trips[0].Value)
	require.EqualValues(t, 500, w.trips[0].Limit)
}

func TestOneValueEverywhere(t *testing.T) {
	w := newWorld(t)
	for i := range 149 {
		w.write(enricher, i, event.OpUpdate, "utm_source", "google")
		w.pass(10 * event.Second)
	}
	require.Empty(t, w.trips)
	w.write(enricher, 149, event.OpUpdate, "utm_source", "google")
	w.pass(event.Second)
	require.Equal(t, []string{"one_value"}, w.rules())
	require.Contains(t, w.trips[0].Reason, `"google" into utm_source`)
	require.Equal(t, "utm_source", w.trips[0].Field)
}

func TestManyValuesAreItsWork(t *testing.T) {
	w := newWorld(t)
	for i := range 1000 {
		w.write(enricher, i, event.OpUpdate, "industry", []string{"software", "retail", "health", "software"}[i%4])
		w.pass(5 * event.Second)
	}
	require.Empty(t, w.trips)
}

// The reported case: an agent that spoils a few fields a day for weeks.
func TestSlowCorruption(t *testing.T) {
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 4000 { // people filled these in
		w.write(ana, i, event.OpUpdate, "utm_campaign", fmt.Sprint("campaign-", i%50), "stage", "lead")
	}
	w.pass(event.Hour)
	day := 0
	for ; day < 21 && len(w.trips) == 0; day++ {
		for range 40 { // good work
			w.write(enricher, 10_000+rng.IntN(50_000), event.OpUpdate, "industry", fmt.Sprint("i", rng.IntN(20)))
			w.pass(20 * event.Minute)
		}
		for range 12 { // and a little damage
			w.write(enricher, rng.IntN(4000), event.OpUpdate, "utm_campaign", fmt.Sprint("c-", rng.IntN(1000)))
			w.pass(50 * event.Minute)
		}
	}
	require.Equal(t, []string{"slow_overwrites"}, w.rules())
	require.Less(t, day, 14, "days until it was caught")
	t.Logf("caught after %d days and %d writes", day, w.untilHit)
}

func TestOverwritesOfPeople(t *testing.T) {
	for _, tt := range []struct {
		overwritten, harmless int
		trips                 bool
	}{{49, 0, false}, {50, 0, true}, {50, 116, true}, {50, 120, false}} {
		t.Run(fmt.Sprint(tt.overwritten, "+", tt.harmless), func(t *testing.T) {
			w := newWorld(t)
			for i := range tt.overwritten {
				w.write(ana, i, event.OpUpdate, "phone", fmt.Sprint(i))
			}
			for i := range tt.harmless {
				w.write(enricher, 1000+i, event.OpUpdate, "city", fmt.Sprint(i))
			}
			for i := range tt.overwritten {
				w.write(enricher, i, event.OpUpdate, "phone", fmt.Sprint("+1", i))
			}
			w.pass(event.Second)
			require.Equal(t, tt.trips, len(w.trips) == 1, "%v", w.rules())
		})
	}
}

// A bad dedup rule: what used to update makes records instead.
func TestCreatesInsteadOfUpdates(t *testing.T) {
	w := newWorld(t)
	for i := range 600 {
		w.write(enricher, i, event.OpUpdate, "city", fmt.Sprint(i))
		w.pass(event.Minute)
	}
	for i := range 100 {
		w.write(enricher, 10_000+i, event.OpCreate, "city", fmt.Sprint(i))
		w.pass(2 * event.Second)
	}
	require.Equal(t, []string{"creates"}, w.rules())
}

func TestDeletesFailuresAndCaps(t *testing.T) {
	w := newWorld(t, config.Agent{ID: "enricher", Limits: config.AgentLimits{Deletes: 3}})
	for i := range 4 {
		w.write(enricher, i, event.OpDelete)
	}
	w.pass(event.Second)
	require.Equal(t, []string{"deletes"}, w.rules())

	w = newWorld(t)
	for i := range 30 {
		outcome := event.OutcomeOK
		if i%2 == 0 {
			outcome = event.OutcomeError
		}
		w.fact(&event.Attempt{
			ID: fmt.Sprint(i), Tenant: "t1", Integration: "hs-sf", Object: "contact", Operation: event.OpUpdate, OccurredAt: w.now,
			Outcome: outcome, Actor: enricher,
		}, "k")
	}
	w.pass(event.Second)
	require.Equal(t, []string{"failures"}, w.rules())

	w = newWorld(t, config.Agent{ID: "enr*", Limits: config.AgentLimits{Run: 10}})
	for i := range 11 {
		w.write(enricher, i, event.OpUpdate, "a", fmt.Sprint(i))
	}
	w.pass(event.Second)
	require.Equal(t, []string{"cap_run"}, w.rules())
	require.EqualValues(t, 11, w.trips[0].RunWrites)

	w = newWorld(t, config.Agent{ID: "enricher", Limits: config.AgentLimits{Fields: []string{"industry"}}})
	w.write(enricher, 1, event.OpUpdate, "industry", "x")
	w.pass(event.Second)
	require.Empty(t, w.trips)
	w.write(enricher, 1, event.OpUpdate, "amount", "1")
	w.pass(event.Second)
	require.Equal(t, []string{"outside_fields"}, w.rules())
}

func TestLimitsCanBeSwitchedOff(t *testing.T) {
	off := config.AgentLimits{
		Run: -1, Hour: -1, Day: -1, Burst: -1, Deletes: -1, Creates: -1, Repeats: -1, OneValue: -1, Overwrites: -1,
		FailureShare: -1,
	}
	w := newWorld(t, config.Agent{ID: "*", Limits: off})
	for i := range 3000 {
		w.write(enricher, i%3, []string{event.OpUpdate, event.OpCreate, event.OpDelete}[i%3], "a", "b")
	}
	w.pass(event.Second)
	require.Empty(t, w.trips)
}

// A tripped agent stays so, is told again each hour, and goes on when a
// person resets it.
func TestTrippedUntilReset(t *testing.T) {
	w := newWorld(t, config.Agent{ID: "enricher", Limits: config.AgentLimits{Hour: 10}})
	for i := range 11 {
		w.write(enricher, i, event.OpUpdate, "a", fmt.Sprint(i))
	}
	w.pass(event.Second)
	require.Equal(t, []string{"cap_hour"}, w.rules())
	told := len(w.states)
	w.pass(event.Hour + event.Second)
	w.pass(event.Hour + event.Second)
	require.Len(t, w.states, told+2, "told again")
	require.Equal(t, event.AgentTripped, w.states[len(w.states)-1].State)

	w.partial(&event.Click{ID: "k1", Tenant: "t1", Kind: event.ClickReset, Subject: "t1/agent/enricher", By: "ana", At: w.now})
	last := w.states[len(w.states)-1]
	require.Equal(t, event.AgentOK, last.State)
	require.Equal(t, "ana", last.ResetBy)
	w.write(enricher, 1, event.OpUpdate, "a", "z")
	w.pass(event.Second)
	require.Len(t, w.trips, 1)
}

// A quarter of ordinary traffic, with two announced imports of 280,000
// records, trips nobody.
func TestOrdinaryQuarter(t *testing.T) {
	w := newWorld(t)
	rng := rand.New(rand.NewPCG(3, 4))
	loader := event.Actor{Kind: event.ActorAutomation, ID: "loader"}
	enricher, record := enricher, 0
	for day := range 90 {
		enricher.Run = fmt.Sprint("run-", day)
		if day == 20 || day == 70 {
			w.partial(&event.Signal{
				ID: fmt.Sprint("import-", day), Tenant: "t1", Integration: "hs-sf", Kind: event.SignalBulkImport, Actor: loader,
				StartedAt: w.now, EndedAt: w.now + 6*event.Hour, Summary: "list purchase",
			})
			for range 280 { // 1,000 records every 30 seconds
				for range 1000 {
					record++
					w.write(loader, 1_000_000+record, event.OpCreate, "source", "list", "city", fmt.Sprint(rng.IntN(500)))
				}
				w.pass(30 * event.Second)
			}
		}
		busy := 1.0
		if day%7 >= 5 {
			busy = 0.2
		}
		for hour := range 24 {
			if hour < 7 || hour > 19 {
				w.pass(event.Hour)
				continue
			}
			for range int(busy * float64(20+rng.IntN(60))) {
				r := rng.IntN(20_000)
				if rng.IntN(3) == 0 {
					w.write(ana, r, event.OpUpdate, "stage", fmt.Sprint(rng.IntN(5)), "phone", fmt.Sprint(rng.IntN(1e6)))
				}
				// It fills in what is empty or its own, and now and then corrects a person.
				w.write(enricher, r, event.OpUpdate, "industry", fmt.Sprint(rng.IntN(30)), "score", fmt.Sprint(rng.IntN(100)))
				if rng.IntN(25) == 0 {
					w.write(enricher, r, event.OpUpdate, "phone", fmt.Sprint(rng.IntN(1e6)))
				}
				w.pass(event.Time(20+rng.IntN(40)) * event.Second)
			}
		}
	}
	require.Empty(t, w.rules())
	t.Logf("%d writes of agents", w.writes)
}

func TestReset(t *testing.T) {
	w := newWorld(t)
	w.partial(&event.Click{ID: "k", Kind: event.ClickReset, Subject: "t1/agent/nobody", By: "ana", At: w.now})
	require.Empty(t, w.states, "nobody was tripped")
}

// A backlog arrives within seconds, of hours of ordinary work: no burst.
func TestBacklogIsNoBurst(t *testing.T) {
	w := newWorld(t)
	for i := range 2000 {
		w.fact(&event.Change{
			ID: fmt.Sprint(i), Tenant: "t1", Integration: "hs-sf", Side: event.Source, System: "hubspot", Object: "contact", RecordKey: fmt.Sprint(i),
			Operation: event.OpUpdate, ChangedAt: w.now - event.Hour + event.Time(i)*event.Second, ReceivedAt: w.now, Actor: enricher,
			Fields: []event.Field{{Name: "city", Value: event.Value{Text: fmt.Sprint(i)}}},
		}, fmt.Sprint(i))
	}
	w.pass(event.Second)
	require.Empty(t, w.trips)
	require.EqualValues(t, 2000, w.states[len(w.states)-1].Day, "it counts in the day")
}
