package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kerr"
	"go.uber.org/zap"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
	"plumbline.dev/schemas/topic"
	"plumbline.dev/services/embedded/kafka"
	"plumbline.dev/services/ingest/spool"
	"plumbline.dev/services/internal/bus"
	"plumbline.dev/services/internal/kafkatest"
)

func spooled(t *testing.T, log Producer, o spool.Options) *Durable {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	s, err := spool.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return NewDurable(log, s, zap.NewNop())
}

// draining runs the drain until the test ends.
func draining(t *testing.T, d *Durable) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
}

func (r *recorder) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.err = err
}

func message(i int) bus.Message {
	at := event.Time(1767323000000 + i)
	return bus.Message{Topic: topic.Intake, Key: "k", Time: at, Event: &event.Signal{
		ID: fmt.Sprint(i), Kind: event.SignalDeploy, StartedAt: at, ReceivedAt: at, Detail: []event.Field{{Name: "n", Value: event.Value{Text: "v"}}},
	}}
}

func TestSpoolTakesOverAndDrainsInOrder(t *testing.T) {
	p := &recorder{}
	d := spooled(t, p, spool.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, d.Produce(ctx, message(0)))
	require.False(t, d.Holding())
	p.fail(errAway)
	require.NoError(t, d.Produce(ctx, message(1), message(2)))
	require.True(t, d.Holding(), "the clock waits")
	require.NoError(t, d.Ping(ctx), "events are durable all the same")
	p.fail(nil)
	require.NoError(t, d.Produce(ctx, message(3)))
	require.Len(t, p.take(), 1, "new events queue behind the spooled ones")
	draining(t, d)
	require.Eventually(t, func() bool { return !d.Holding() }, time.Minute, time.Millisecond)
	got := p.take()
	for i, m := range got {
		require.Equal(t, message(i+1), m)
	}
	require.Len(t, got, 3)
	require.NoError(t, d.Produce(ctx, message(4)))
	require.Len(t, p.take(), 1, "straight to the log again")
}

// A log that hangs costs the sender half of its patience, once.
func TestSpoolWithinTheSendersDeadline(t *testing.T) {
	p := &recorder{wait: make(chan struct{}), entered: make(chan struct{})}
	d := spooled(t, p, spool.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
	defer cancel()
	require.NoError(t, d.Produce(ctx, message(0)))
	require.NoError(t, ctx.Err())
	require.NoError(t, d.Produce(ctx, message(1)), "the next does not try the log")
	require.Equal(t, 300*time.Millisecond, patience(http.Header{"X-Hubspot-Timeout-Millis": {"375"}}, 300*time.Millisecond))
	require.Equal(t, 800*time.Millisecond, patience(http.Header{"X-Hubspot-Timeout-Millis": {"1000"}}, 4*time.Second))
	require.Equal(t, 4*time.Second, patience(http.Header{"X-Hubspot-Timeout-Millis": {"10000"}}, 4*time.Second))
}

// picky refuses one event for ever.
type picky struct {
	*recorder
	id string
}

func (p picky) Produce(ctx context.Context, m ...bus.Message) error {
	for _, x := range m {
		if x.Event.(*event.Signal).ID == p.id {
			return fmt.Errorf("produce: %w", kerr.MessageTooLarge)
		}
	}
	return p.recorder.Produce(ctx, m...)
}

func TestPoisonIsSetAside(t *testing.T) {
	p := picky{&recorder{err: errAway}, "2"}
	o := spool.Options{Dir: t.TempDir()}
	d := spooled(t, p, o)
	for i := range 4 {
		require.NoError(t, d.Produce(t.Context(), message(i)))
	}
	p.fail(nil)
	draining(t, d)
	require.Eventually(t, func() bool { return !d.Holding() }, time.Minute, time.Millisecond, "it holds up nobody")
	require.Len(t, p.take(), 3)
	require.Equal(t, 1, d.Stats().Rotten)
	bad, err := filepath.Glob(filepath.Join(o.Dir, "*.bad"))
	require.NoError(t, err)
	require.Len(t, bad, 1)
}

// Full: senders are told to come again, readiness turns false, and both heal
// by themselves.
func TestSpoolFull(t *testing.T) {
	p := &recorder{err: errAway}
	o := options(t, nil)
	d := spooled(t, p, spool.Options{MaxBytes: 4 << 10, SegmentBytes: 1 << 10})
	o.Producer = d
	reg := o.Registerer.(*prometheus.Registry)
	require.NoError(t, d.Register(reg))
	s := start(t, o)
	accepted, w := 0, post(s, "/v1/attempts", goodAttempt, bearer())
	for ; w.Code == 202 && accepted < 100; accepted++ {
		w = post(s, "/v1/attempts", goodAttempt, bearer())
	}
	require.Equal(t, 503, w.Code)
	require.Equal(t, "5", w.Header().Get("Retry-After"))
	require.Greater(t, accepted, 5)
	code, _ := get(t, s, "/readyz")
	require.Equal(t, 503, code)
	n, err := testutil.GatherAndCount(reg, "plumbline_spool_records", "plumbline_spool_oldest_age_seconds")
	require.NoError(t, err)
	require.Equal(t, 2, n)
	p.fail(nil)
	draining(t, d)
	require.Eventually(t, func() bool { code, _ := get(t, s, "/readyz"); return code == 200 && !d.Holding() }, time.Minute, 10*time.Millisecond)
	require.Len(t, p.take(), accepted)
	require.Equal(t, 202, post(s, "/v1/attempts", goodAttempt, bearer()).Code)
}

func TestDiskThatFailsStopsAnswers(t *testing.T) {
	o := options(t, nil)
	o.Producer = spooled(t, &recorder{err: errAway}, spool.Options{Wrap: func(f spool.File) spool.File { return broken{f} }})
	s := newServer(t, o)
	for range 3 {
		require.Equal(t, 503, post(s, "/v1/attempts", goodAttempt, bearer()).Code, "no 2xx without an fsync")
	}
	require.Error(t, o.Producer.Ping(t.Context()))
}

type broken struct{ spool.File }

func (broken) Sync() error { return errors.New("input/output error") }

func TestRecordCodec(t *testing.T) {
	want := []bus.Message{message(1), message(2)}
	b, err := packMessages(want)
	require.NoError(t, err)
	got, err := parseMessages(b)
	require.NoError(t, err)
	require.Equal(t, want, got)
	for k := range b {
		_, err := parseMessages(b[:k])
		require.Error(t, err, "cut at %d", k)
	}
}

func FuzzRecord(f *testing.F) {
	b, _ := packMessages([]bus.Message{message(1), message(2)})
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMessages(b); err == nil {
			if _, err := packMessages(m); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// The broker is killed, and comes back, under one sender a key who waits for
// each answer: everything is answered 2xx, in the log, and in order.
func TestBrokerDownUnderLoad(t *testing.T) {
	for name, segment := range map[string]int64{"many segments": 4 << 10, "one segment": 0} {
		t.Run(name, func(t *testing.T) { brokerDown(t, segment) })
	}
}

func brokerDown(t *testing.T, segment int64) {
	leakFree(t)
	broker := kafkatest.Fake(t, kafka.TopicSpec{Name: topic.Intake, Partitions: 2}, kafka.TopicSpec{Name: topic.DeadLetters, Partitions: 2})
	addr := bus.Options{Brokers: []string{broker.Addr()}}
	producer, err := bus.NewProducer(addr, "confighash")
	require.NoError(t, err)
	t.Cleanup(producer.Close)
	o := options(t, nil)
	d := spooled(t, producer, spool.Options{SegmentBytes: segment})
	o.Producer, o.Limits = d, DefaultLimits()
	o.Limits.Produce = 2 * time.Second
	s := run(t, o)
	draining(t, d)

	const keys = 4
	stop, results := make(chan struct{}), make(chan int, keys)
	for k := range keys {
		go func() {
			n := 0
			for ; ; n++ {
				select {
				case <-stop:
					results <- n
					return
				default:
				}
				body := fmt.Sprintf(`{"id":"%d-%d","integration":"hs-sf","occurred_at":%d,"object":"contact","operation":"update","source_id":"%d","status":200}`, k, n, 1767323000+n, k)
				if code, _ := send(t, s, "/v1/attempts", []byte(body), bearer()); code != 202 {
					t.Errorf("answered %d", code)
				}
				time.Sleep(2 * time.Millisecond)
			}
		}()
	}
	time.Sleep(150 * time.Millisecond)
	broker.Kill()
	require.Eventually(t, d.Holding, time.Minute, time.Millisecond)
	time.Sleep(200 * time.Millisecond)
	broker.Restart()
	require.Eventually(t, func() bool { return !d.Holding() }, time.Minute, 5*time.Millisecond)
	close(stop)
	want := map[string]bool{}
	for range keys {
		<-results
	}
	require.Eventually(t, func() bool { return !d.Holding() }, time.Minute, 5*time.Millisecond)
	last := attemptsInOrder(t, addr, want)
	require.Len(t, last, keys)
	require.Greater(t, len(want), 20)
}

// attemptsInOrder reads intake: the first sight of each attempt of a key
// comes after those before it.
func attemptsInOrder(t *testing.T, o bus.Options, seen map[string]bool) map[string]event.Time {
	t.Helper()
	log, err := bus.NewChangelog(o)
	require.NoError(t, err)
	defer log.Close()
	last := map[string]event.Time{}
	for p := range int32(2) {
		require.NoError(t, log.Records(t.Context(), topic.Intake, p, func(r stream.Record) error {
			a := r.Event.(*event.Attempt)
			if !seen[a.ID] {
				seen[a.ID] = true
				if was := last[r.Key]; was != 0 {
					require.Equal(t, was+1000, a.OccurredAt, "%s is missing one or out of order", a.ID)
				}
				last[r.Key] = a.OccurredAt
			}
			return nil
		}))
	}
	return last
}
