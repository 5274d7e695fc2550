package bus

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/schemas/event"
)

// Broadcast writes one event to every partition of a topic.
type Broadcast struct {
	cl      *kgo.Client
	topics  Topics
	headers outside
}

// NewBroadcast connects.
func NewBroadcast(o Options, t Topics) (*Broadcast, error) {
	cl, err := kgo.NewClient(o.kgo(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.RequiredAcks(kgo.AllISRAcks()))...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	return &Broadcast{cl: cl, topics: t}, nil
}

// Send writes the event to every partition of the topics.
func (b *Broadcast) Send(ctx context.Context, at event.Time, ev event.Event, topicNames ...string) error {
	value, err := event.Encode(nil, ev)
	if err != nil {
		return err
	}
	var records []*kgo.Record
	for _, name := range topicNames {
		for p := range b.topics.Partitions[name] {
			r := &kgo.Record{Topic: name, Partition: p, Key: []byte{}, Value: value, Headers: b.headers.of(ev)}
			if at != 0 {
				r.Timestamp = at.Std()
			}
			records = append(records, r)
		}
	}
	if err := b.cl.ProduceSync(ctx, records...).FirstErr(); err != nil {
		return fmt.Errorf("broadcast %s: %w", ev.EventType(), err)
	}
	return nil
}

// Ping reports whether a broker answers.
func (b *Broadcast) Ping(ctx context.Context) error { return b.cl.Ping(ctx) }

// Close closes the connection.
func (b *Broadcast) Close() { b.cl.Close() }
