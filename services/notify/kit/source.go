package kit

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

// Source is where the topics are.
type Source struct {
	Brokers []string
	TLS     *tls.Config    // nil: plain
	SASL    sasl.Mechanism // nil: none
}

// idle is how long a partition has to be silent to count as read to its end:
// the last record of a transaction is a marker, which no client shows.
const idle = 1500 * time.Millisecond

func (s Source) dialer() *kafka.Dialer {
	return &kafka.Dialer{Timeout: 10 * time.Second, DualStack: true, TLS: s.TLS, SASLMechanism: s.SASL}
}

// Partitions lists a topic's partitions.
func (s Source) Partitions(ctx context.Context, topic string) ([]int, error) {
	var last error
	for _, broker := range s.Brokers {
		conn, err := s.dialer().DialContext(ctx, "tcp", broker)
		if err != nil {
			last = err
			continue
		}
		list, err := conn.ReadPartitions(topic)
		conn.Close()
		if err != nil {
			last = err
			continue
		}
		var ids []int
		for _, p := range list {
			ids = append(ids, p.ID)
		}
		return ids, nil
	}
	return nil, fmt.Errorf("find the partitions of %s: %w", topic, last)
}

// Read hands over every record of a topic from its first offset, one at a
// time, until ctx ends. CaughtUp, if not nil, is called once, between two
// records, when what was there at the start has been read.
func (s Source) Read(ctx context.Context, topic string, do func(kafka.Message) error, caughtUp func()) error {
	ids, err := s.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := reading{do: do, caughtUp: caughtUp, left: len(ids)}
	var wg sync.WaitGroup
	errs := make([]error, len(ids))
	for i, id := range ids {
		wg.Go(func() {
			errs[i] = r.partition(ctx, s.reader(topic, id))
			if errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s Source) reader(topic string, partition int) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: s.Brokers, Topic: topic, Partition: partition, Dialer: s.dialer(), MinBytes: 1, MaxBytes: 10 << 20,
		MaxWait: idle / 3, ReadBackoffMin: 20 * time.Millisecond, ReadBackoffMax: 500 * time.Millisecond,
		IsolationLevel: kafka.ReadCommitted,
	})
}

type reading struct {
	mu       sync.Mutex
	do       func(kafka.Message) error
	caughtUp func()
	left     int // partitions that are not read to their end yet
}

func (r *reading) partition(ctx context.Context, reader *kafka.Reader) error {
	defer reader.Close()
	if err := reader.SetOffset(kafka.FirstOffset); err != nil {
		return err
	}
	behind := true
	for {
		wait, cancel := ctx, context.CancelFunc(func() {})
		if behind {
			wait, cancel = context.WithTimeout(ctx, idle)
		}
		m, err := reader.ReadMessage(wait)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil
		case behind && errors.Is(err, context.DeadlineExceeded):
			behind = false
			r.end()
		case err != nil:
			return fmt.Errorf("read %s partition %d: %w", reader.Config().Topic, reader.Config().Partition, err)
		default:
			if err := r.record(m); err != nil {
				return err
			}
		}
	}
}

func (r *reading) record(m kafka.Message) error {
	if marks(m) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.do(m)
}

// marks reports whether a record is the end of a transaction, which this client
// hands out like any other: a version and a type as its key, a version and the
// coordinator's epoch as its value.
func marks(m kafka.Message) bool {
	return len(m.Key) == 4 && m.Key[0] == 0 && m.Key[1] == 0 && m.Key[2] == 0 && m.Key[3] <= 1 && len(m.Value) == 6
}

func (r *reading) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left--; r.left == 0 && r.caughtUp != nil {
		r.caughtUp()
	}
}

// Drain reads what a topic holds now, and returns.
func (s Source) Drain(ctx context.Context, topic string, do func(kafka.Message) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return s.Read(ctx, topic, do, cancel)
}
