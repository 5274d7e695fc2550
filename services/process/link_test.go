package process

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kmsg"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
)

// TestTroubledLink folds traffic over a link on which the parts of a transaction
// are late, or arrive and lose their answers, and holds the outputs against an
// undisturbed fold.
func TestTroubledLink(t *testing.T) {
	kinds := []string{"embedded"}
	if *killSlow {
		kinds = append(kinds, "real")
	}
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			var b kafkatest.Broker
			if kind == "real" {
				b = kafkatest.Real(t)
			} else {
				b = kafkatest.Fake(t)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			topics, err := bus.ApplyTopics(ctx, bus.Options{Brokers: []string{b.Addr()}}, 2, 1)
			require.NoError(t, err)
			l, err := newLoad(b.Addr(), topics, 11)
			require.NoError(t, err)
			defer l.close()
			var link kafkatest.Link
			m := joinOver(ctx, bus.Options{Brokers: []string{b.Addr()}, Dial: link.Dial}, "0")
			defer m.leave()
			for _, key := range []kmsg.Key{kmsg.EndTxn, kmsg.Produce, kmsg.TxnOffsetCommit} {
				for _, do := range []kafkatest.Trouble{{Late: 700 * time.Millisecond}, {Deaf: true}} {
					link.Trouble(key.Int16(), 2, do)
					require.Eventually(t, func() bool {
						l.burst(ctx, 10)
						return link.Left() == 0
					}, 30*time.Second, 20*time.Millisecond, "%s with %+v never happened", key.Name(), do)
				}
			}
			l.burst(ctx, 1)
			log, err := bus.NewChangelog(bus.Options{Brokers: []string{b.Addr()}})
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

// TestZombieIsFenced freezes a processor until the group has given its
// partitions to another one. It wakes up in the middle of a transaction.
func TestZombieIsFenced(t *testing.T) {
	if !*killSlow {
		t.Skip("waits for a group to give a member up, half a minute: make kill")
	}
	t.Parallel()
	b := kafkatest.Real(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	topics, err := bus.ApplyTopics(ctx, bus.Options{Brokers: []string{b.Addr()}}, 2, 1)
	require.NoError(t, err)
	l, err := newLoad(b.Addr(), topics, 12)
	require.NoError(t, err)
	defer l.close()
	zombie := &processor{t: t, config: childConfig{Broker: b.Addr(), Tell: FailBeforeCommit + ":5"}}
	zombie.start("")
	defer zombie.kill()
	require.Eventually(t, func() bool {
		l.burst(ctx, 10)
		select {
		case <-zombie.told:
			return true
		default:
			return false
		}
	}, time.Minute, 20*time.Millisecond, "no transaction came to its end")
	zombie.freeze()
	heir := join(ctx, b.Addr(), "heir")
	defer heir.leave()
	require.Eventually(t, func() bool {
		l.burst(ctx, 2)
		inputs, _ := heir.folded()
		return inputs > 300
	}, time.Minute, 500*time.Millisecond, "nobody took over")
	zombie.wake()
	for range 10 {
		l.burst(ctx, 10)
		time.Sleep(50 * time.Millisecond)
	}
	log, err := bus.NewChangelog(bus.Options{Brokers: []string{b.Addr()}})
	require.NoError(t, err)
	defer log.Close()
	l.burst(ctx, 1)
	n := 0
	require.Eventually(t, func() bool {
		n, err = checkAll(ctx, log, topics, l)
		return err == nil
	}, 45*time.Second, 300*time.Millisecond, "%v", err)
	require.Empty(t, heir.errs)
	gone, out := zombie.gone()
	require.False(t, gone, "it goes on as an ordinary member: %s", out)
	t.Logf("%d outputs compared", n)
}
