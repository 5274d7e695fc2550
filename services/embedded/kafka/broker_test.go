package kafka

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
)

func start(t *testing.T, o Options) *Broker {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.MinFreeBytes == 0 {
		o.MinFreeBytes = 1
	}
	b, err := Start(o)
	require.NoError(t, err)
	t.Cleanup(func() { stop(t, b) })
	return b
}

// noLeaks comes first in a test, so that it looks after all other cleanups.
func noLeaks(t *testing.T) {
	running := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, running) })
}

func stop(t *testing.T, b *Broker) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	require.NoError(t, b.Stop(ctx))
}

func client(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addr()), kgo.DefaultProduceTopic("t"))...)
	require.NoError(t, err)
	t.Cleanup(cl.Close)
	return cl
}

func produce(t *testing.T, cl *kgo.Client, values ...string) {
	t.Helper()
	for _, v := range values {
		require.NoError(t, cl.ProduceSync(t.Context(), kgo.StringRecord(v)).FirstErr())
	}
}

// committed reads n records the way our roles read, then looks for one more.
func committed(t *testing.T, b *Broker, n int) []string {
	t.Helper()
	cl := client(t, b, kgo.ConsumeTopics("t"), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(100*time.Millisecond))
	var got []string
	for wait := 10 * time.Second; ; {
		ctx, cancel := context.WithTimeout(t.Context(), wait)
		records := cl.PollFetches(ctx).Records()
		cancel()
		for _, r := range records {
			got = append(got, string(r.Value))
		}
		if len(records) == 0 {
			return got
		}
		if len(got) >= n {
			wait = 300 * time.Millisecond
		}
	}
}

var oneTopic = []TopicSpec{{Name: "t", Partitions: 1}}

func TestRestartKeepsRecordsOffsetsAndTransactions(t *testing.T) {
	noLeaks(t)
	dir := t.TempDir()
	b := start(t, Options{Data: dir, Topics: oneTopic})
	cl := client(t, b, kgo.TransactionalID("tx"))
	for _, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
		require.NoError(t, cl.BeginTransaction())
		produce(t, cl, map[kgo.TransactionEndTry]string{kgo.TryCommit: "kept", kgo.TryAbort: "dropped"}[end])
		require.NoError(t, cl.EndTransaction(t.Context(), end))
	}
	adm := kadm.NewClient(cl)
	offset := kadm.Offset{Topic: "t", At: 1, LeaderEpoch: -1, Metadata: "range 0-1"}
	require.NoError(t, adm.CommitAllOffsets(t.Context(), "g", kadm.Offsets{"t": {0: offset}}))
	before, err := adm.ListTopics(t.Context(), "t")
	require.NoError(t, err)
	cl.Close()
	addr := b.Addr()
	stop(t, b)
	stop(t, b) // once more does nothing

	b = start(t, Options{Data: dir, Listen: addr, Topics: oneTopic})
	require.Equal(t, addr, b.Addr())
	require.Equal(t, []string{"kept"}, committed(t, b, 1))
	cl = client(t, b)
	adm = kadm.NewClient(cl)
	got, err := adm.FetchOffsets(t.Context(), "g")
	require.NoError(t, err)
	require.Equal(t, "range 0-1", got["t"][0].Metadata)
	require.EqualValues(t, 1, got["t"][0].At)
	after, err := adm.ListTopics(t.Context(), "t")
	require.NoError(t, err)
	require.Equal(t, before["t"].ID, after["t"].ID)
	cl.Close()
	stop(t, b)
}

func TestEmptiedPartitionKeepsItsOffsets(t *testing.T) {
	dir := t.TempDir()
	topics := []TopicSpec{{Name: "t", Partitions: 1, Config: map[string]string{"retention.ms": "1"}}}
	b := start(t, Options{Data: dir, Topics: topics, CleanerInterval: 50 * time.Millisecond})
	cl := client(t, b)
	produce(t, cl, "a", "b", "c")
	require.Eventually(t, func() bool {
		starts, err := kadm.NewClient(cl).ListStartOffsets(t.Context(), "t")
		return err == nil && starts["t"][0].Offset == 3
	}, 10*time.Second, 20*time.Millisecond)
	stop(t, b)
	// As after a crash: nothing of the orderly stop is left.
	require.NoError(t, os.Remove(filepath.Join(dir, cleanName)))
	require.NoError(t, os.Remove(filepath.Join(dir, "partitions", "t-0", "snapshot.json")))

	b = start(t, Options{Data: dir})
	r, err := client(t, b).ProduceSync(t.Context(), kgo.StringRecord("d")).First()
	require.NoError(t, err)
	require.EqualValues(t, 3, r.Offset)
}

func TestDiskGuardRefusesAndRecovers(t *testing.T) {
	noLeaks(t)
	var free atomic.Uint64
	free.Store(100)
	b := start(t, Options{
		Data: t.TempDir(), Topics: oneTopic, MinFreeBytes: 50, every: 5 * time.Millisecond,
		statfs: func(string) (uint64, error) { return free.Load(), nil },
	})
	cl := client(t, b)
	produce(t, cl, "before")
	free.Store(10)
	require.Eventually(t, b.DiskLow, time.Minute, time.Millisecond)

	impatient := client(t, b, kgo.RecordRetries(1))
	require.ErrorIs(t, impatient.ProduceSync(t.Context(), kgo.StringRecord("refused")).FirstErr(), kerr.KafkaStorageError)
	waiting := make(chan error, 1)
	cl.Produce(t.Context(), kgo.StringRecord("waited"), func(_ *kgo.Record, err error) { waiting <- err })
	select {
	case err := <-waiting:
		t.Fatalf("a record was answered while the disk was full: %v", err)
	case <-time.After(100 * time.Millisecond):
	}

	free.Store(100)
	require.NoError(t, <-waiting)
	require.False(t, b.DiskLow())
	require.Equal(t, []string{"before", "waited"}, committed(t, b, 2))
	cl.Close()
	impatient.Close()
	stop(t, b)
}

func TestStartRefuses(t *testing.T) {
	held := t.TempDir()
	b := start(t, Options{Data: held, Topics: oneTopic})
	broken := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(broken, "partitions", "t-0"), 0o750))
	garbled := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(garbled, "meta.json"), []byte("{"), 0o600))
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))

	for name, c := range map[string]struct{ data, listen, says string }{
		"a held folder":       {held, "127.0.0.1:0", "another process is using it"},
		"no folder":           {"", "127.0.0.1:0", "no data directory given"},
		"a file":              {file, "127.0.0.1:0", "not a directory"},
		"lost meta.json":      {broken, "127.0.0.1:0", "is damaged: it has partitions but no meta.json"},
		"garbled meta.json":   {garbled, "127.0.0.1:0", "meta.json"},
		"a port in use":       {t.TempDir(), b.Addr(), "address already in use"},
		"no port":             {t.TempDir(), "localhost", "is not host:port"},
		"every address":       {t.TempDir(), "0.0.0.0:0", "listen on an address clients can reach"},
		"a port out of range": {t.TempDir(), "127.0.0.1:99999", "has no valid port"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Start(Options{Data: c.data, Listen: c.listen})
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "\n")
		})
	}
}
