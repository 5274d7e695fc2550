package bus_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// TestRetentionIsShortened: what keeps days keeps less where that is wanted,
// also in topics that exist; state is kept for good.
func TestRetentionIsShortened(t *testing.T) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	defer broker.Close()
	o := bus.Options{Brokers: broker.ListenAddrs()}
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.Brokers...))
	require.NoError(t, err)
	defer cl.Close()
	kept := func(name string) string {
		all, err := kadm.NewClient(cl).DescribeTopicConfigs(t.Context(), name)
		require.NoError(t, err)
		for _, c := range all[0].Configs {
			if c.Key == "retention.ms" {
				return c.MaybeValue()
			}
		}
		return ""
	}
	for _, step := range []struct {
		retention time.Duration
		facts     string
	}{{0, "604800000"}, {time.Hour, "3600000"}, {48 * time.Hour, "172800000"}, {1000 * time.Hour, "604800000"}} {
		o.Retention = step.retention
		_, err := bus.ApplyTopics(t.Context(), o, 2, 1)
		require.NoError(t, err)
		require.Equal(t, step.facts, kept(topic.Facts))
		require.Equal(t, "-1", kept(topic.TrackState))
	}
}
