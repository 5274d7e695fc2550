package pace

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestFastTimeRunsAheadOfTheWall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := Fast{From: time.Now(), Speed: 60}
		began := time.Now()
		require.NoError(t, f.Sleep(t.Context(), time.Hour))
		require.Equal(t, time.Minute, time.Since(began))
		require.Equal(t, began.Add(time.Hour), f.Now())
		require.Equal(t, time.Second, f.Wall(time.Minute))
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		began := time.Now()
		require.ErrorIs(t, Real.Sleep(ctx, time.Hour), context.Canceled)
		require.ErrorIs(t, Fast{From: began, Speed: 2}.Sleep(ctx, time.Hour), context.Canceled)
		require.Zero(t, time.Since(began))
	})
}

func TestParse(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"60": "60@2026-03-02T09:00:00Z", "1.5@2026-01-01T00:00:00Z": "1.5@2026-01-01T00:00:00Z",
	} {
		f, err := Parse(text, now)
		require.NoError(t, err)
		require.Equal(t, want, f.String())
	}
	for _, text := range []string{"", "0.5", "NaN", "1001", "60@yesterday", "fast"} {
		_, err := Parse(text, now)
		require.ErrorContains(t, err, "pace", text)
	}
}

func TestGatedTimeWaitsForWhatIsDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGated(60, 20*time.Second)
		began := g.Now()
		time.Sleep(100 * time.Millisecond)
		require.Equal(t, began.Add(6*time.Second), g.Now())
		time.Sleep(time.Hour)
		require.Equal(t, began.Add(20*time.Second), g.Now(), "it waits")
		slept := make(chan error, 1)
		go func() { slept <- g.Sleep(t.Context(), 10*time.Second) }()
		time.Sleep(time.Second)
		require.Empty(t, slept)
		g.Done(began.Add(15 * time.Second))
		time.Sleep(time.Second)
		require.NoError(t, <-slept)
		require.Equal(t, began.Add(35*time.Second), g.Now())
		g.Done(began) // what was done stays done
		require.Equal(t, began.Add(35*time.Second), g.Now())
	})
}

func TestGatedTimeWaitsForWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGated(60, 20*time.Second)
		began := g.Now()
		g.Done(began.Add(time.Hour)) // nobody else is behind
		ctx, end := Hold(t.Context(), g)
		time.Sleep(time.Second)
		require.Equal(t, began.Add(20*time.Second), g.Now(), "time waits for work")
		require.NoError(t, g.Sleep(ctx, time.Minute), "and not while it sleeps")
		woken := g.Now()
		require.False(t, woken.Before(began.Add(80*time.Second)))
		time.Sleep(time.Second)
		require.Equal(t, woken.Add(20*time.Second), g.Now())
		end()
		time.Sleep(time.Second)
		require.Equal(t, woken.Add(80*time.Second), g.Now(), "work is done")
	})
}

func TestGatedTimeDoesNotWaitForever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGated(60, 20*time.Second)
		began := g.Now()
		g.Done(began.Add(time.Hour))
		_, end := Hold(t.Context(), g)
		defer end()
		time.Sleep(patience - time.Second)
		require.Equal(t, began.Add(20*time.Second), g.Now())
		time.Sleep(time.Second)
		require.Equal(t, began.Add(80*time.Second), g.Now(), "it may wait for what only time brings")
	})
}

func TestOnlyGatedTimeIsHeld(t *testing.T) {
	ctx, end := Hold(t.Context(), Real)
	require.Equal(t, t.Context(), ctx)
	end()
}
