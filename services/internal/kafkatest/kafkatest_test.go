package kafkatest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestMain(m *testing.M) { Main(m) }

func TestKilledBrokerComesBackWithItsRecords(t *testing.T) {
	Kinds(t, func(t *testing.T, b Broker) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		addr := b.Addr()
		cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DefaultProduceTopic("t"), kgo.ConsumeTopics("t"))
		require.NoError(t, err)
		defer cl.Close()
		_, err = kadm.NewClient(cl).CreateTopic(ctx, 1, 1, nil, "t")
		require.NoError(t, err)
		require.NoError(t, cl.ProduceSync(ctx, kgo.StringRecord("before")).FirstErr())

		b.Kill()
		b.Restart()

		require.Equal(t, addr, b.Addr())
		require.NoError(t, cl.ProduceSync(ctx, kgo.StringRecord("after")).FirstErr())
		var got []string
		for len(got) < 2 && ctx.Err() == nil {
			for _, r := range cl.PollFetches(ctx).Records() {
				got = append(got, string(r.Value))
			}
		}
		require.Equal(t, []string{"before", "after"}, got)
	})
}

func TestStoppedBrokerStartsAgain(t *testing.T) {
	Kinds(t, func(t *testing.T, b Broker) {
		b.Stop()
		require.False(t, answers(t.Context(), b.(*process)))
		b.Restart()
		require.True(t, answers(t.Context(), b.(*process)))
	})
}
