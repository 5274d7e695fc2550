package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type broker struct{ err error }

func (b *broker) Ping(context.Context) error { return b.err }

// After the log was away, ticks give spools elsewhere time to drain.
func TestGraceAfterAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broker{}
		w := watch{o: &Options{Grace: 10 * time.Second}, log: b}
		require.False(t, w.holds(t.Context()), "nothing happened")
		w.away, b.err = true, errors.New("away")
		require.True(t, w.holds(t.Context()))
		time.Sleep(time.Hour)
		require.True(t, w.holds(t.Context()), "still away")
		b.err = nil
		require.True(t, w.holds(t.Context()), "just back")
		time.Sleep(9 * time.Second)
		require.True(t, w.holds(t.Context()))
		b.err = errors.New("away again")
		require.True(t, w.holds(t.Context()))
		b.err = nil
		require.True(t, w.holds(t.Context()), "the grace begins anew")
		time.Sleep(10 * time.Second)
		require.False(t, w.holds(t.Context()))
		require.False(t, w.holds(t.Context()))
	})
}

func TestWithoutGraceTicksGoOn(t *testing.T) {
	w := watch{o: &Options{}, log: &broker{err: errors.New("away")}, away: true}
	require.False(t, w.holds(t.Context()), "Hold knows: the spool is in this process")
}
