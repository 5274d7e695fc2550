package crm

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// virtual is a clock that only sleeping moves.
type virtual struct {
	mu  sync.Mutex
	now time.Time
}

func (v *virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

func (v *virtual) Sleep(ctx context.Context, d time.Duration) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = v.now.Add(d)
	return ctx.Err()
}

func (v *virtual) Wall(d time.Duration) time.Duration { return d }

var monday = time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)

// TestNoDayExceedsTheBudget plays four days in which polls, checks and
// comparisons all want more than there is, with two restarts: no 24 hours hold
// more calls than the share allows, and polling is never starved by the others.
func TestNoDayExceedsTheBudget(t *testing.T) {
	clock := &virtual{now: monday}
	rng := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // repeatable on purpose
	o := BudgetOptions{System: "x", Share: 0.05, Daily: 20_000, Clock: clock}
	b := NewBudget(o)
	stored := map[time.Time]map[Lane]int64{}
	var calls []time.Time
	polls := map[int]int{}
	for minute := range 4 * 24 * 60 {
		if minute == 2000 || minute == 3500 { // a new process knows what was stored
			b = NewBudget(o)
			var rows []Spent
			for h, lanes := range stored {
				for lane, n := range lanes {
					rows = append(rows, Spent{Hour: h, Lane: lane, Calls: n})
				}
			}
			b.Restore(rows)
		}
		clock.now = monday.Add(time.Duration(minute) * time.Minute)
		for _, lane := range []Lane{LaneCompare, LaneCheck, LaneCompare, LanePoll} {
			for range rng.IntN(4) {
				if b.Take(In(t.Context(), lane)) != nil {
					break
				}
				calls = append(calls, clock.Now())
				h := clock.Now().Truncate(time.Hour)
				if stored[h] == nil {
					stored[h] = map[Lane]int64{}
				}
				stored[h][lane]++
				if lane == LanePoll {
					polls[minute/(24*60)]++
				}
			}
		}
	}
	from := 0
	for i, at := range calls {
		for at.Sub(calls[from]) >= 24*time.Hour {
			from++
		}
		require.LessOrEqual(t, i-from+1, 1000, "24 hours to %s", at)
	}
	require.Greater(t, len(calls), 3000, "the share is used, too")
	for day, n := range polls {
		require.Greater(t, n, 300, "polls of day %d", day)
	}
}

func TestTheAccountsOwnEndIsLeftToOthers(t *testing.T) {
	b := NewBudget(BudgetOptions{System: "HubSpot", Share: 0.5, Daily: 1000, Clock: &virtual{now: monday}})
	require.NoError(t, b.Take(In(t.Context(), LanePoll)))
	b.Learn(1000, 99, 0, 0, -1)
	err := b.Take(In(t.Context(), LanePoll))
	require.Equal(t, KindBudget, KindOf(err))
	require.ErrorContains(t, err, "99 of its 1000 calls left today")
	require.NoError(t, b.Take(In(t.Context(), LaneProbe)))
}

// TestTheShortLimitIsKept: half of what ten seconds allow, and a pause when
// others have used it up.
func TestTheShortLimitIsKept(t *testing.T) {
	clock := &virtual{now: monday}
	b := NewBudget(BudgetOptions{System: "HubSpot", Share: 1, Daily: 100_000, Clock: clock})
	b.Learn(0, -1, 10*time.Second, 190, 150)
	for range 950 {
		require.NoError(t, b.Take(t.Context()))
	}
	require.GreaterOrEqual(t, clock.Now().Sub(monday), 90*time.Second)
	require.Less(t, clock.Now().Sub(monday), 110*time.Second)
	before := clock.Now()
	b.Learn(0, -1, 10*time.Second, 190, 5)
	require.NoError(t, b.Take(t.Context()))
	require.GreaterOrEqual(t, clock.Now().Sub(before), 10*time.Second)
}

func TestAddressesThatAreRefused(t *testing.T) {
	for _, raw := range []string{"", "ftp://x", "http://api.example.com", "https://user:pw@x.example.com", "https://x.example.com?a=1"} {
		_, err := Base(raw, false)
		require.Error(t, err, raw)
	}
	_, err := Base("http://127.0.0.1:9", true)
	require.NoError(t, err)
	res, err := (&http.Client{Transport: Transport(false)}).Get("http://localhost:1") //nolint:noctx // refused before it is sent
	if err == nil {
		_ = res.Body.Close()
	}
	require.ErrorContains(t, err, "set allow_private on the connection")
}

func TestUsed(t *testing.T) {
	b := NewBudget(BudgetOptions{System: "salesforce", Share: 0.05, Daily: 15_000})
	_, _, ok := b.Used()
	require.False(t, ok, "the account has not said")
	b.Learn(100_000, 40_000, 0, 0, 0)
	used, daily, ok := b.Used()
	require.True(t, ok)
	require.Equal(t, []int64{60_000, 100_000}, []int64{used, daily})
}
