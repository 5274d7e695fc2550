package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/event"
)

// Producer writes events from outside: each acknowledged by all in-sync
// replicas, none with a cause.
type Producer struct {
	cl      *kgo.Client
	headers outside
}

// NewProducer connects lazily: a broker that is away is no error yet.
func NewProducer(o Options, configHash string) (*Producer, error) {
	cl, err := kgo.NewClient(o.kgo(
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.ProducerBatchMaxBytes(4<<20),
		// A request is answered when its records are: a short wait, and one
		// request in flight, make the groups that spare the broker its syncs.
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxProduceRequestsInflightPerBroker(1),
		kgo.RetryBackoffFn(backoff),
		kgo.MaxBufferedRecords(1<<17),
		kgo.MaxBufferedBytes(128<<20),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	return &Producer{cl: cl, headers: outside{configHash: []byte(configHash)}}, nil
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
	records, err := p.records(messages)
	if err != nil {
		return err
	}
	w := newWait(len(records))
	for i := range records {
		p.cl.Produce(ctx, &records[i], w.one)
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

// records encodes the messages into few blocks of memory: a request's
// messages are acknowledged, and forgotten, together.
func (p *Producer) records(messages []Message) ([]kgo.Record, error) {
	room := 0
	for i := range messages {
		room += len(messages[i].Key) + messageRoom
	}
	block, records := make([]byte, 0, room), make([]kgo.Record, len(messages))
	for i := range messages {
		m := &messages[i]
		if cap(block)-len(block) < len(m.Key)+messageRoom/2 {
			block = make([]byte, 0, room) // what was handed out stays where it is
		}
		at := len(block)
		block = append(block, m.Key...)
		value, err := event.Encode(block[len(block):], m.Event)
		if err != nil {
			return nil, err
		}
		r := &records[i]
		r.Topic, r.Key, r.Value, r.Headers = m.Topic, slices.Clip(block[at:]), slices.Clip(value), p.headers.of(m.Event)
		if m.Time != 0 {
			r.Timestamp = m.Time.Std()
		}
		if n := len(block) + len(value); n <= cap(block) { // else the value moved to memory of its own
			block = block[:n]
		}
	}
	return records, nil
}

// messageRoom is what a message mostly takes.
const messageRoom = 384

// wait collects the acknowledgements of one call.
type wait struct {
	left atomic.Int64
	mu   sync.Mutex
	err  error
	done chan struct{} // closed after the last one
}

func newWait(n int) *wait {
	w := &wait{done: make(chan struct{})}
	w.left.Store(int64(n))
	if n == 0 {
		close(w.done)
	}
	return w
}

func (w *wait) one(_ *kgo.Record, err error) {
	if err != nil {
		w.mu.Lock()
		if w.err == nil {
			w.err = err
		}
		w.mu.Unlock()
	}
	if w.left.Add(-1) == 0 {
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
