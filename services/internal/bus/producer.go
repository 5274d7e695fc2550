package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

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
		kgo.MaxBufferedRecords(1<<17),
		kgo.MaxBufferedBytes(128<<20),
	)...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	return &Producer{cl: cl, configHash: []byte(configHash)}, nil
}

// Message is one event to write, to the partition of its key.
type Message struct {
	Topic string
	Key   string
	Time  event.Time
	Event event.Event
}

// Produce writes the messages and returns when every one is durable. On an
// error some of them may be: the caller's sender retries, and the event ids
// make the repeats recognisable.
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
	// Not the client's own delivery timeout: it counts from a record's
	// timestamp, which is when the event happened.
	ctx, cancel := context.WithTimeout(ctx, produceTimeout)
	defer cancel()
	if err := p.cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	return nil
}

// produceTimeout is how long the broker may take before the sender is told to
// come again.
const produceTimeout = 10 * time.Second

// ErrFull means that the producer's buffer is full: the broker is slow or away.
var ErrFull = errors.New("too many events wait for the broker")

// Ping reports whether a broker answers.
func (p *Producer) Ping(ctx context.Context) error { return p.cl.Ping(ctx) }

// Close flushes for at most ten seconds and closes.
func (p *Producer) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.cl.Flush(ctx)
	p.cl.Close()
}
