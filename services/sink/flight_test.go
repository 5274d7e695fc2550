package sink

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"plumbline.dev/services/internal/bus"
)

// TestABatchInFlightIsLeftAlone: partitions that come or go meanwhile and are
// none of its own do not touch it; one of its own goes when it has landed.
func TestABatchInFlightIsLeftAlone(t *testing.T) {
	b := &batch{spans: []span{{part: &partition{id: 1}}, {part: &partition{id: 2}}}}
	over, land := context.WithCancel(t.Context())
	defer land()
	r := &runner{log: zap.NewNop(), opts: &Options{RetryMin: time.Second, RetryMax: time.Second}, current: b, flight: &flight{over: over, done: make(chan struct{})}}
	f := r.flight
	go func() {
		for range 1000 {
			_ = b.letters() // as store reads it: the race detector looks on
		}
		f.err = errors.New("ClickHouse is away")
		close(f.done)
	}()
	for range 1000 {
		require.NoError(t, r.own(bus.Ownership{Partition: 7}))
	}
	require.True(t, b.holds(1))
	require.False(t, b.holds(7))
	require.NoError(t, r.land())
	require.Nil(t, r.flight)
	require.Same(t, b, r.current, "it is stored again")
	require.NoError(t, r.own(bus.Ownership{Partition: 1}))
	require.False(t, b.holds(1))
	require.NoError(t, r.own(bus.Ownership{Partition: 2}))
	require.Nil(t, r.current)
}
