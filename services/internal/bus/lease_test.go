package bus_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// One of several holds the lease; when it leaves, another one does.
func TestLeaseHasOneHolder(t *testing.T) {
	o := groupBroker(t, 0)
	var held [2]atomic.Int32
	member := func(i int) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			done <- bus.Lease(ctx, o, "feeds", topic.Positions, func(ctx context.Context) error {
				held[i].Add(1)
				defer held[i].Add(-1)
				<-ctx.Done()
				return nil
			})
		}()
		return func() { cancel(); require.NoError(t, <-done) }
	}
	first := member(0)
	require.Eventually(t, func() bool { return held[0].Load() == 1 }, time.Minute, 10*time.Millisecond)
	second := member(1)
	defer second()
	require.Never(t, func() bool { return held[0].Load()+held[1].Load() > 1 }, 2*time.Second, 10*time.Millisecond)
	if held[0].Load() == 1 {
		first()
		require.Eventually(t, func() bool { return held[1].Load() == 1 }, time.Minute, 10*time.Millisecond)
		return
	}
	first()
}

func TestStreamsGoOnWhereTheyWere(t *testing.T) {
	o := groupBroker(t, 0)
	topics, err := bus.CheckTopics(t.Context(), o)
	require.NoError(t, err)
	p, err := bus.NewProducer(o, "test")
	require.NoError(t, err)
	defer p.Close()
	for _, x := range []event.Position{{Stream: "a", At: "01", SeenAt: 1}, {Stream: "b", At: "02", SeenAt: 1}, {Stream: "a", At: "03", SeenAt: 2}} {
		require.NoError(t, p.Produce(t.Context(), bus.Message{Topic: topic.Positions, Key: x.Stream, Event: &x}))
	}
	got, err := bus.Streams(t.Context(), o, topics)
	require.NoError(t, err)
	require.Equal(t, map[string]*event.Position{"a": {Stream: "a", At: "03", SeenAt: 2}, "b": {Stream: "b", At: "02", SeenAt: 1}}, got)
}
