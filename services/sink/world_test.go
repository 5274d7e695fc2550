package sink_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
	"plumbline.dev/services/sink"
)

var noon = event.At(time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC))

// world is a broker in this process and a database on the real engine, whose
// merges are off: each row that was ever stored can be counted.
type world struct {
	t        testing.TB
	db       *warehouse.DB
	bus      bus.Options
	topics   bus.Topics
	producer *bus.Producer
}

func newWorld(t testing.TB) *world {
	t.Helper()
	db := warehousetest.New(t)
	leaks := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		goleak.VerifyNone(t, leaks, goleak.IgnoreAnyFunction("net/http.(*persistConn).readLoop"),
			goleak.IgnoreAnyFunction("net/http.(*persistConn).writeLoop")) // the database's pool lives on
	})
	for _, table := range []string{"changes", "attempts", "deliveries", "dead_letters"} {
		require.NoError(t, db.Exec(t.Context(), "SYSTEM STOP MERGES "+table+"_raw"))
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	require.NoError(t, err)
	t.Cleanup(cluster.Close)
	w := &world{t: t, db: db, bus: bus.Options{Brokers: cluster.ListenAddrs()}}
	w.applyTopics()
	w.connect()
	return w
}

// connect makes a producer that knows the topics as they are now.
func (w *world) connect() {
	p, err := bus.NewProducer(w.bus, "test")
	require.NoError(w.t, err)
	w.t.Cleanup(p.Close)
	w.producer = p
}

func (w *world) applyTopics() {
	var err error
	w.topics, err = bus.ApplyTopics(w.t.Context(), w.bus, 4, 1)
	require.NoError(w.t, err)
}

func (w *world) produce(topicName string, events ...event.Event) {
	w.t.Helper()
	messages := make([]bus.Message, len(events))
	for i, ev := range events {
		messages[i] = bus.Message{Topic: topicName, Key: fmt.Sprint("key", i), Time: noon, Event: ev}
	}
	require.NoError(w.t, w.producer.Produce(w.t.Context(), messages...))
}

func delivery(id string) *event.Delivery {
	return &event.Delivery{
		ID: id, Tenant: "t", Integration: "i", Object: "contact", RecordKey: "i/contact/" + id, ChangeID: "c" + id,
		State: event.StateObserved, ChangedAt: noon, ReceivedAt: noon, Version: 1,
	}
}

func deliveries(from, n int) []event.Event {
	out := make([]event.Event, n)
	for i := range out {
		out[i] = delivery(fmt.Sprint("d", from+i))
	}
	return out
}

// options are quick ones; every run has metrics of its own.
func (w *world) options(change ...func(*sink.Options)) sink.Options {
	o := sink.Options{
		Bus: w.bus, Topics: w.topics, Warehouse: w.db, DeadLetters: w.producer,
		FlushInterval: 50 * time.Millisecond, RetryMin: 20 * time.Millisecond, RetryMax: 200 * time.Millisecond,
		Registerer: prometheus.NewPedanticRegistry(),
		Logger:     zaptest.NewLogger(w.t, zaptest.Level(zap.ErrorLevel)),
	}
	for _, f := range change {
		f(&o)
	}
	return o
}

// running is a sink at work.
type running struct {
	*sink.Sink
	t      testing.TB
	cancel context.CancelFunc
	over   chan struct{}
	err    error // what Run returned, once over is closed
}

func (w *world) start(change ...func(*sink.Options)) *running {
	w.t.Helper()
	s, err := sink.New(w.options(change...))
	require.NoError(w.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{Sink: s, t: w.t, cancel: cancel, over: make(chan struct{})}
	go func() {
		defer close(r.over)
		r.err = s.Run(ctx)
	}()
	w.t.Cleanup(func() { _ = r.stop() })
	return r
}

// stop ends the sink in order and returns what it ended with.
func (r *running) stop() error {
	r.t.Helper()
	r.cancel()
	return r.wait()
}

// wait returns what the sink ends with by itself.
func (r *running) wait() error {
	r.t.Helper()
	select {
	case <-r.over:
		return r.err
	case <-time.After(30 * time.Second):
		r.t.Fatal("the sink does not end")
		return nil
	}
}

func (w *world) count(from string) int {
	w.t.Helper()
	var rows []struct {
		N uint64 `ch:"n"`
	}
	require.NoError(w.t, w.db.Query(context.Background(), &rows, "SELECT count() AS n FROM "+from))
	return int(rows[0].N)
}

// settled waits until the group committed everything of a topic, with no
// intent left open.
func (w *world) settled(topicName string) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.bus.Brokers...))
	require.NoError(w.t, err)
	defer cl.Close()
	adm := kadm.NewClient(cl)
	require.Eventually(w.t, func() bool {
		ends, err := adm.ListEndOffsets(w.t.Context(), topicName)
		require.NoError(w.t, err)
		committed, err := bus.Committed(w.t.Context(), w.bus, sink.GroupName("plumbline-sink", topicName), topicName)
		require.NoError(w.t, err)
		done := true
		ends.Each(func(o kadm.ListedOffset) {
			done = done && (o.Offset == 0 || committed[o.Partition].Offset >= o.Offset)
		})
		return done
	}, 30*time.Second, 20*time.Millisecond, "topic %s is not stored", topicName)
}

// onceEach is the promise: n events, n rows ever stored, n rows shown.
func (w *world) onceEach(table string, n int) {
	w.t.Helper()
	require.Equal(w.t, n, w.count(table), "rows shown")
	require.Equal(w.t, n, w.count(table+"_raw"), "rows stored")
}

// dieAt ends the sink at the n-th call of a failpoint, as a crash would.
func dieAt(name string, n int) func(*sink.Options) {
	var mu sync.Mutex
	return func(o *sink.Options) {
		o.Failpoint = func(at string) error {
			mu.Lock()
			defer mu.Unlock()
			if at == name {
				if n--; n == 0 {
					return errors.New(name)
				}
			}
			return nil
		}
	}
}

func trustTokens(o *sink.Options) { o.TrustTokens = true }

// meddler stands between the sink and the database.
type meddler struct {
	*warehouse.DB
	insert func(ctx context.Context, b warehouse.Block) error
	stop   func(ctx context.Context, prefix string) error
}

func (m *meddler) Insert(ctx context.Context, b warehouse.Block) error {
	if m.insert != nil {
		return m.insert(ctx, b)
	}
	return m.DB.Insert(ctx, b)
}

func (m *meddler) StopQueries(ctx context.Context, prefix string) error {
	if m.stop != nil {
		return m.stop(ctx, prefix)
	}
	return m.DB.StopQueries(ctx, prefix)
}

func through(m *meddler) func(*sink.Options) {
	return func(o *sink.Options) { o.Warehouse = m }
}

func (w *world) adminDelete(topicName string) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.bus.Brokers...))
	require.NoError(w.t, err)
	defer cl.Close()
	_, err = kadm.NewClient(cl).DeleteTopic(w.t.Context(), topicName)
	require.NoError(w.t, err)
}

func (w *world) truncate(topicName string) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.bus.Brokers...))
	require.NoError(w.t, err)
	defer cl.Close()
	adm := kadm.NewClient(cl)
	ends, err := adm.ListEndOffsets(w.t.Context(), topicName)
	require.NoError(w.t, err)
	_, err = adm.DeleteRecords(w.t.Context(), ends.Offsets())
	require.NoError(w.t, err)
}

func (w *world) raw(topicName string, value []byte) {
	w.t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(w.bus.Brokers...))
	require.NoError(w.t, err)
	defer cl.Close()
	require.NoError(w.t, cl.ProduceSync(w.t.Context(), &kgo.Record{
		Topic: topicName, Value: value, Headers: []kgo.RecordHeader{{Key: topic.HeaderType, Value: []byte(event.TypeDelivery)}},
	}).FirstErr())
}
