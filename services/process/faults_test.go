package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// TestBrokerFaults folds traffic while a cluster of three misbehaves, and holds
// the outputs against an undisturbed fold.
func TestBrokerFaults(t *testing.T) {
	for name, inject := range map[string]func(*rand.Rand, *kfake.Cluster){
		"coordinators move": func(_ *rand.Rand, c *kfake.Cluster) { c.RehashCoordinators() },
		"partitions move": func(rng *rand.Rand, c *kfake.Cluster) {
			for _, name := range []string{topic.Intake, topic.Facts, topic.TrackState, topic.Deliveries} {
				_ = c.MoveTopicPartition(name, int32(rng.IntN(2)), int32(rng.IntN(3)))
			}
		},
		"the end of a transaction fails for no known reason": func(_ *rand.Rand, c *kfake.Cluster) {
			c.ControlKey(int16(kmsg.EndTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
				resp := req.ResponseKind().(*kmsg.EndTxnResponse)
				resp.ErrorCode = kerr.UnknownServerError.Code
				return resp, nil, true
			})
		},
		"the end of a transaction gets no answer": func(_ *rand.Rand, c *kfake.Cluster) {
			c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
				return nil, errors.New("cut"), true
			})
		},
		"offsets are not taken": func(_ *rand.Rand, c *kfake.Cluster) {
			c.ControlKey(int16(kmsg.TxnOffsetCommit), func(kmsg.Request) (kmsg.Response, error, bool) {
				return nil, errors.New("cut"), true
			})
		},
		"writes get no answer": func(_ *rand.Rand, c *kfake.Cluster) {
			c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
				return nil, errors.New("cut"), true
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			c, err := kfake.NewCluster(kfake.NumBrokers(3))
			require.NoError(t, err)
			defer c.Close()
			o := bus.Options{Brokers: c.ListenAddrs()}
			topics, err := bus.ApplyTopics(ctx, o, 2, 1)
			require.NoError(t, err)
			l, err := newLoad(c.ListenAddrs()[0], topics, 5)
			require.NoError(t, err)
			defer l.close()
			m := join(ctx, c.ListenAddrs()[0], "0")
			defer m.leave()
			rng := rand.New(rand.NewPCG(5, 5))
			for round := range 8 {
				l.burst(ctx, 15)
				if round%4 == 1 {
					inject(rng, c)
				}
				time.Sleep(time.Duration(rng.IntN(120)) * time.Millisecond)
			}
			l.burst(ctx, 1)
			log, err := bus.NewChangelog(o)
			require.NoError(t, err)
			defer log.Close()
			n := 0
			require.Eventually(t, func() bool {
				n, err = checkAll(ctx, log, topics, l)
				return err == nil
			}, 45*time.Second, 300*time.Millisecond, "%v", err)
			require.Empty(t, m.errs)
			t.Logf("%d outputs compared", n)
		})
	}
}

// TestLostStateIsRefused takes a stage's state away while it is down: it must
// not begin anew as if nothing had been.
func TestLostStateIsRefused(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b := startBroker(t, "embedded")
	o := bus.Options{Brokers: []string{b.Addr()}}
	topics, err := bus.ApplyTopics(ctx, o, 2, 1)
	require.NoError(t, err)
	l, err := newLoad(b.Addr(), topics, 1)
	require.NoError(t, err)
	defer l.close()
	m := join(ctx, b.Addr(), "0")
	for done := 0.0; done < 600 && ctx.Err() == nil; done, _ = m.folded() { // many transactions
		l.burst(ctx, 10)
		time.Sleep(50 * time.Millisecond)
	}
	m.leave()
	log, err := bus.NewChangelog(o)
	require.NoError(t, err)
	defer log.Close()
	for p := range topics.Partitions[topic.TrackState] {
		end, err := log.End(ctx, topic.TrackState, p)
		require.NoError(t, err)
		require.NoError(t, log.Trim(ctx, topic.TrackState, p, end))
	}
	again := join(ctx, b.Addr(), "0")
	defer again.leave()
	select {
	case err := <-again.errs:
		require.ErrorIs(t, err, stream.ErrUnreconciled)
		require.ErrorContains(t, err, "delete topic "+topic.TrackState)
	case <-ctx.Done():
		require.Fail(t, "it runs on without its state")
	}
}
