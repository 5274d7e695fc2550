package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

// Producer writes events from outside: each acknowledged by all in-sync
// replicas, none with a cause.
type Producer struct {
	cl         *kgo.Client
	configHash []byte
}

// NewProducer connects lazily: a broker that is away is no error yet.
func NewProducer(o Options, configHash string) (*Producer, error) {
	cl, err := kgo.NewClient(o.kgo(
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(4<<20),
		kgo.ProducerLinger(0), // requests in flight are the batching: what waits behind one goes out with the next
		kgo.RetryBackoffFn(backoff),
		kgo.MaxBufferedRecords(1<<17),
		kgo.MaxBufferedBytes(128<<20),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	return &Producer{cl: cl, configHash: []byte(configHash)}, nil
}

// backoff before a request is tried again: a broker that restarts is back in
// seconds, and senders wait.
func backoff(fails int) time.Duration {
	return min(50*time.Millisecond<<min(fails, 5), time.Second)
}

// Message is one event to write, to the partition of its key.
type Message struct {
	Topic string
	Key   string
	Time  event.Time
	Event event.Event
}

// Produce writes the messages and returns when every one is durable, or when
// ctx ends. On an error some of them may be, or become so later: the caller's
// sender retries, and the event ids make the repeats recognisable.
func (p *Producer) Produce(ctx context.Context, messages ...Message) error {
	records := make([]*kgo.Record, len(messages))
	for i := range messages {
		m := &messages[i]
		r, err := encode(&stream.Output{Topic: m.Topic, Key: m.Key, Time: m.Time, Event: m.Event}, p.configHash)
		if err != nil {
			return err
		}
		records[i] = r
	}
	w := newWait(len(records))
	for _, r := range records {
		p.cl.Produce(ctx, r, w.one)
	}
	// The client cannot give up a batch whose fate it does not know (the
	// broker died with it), whatever its context says: we stop waiting.
	select {
	case <-w.done:
		if w.err != nil {
			return fmt.Errorf("produce: %w", w.err)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("produce: not known to be durable: %w", ctx.Err())
	}
}

// wait collects the acknowledgements of one call.
type wait struct {
	mu   sync.Mutex
	left int
	err  error
	done chan struct{} // closed after the last one
}

func newWait(n int) *wait {
	w := &wait{left: n, done: make(chan struct{})}
	if n == 0 {
		close(w.done)
	}
	return w
}

func (w *wait) one(_ *kgo.Record, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	if w.left--; w.left == 0 {
		close(w.done)
	}
}

// Permanent reports an error that a repeat of the same messages meets again.
func Permanent(err error) bool {
	return errors.Is(err, kerr.MessageTooLarge) || errors.Is(err, kerr.RecordListTooLarge) ||
		errors.Is(err, kerr.InvalidRecord) || errors.Is(err, kerr.InvalidTimestamp)
}

// Ping reports whether a broker answers.
func (p *Producer) Ping(ctx context.Context) error { return p.cl.Ping(ctx) }

// Close flushes for at most ten seconds and closes.
func (p *Producer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.cl.Flush(ctx)
	p.cl.Close()
}
