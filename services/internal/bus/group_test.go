package bus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
)

// groupBroker is an in-process broker with every topic and n changes on facts.
func groupBroker(t *testing.T, n int, more ...func(*kfake.Cluster)) bus.Options {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, leaks) })
	c, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(c.Close)
	for _, f := range more {
		f(c)
	}
	o := bus.Options{Brokers: c.ListenAddrs()}
	_, err = bus.ApplyTopics(t.Context(), o, 4, 1)
	require.NoError(t, err)
	p, err := bus.NewProducer(o, "test")
	require.NoError(t, err)
	defer p.Close()
	for i := range n {
		id := fmt.Sprint(i)
		require.NoError(t, p.Produce(t.Context(), bus.Message{Topic: topic.Facts, Key: id, Event: &event.Change{ID: id}}))
	}
	return o
}

func member(t *testing.T, o bus.Options) *bus.Group {
	t.Helper()
	g, err := bus.NewGroup(bus.GroupOptions{Options: o, Group: "g", Topic: topic.Facts})
	require.NoError(t, err)
	return g
}

// pollUntil polls until done says so, and keeps what was owned.
func pollUntil(t *testing.T, g *bus.Group, owned map[int32]bus.Position, done func(read int) bool) []bus.Fetched {
	t.Helper()
	var all []bus.Fetched
	deadline := time.Now().Add(20 * time.Second)
	for !done(len(all)) {
		require.True(t, time.Now().Before(deadline), "read %d, own %v", len(all), owned)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		polled, err := g.Poll(ctx, 1000)
		cancel()
		require.NoError(t, err)
		for _, c := range polled.Changes {
			delete(owned, c.Partition)
			if c.Owned {
				owned[c.Partition] = c.Committed
			}
		}
		all = append(all, polled.Records...)
	}
	return all
}

func TestMemberFindsWhatTheLastOneWroteNextToItsOffset(t *testing.T) {
	o := groupBroker(t, 40)
	first, owned := member(t, o), map[int32]bus.Position{}
	read := pollUntil(t, first, owned, func(n int) bool { return n == 40 })
	require.Len(t, owned, 4)
	for _, pos := range owned {
		require.EqualValues(t, -1, pos.Offset, "nothing was committed yet")
	}
	last := map[int32]int64{}
	for _, r := range read {
		require.NoError(t, r.Err)
		require.NotNil(t, r.Event)
		last[r.Partition] = r.Offset
	}
	commit := map[int32]bus.Position{}
	for p, offset := range last {
		commit[p] = bus.Position{Offset: offset, Metadata: fmt.Sprintf("read up to %d", offset)}
	}
	require.NoError(t, first.Commit(t.Context(), commit))
	first.Close()

	outside, err := bus.Committed(t.Context(), o, "g", topic.Facts)
	require.NoError(t, err)
	require.Equal(t, commit, outside)

	second, owned := member(t, o), map[int32]bus.Position{}
	again := pollUntil(t, second, owned, func(n int) bool { return n == len(last) })
	second.Close()
	require.Equal(t, commit, owned)
	for _, r := range again {
		require.Equal(t, last[r.Partition], r.Offset, "reading goes on at the committed offset")
	}
}

// Two members never hold a partition at once.
func TestPartitionsMoveAndTheOldOwnerIsToldFirst(t *testing.T) {
	o := groupBroker(t, 0)
	a, owns := member(t, o), map[int32]bus.Position{}
	defer func() { a.Close() }()
	pollUntil(t, a, owns, func(int) bool { return len(owns) == 4 })
	b, ownsB := member(t, o), map[int32]bus.Position{}
	defer func() { b.Close() }()
	deadline := time.Now().Add(20 * time.Second)
	for len(ownsB) < 2 {
		require.True(t, time.Now().Before(deadline), "a owns %v, b owns %v", owns, ownsB)
		step := func(g *bus.Group, owned map[int32]bus.Position) {
			left := 2
			pollUntil(t, g, owned, func(int) bool { left--; return left < 0 })
		}
		step(a, owns)
		step(b, ownsB)
		for p := range ownsB {
			require.NotContains(t, owns, p)
		}
	}
	require.Len(t, owns, 2)
}

// A commit that the group refuses must not look like any other failure: the
// partitions may have another owner, and only a new start is safe.
func TestCommitOfAnOldGenerationIsFenced(t *testing.T) {
	var cluster *kfake.Cluster
	o := groupBroker(t, 1, func(c *kfake.Cluster) { cluster = c })
	g, owned := member(t, o), map[int32]bus.Position{}
	defer g.Close()
	pollUntil(t, g, owned, func(int) bool { return len(owned) == 4 })
	cluster.ControlKey(int16(kmsg.OffsetCommit), func(k kmsg.Request) (kmsg.Response, error, bool) {
		req := k.(*kmsg.OffsetCommitRequest)
		resp := req.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, t := range req.Topics {
			answer := kmsg.OffsetCommitResponseTopic{Topic: t.Topic, TopicID: t.TopicID}
			for _, p := range t.Partitions {
				answer.Partitions = append(answer.Partitions, kmsg.OffsetCommitResponseTopicPartition{
					Partition: p.Partition, ErrorCode: kerr.IllegalGeneration.Code,
				})
			}
			resp.Topics = append(resp.Topics, answer)
		}
		return resp, nil, true
	})
	err := g.Commit(t.Context(), map[int32]bus.Position{0: {Offset: 1}})
	require.ErrorIs(t, err, bus.ErrFenced)
	require.NoError(t, g.Commit(t.Context(), map[int32]bus.Position{0: {Offset: 1}}))
}

func TestStartChoosesTheOffset(t *testing.T) {
	o := groupBroker(t, 8)
	g, err := bus.NewGroup(bus.GroupOptions{
		Options: o, Group: "g", Topic: topic.Facts,
		Start: func(int32, bus.Position) int64 { return 1 },
	})
	require.NoError(t, err)
	read := pollUntil(t, g, map[int32]bus.Position{}, func(n int) bool { return n >= 4 })
	g.Close()
	for _, r := range read {
		require.GreaterOrEqual(t, r.Offset, int64(1))
	}
}

func TestOffsetThatIsGoneIsAnError(t *testing.T) {
	o := groupBroker(t, 8)
	g, err := bus.NewGroup(bus.GroupOptions{
		Options: o, Group: "g", Topic: topic.Facts,
		Start: func(int32, bus.Position) int64 { return 1000 },
	})
	require.NoError(t, err)
	defer g.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for err == nil && ctx.Err() == nil {
		_, err = g.Poll(ctx, 10)
	}
	require.ErrorIs(t, err, bus.ErrGone)
}
