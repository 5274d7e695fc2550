package kafka_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/internal/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

func topic(partitions int32) kafka.TopicSpec {
	return kafka.TopicSpec{Name: "t", Partitions: partitions}
}

func connect(t *testing.T, b kafkatest.Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addr()), kgo.DefaultProduceTopic("t"))...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

// records reads up to the end of the topic, the committed ones.
func records(t *testing.T, b kafkatest.Broker) []*kgo.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	cl := connect(t, b, kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	ends, err := kadm.NewClient(cl).ListEndOffsets(ctx, "t")
	require.NoError(t, err)
	at := make(map[int32]int64)
	short := func() bool {
		for p, end := range ends["t"] {
			if at[p] < end.Offset {
				return true
			}
		}
		return false
	}
	var got []*kgo.Record
	for short() && ctx.Err() == nil {
		cl.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			at[r.Partition] = r.Offset + 1
			if !r.Attrs.IsControl() {
				got = append(got, r)
			}
		})
	}
	require.NoError(t, ctx.Err(), "read up to %v of %v", at, ends)
	return got
}

func TestEveryAckedRecordSurvivesKill(t *testing.T) {
	b := kafkatest.Fake(t, topic(4))
	cl := connect(t, b, kgo.RecordPartitioner(kgo.RoundRobinPartitioner()), kgo.ProducerLinger(0))
	var mu sync.Mutex
	acked := make(map[string]bool)
	var sent int
	for range 4 {
		until := time.Now().Add(300 * time.Millisecond)
		for time.Now().Before(until) {
			sent++
			cl.Produce(t.Context(), kgo.StringRecord(strconv.Itoa(sent)), func(r *kgo.Record, err error) {
				mu.Lock()
				defer mu.Unlock()
				acked[string(r.Value)] = err == nil
			})
			if sent%50 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		b.Kill()
		b.Restart()
	}
	require.NoError(t, cl.Flush(t.Context()))

	copies := make(map[string]int)
	for _, r := range records(t, b) {
		copies[string(r.Value)]++
	}
	for v, ok := range acked {
		if ok {
			require.Equal(t, 1, copies[v], "copies of acked record %s", v)
		}
	}
	require.Len(t, acked, sent)
}

// commitOffset adds an offset of group g to the open transaction.
func commitOffset(ctx context.Context, cl *kgo.Client, at int64) error {
	id, epoch, err := cl.ProducerID(ctx)
	if err != nil {
		return err
	}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = "tx", "g", id, epoch
	part := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	part.Offset = at
	topics, err := kadm.NewClient(cl).ListTopics(ctx, "t")
	if err != nil {
		return err
	}
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = "t", topics["t"].ID
	topic.Partitions = []kmsg.TxnOffsetCommitRequestTopicPartition{part}
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

func committedOffset(t *testing.T, b kafkatest.Broker) int64 {
	t.Helper()
	got, err := kadm.NewClient(connect(t, b)).FetchOffsets(t.Context(), "g")
	require.NoError(t, err)
	return got["t"][0].At
}

// A commit over many partitions, killed anywhere in the middle, is there as a
// whole with its offsets, or not at all.
func TestKilledCommitIsWhole(t *testing.T) {
	const partitions = 16
	b := kafkatest.Fake(t, topic(partitions))
	start := kadm.Offsets{"t": {0: {Topic: "t", LeaderEpoch: -1}}} // so that the group exists
	require.NoError(t, kadm.NewClient(connect(t, b)).CommitAllOffsets(t.Context(), "g", start))
	kills, done := 12, 0
	if n, err := strconv.Atoi(os.Getenv("PLUMBLINE_KILLS")); err == nil {
		kills = n
	}
	for n := 1; n <= kills; n++ {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		cl := connect(t, b, kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
		require.NoError(t, cl.BeginTransaction())
		for p := range int32(partitions) {
			cl.Produce(ctx, &kgo.Record{Partition: p, Value: []byte(strconv.Itoa(n))}, nil)
		}
		require.NoError(t, cl.Flush(ctx))
		require.NoError(t, commitOffset(ctx, cl, int64(n)))
		ended := make(chan error, 1)
		go func() { ended <- cl.EndTransaction(ctx, kgo.TryCommit) }()
		time.Sleep(rand.N(8 * time.Millisecond)) //nolint:gosec // where the kill falls
		b.Kill()
		b.Restart()
		err := <-ended
		cancel()
		cl.Close()

		var seen int
		for _, r := range records(t, b) {
			if string(r.Value) == strconv.Itoa(n) {
				seen++
			}
		}
		offset := committedOffset(t, b)
		state := fmt.Sprintf("kill %d: end said %v, %d of %d records, offset %d", n, err, seen, partitions, offset)
		t.Log(state)
		require.Contains(t, []int{0, partitions}, seen, state)
		require.Equal(t, seen > 0, offset == int64(n), state)
		if err == nil {
			require.Equal(t, partitions, seen, state)
		}
		if seen > 0 {
			done++
		}
	}
	t.Logf("%d of %d commits were done", done, kills)
}

func TestOpenTransactionIsAbortedForGood(t *testing.T) {
	b := kafkatest.Fake(t, topic(1))
	survivor := connect(t, b, kgo.TransactionalID("tx"))
	write := func(cl *kgo.Client, v string) {
		require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr())
	}
	values := func() (got []string) {
		for _, r := range records(t, b) {
			got = append(got, string(r.Value))
		}
		return got
	}
	require.NoError(t, survivor.BeginTransaction())
	write(survivor, "first")
	require.NoError(t, survivor.EndTransaction(t.Context(), kgo.TryCommit))
	require.NoError(t, survivor.BeginTransaction())
	write(survivor, "open")
	b.Kill()
	b.Restart()
	// Its records are gone, so it must not be told that they are committed.
	require.ErrorIs(t, survivor.EndTransaction(t.Context(), kgo.TryCommit), kerr.ProducerFenced)

	cl := connect(t, b, kgo.TransactionalID("tx"))
	require.NoError(t, cl.BeginTransaction())
	write(cl, "second")
	require.NoError(t, cl.EndTransaction(t.Context(), kgo.TryCommit))
	require.Equal(t, []string{"first", "second"}, values())
	b.Kill()
	b.Restart()
	require.Equal(t, []string{"first", "second"}, values())
}

func TestHalfWrittenEndsAreCut(t *testing.T) {
	dir := t.TempDir()
	b := kafkatest.FakeAt(t, dir, topic(1))
	cl := connect(t, b)
	adm := kadm.NewClient(cl)
	require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord("a")).FirstErr())
	commit := func(at int64) {
		o := kadm.Offsets{"t": {0: {Topic: "t", At: at, LeaderEpoch: -1}}}
		require.NoError(t, adm.CommitAllOffsets(t.Context(), "g", o))
	}
	commit(1)
	b.Kill()
	for _, name := range []string{"groups.log", "pids.log", "partitions/t-0/0.dat", "partitions/t-0/0.idx"} {
		appendTo(t, filepath.Join(dir, name), []byte{70, 0, 0})
	}
	b.Restart()
	require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord("b")).FirstErr())
	commit(2)
	b.Kill()
	b.Restart()
	require.EqualValues(t, 2, committedOffset(t, b))
	require.Len(t, records(t, b), 2)
}

func appendTo(t *testing.T, path string, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.Write(data)
	require.NoError(t, err)
	require.NoError(t, f.Close())
}
