package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"plumbline.dev/pipelines/stream"
)

// Changelog reads whole partitions, and trims those of state, outside any
// transaction.
type Changelog struct {
	o   Options
	cl  *kgo.Client
	adm *kadm.Client
}

// NewChangelog connects.
func NewChangelog(o Options) (*Changelog, error) {
	cl, err := kgo.NewClient(o.kgo()...)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	return &Changelog{o: o, cl: cl, adm: kadm.NewClient(cl)}, nil
}

// Close closes the connection.
func (c *Changelog) Close() { c.cl.Close() }

// Start is the first offset a partition still holds.
func (c *Changelog) Start(ctx context.Context, topicName string, partition int32) (int64, error) {
	listed, err := c.adm.ListStartOffsets(ctx, topicName)
	return offsetOf(listed, err, topicName, partition)
}

// Read hands over every committed state record of a partition, in order.
func (c *Changelog) Read(
	ctx context.Context, topicName string, partition int32, each func(key string, value []byte) error,
) error {
	return c.read(ctx, topicName, partition, -1, func(r *kgo.Record) error { return each(string(r.Key), r.Value) })
}

// Tail hands over what is committed of a partition's last n offsets, and
// reports whether there is more before them.
func (c *Changelog) Tail(
	ctx context.Context, topicName string, partition int32, n int64, each func(key string, value []byte) error,
) (more bool, err error) {
	start, err := c.Start(ctx, topicName, partition)
	if err != nil {
		return false, err
	}
	end, err := c.End(ctx, topicName, partition)
	if err != nil {
		return false, err
	}
	from := max(start, end-n)
	err = c.read(ctx, topicName, partition, from, func(r *kgo.Record) error { return each(string(r.Key), r.Value) })
	return from > start, err
}

// Records hands over every committed record of a partition, decoded, in
// order: what a replay reads, and what an audit holds against the tables.
func (c *Changelog) Records(
	ctx context.Context, topicName string, partition int32, each func(stream.Record) error,
) error {
	return c.read(ctx, topicName, partition, -1, func(r *kgo.Record) error {
		rec, err := decode(r)
		if err != nil {
			rec.Event = unreadable(r, err)
		}
		return each(rec)
	})
}

// read goes from an offset, or a partition's start, to its end. It first waits
// until no transaction is open on it, so that what it returns is decided.
func (c *Changelog) read(
	ctx context.Context, topicName string, partition int32, from int64, each func(*kgo.Record) error,
) error {
	start, err := c.Start(ctx, topicName, partition)
	if err != nil {
		return err
	}
	start = max(start, from)
	end, err := c.stableEnd(ctx, topicName, partition)
	if err != nil {
		return err
	}
	if start >= end {
		return nil
	}
	cl, err := kgo.NewClient(c.o.kgo(
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topicName: {partition: kgo.NewOffset().At(start)}}),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), // a partition ends with a marker: without it the end is never seen
		kgo.FetchMaxPartitionBytes(16<<20),
	)...)
	if err != nil {
		return fmt.Errorf("connect to kafka: %w", err)
	}
	defer cl.Close()
	for next := start; next < end; {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return fmt.Errorf("read %s partition %d: %w", topicName, partition, err)
		}
		var failed error
		fetches.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if failed == nil && r.Offset < end && !r.Attrs.IsControl() {
				failed = each(r)
			}
		})
		if failed != nil {
			return failed
		}
	}
	return nil
}

// stableEnd waits until everything in the partition is decided.
func (c *Changelog) stableEnd(ctx context.Context, topicName string, partition int32) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*transactionTimeout)
	defer cancel()
	for {
		stable, err := c.adm.ListCommittedOffsets(ctx, topicName)
		lso, err := offsetOf(stable, err, topicName, partition)
		if err != nil {
			return 0, err
		}
		listed, err := c.adm.ListEndOffsets(ctx, topicName)
		end, err := offsetOf(listed, err, topicName, partition)
		if err != nil {
			return 0, err
		}
		if lso == end {
			return end, nil
		}
		select {
		case <-ctx.Done():
			return 0, fmt.Errorf("a transaction stays open on %s partition %d: %w", topicName, partition, ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Trim lets a partition's records before offset go.
func (c *Changelog) Trim(ctx context.Context, topicName string, partition int32, offset int64) error {
	offsets := kadm.Offsets{}
	offsets.AddOffset(topicName, partition, offset, -1)
	resp, err := c.adm.DeleteRecords(ctx, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return fmt.Errorf("trim %s partition %d: %w", topicName, partition, err)
	}
	return nil
}

func offsetOf(listed kadm.ListedOffsets, err error, topicName string, partition int32) (int64, error) {
	if err != nil {
		return 0, fmt.Errorf("list offsets of %s: %w", topicName, err)
	}
	o, ok := listed.Lookup(topicName, partition)
	if !ok || o.Err != nil {
		return 0, fmt.Errorf("list offsets of %s partition %d: %w", topicName, partition, o.Err)
	}
	return o.Offset, nil
}

// End is the offset after the last record of a partition, decided or not.
func (c *Changelog) End(ctx context.Context, topicName string, partition int32) (int64, error) {
	listed, err := c.adm.ListEndOffsets(ctx, topicName)
	return offsetOf(listed, err, topicName, partition)
}
