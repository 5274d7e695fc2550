package warehouse

import (
	"context"
	"fmt"
	"time"
)

// Range is a piece of one Kafka partition, both ends included.
type Range struct {
	Topic     string
	Epoch     string
	Partition int32
	From, To  int64
}

// Present returns which offsets of a range have a row in the table. It reads
// the raw rows: what was stored counts, not what an analyst sees.
func (d *DB) Present(ctx context.Context, t *Table, r Range) (map[int64]bool, error) {
	var rows []struct {
		Offset uint64 `ch:"_offset"`
	}
	err := d.Query(ctx, &rows, "SELECT DISTINCT _offset FROM "+t.Name+"_raw WHERE _topic = ? AND _epoch = ? AND _partition = ? "+
		"AND _offset BETWEEN ? AND ? SETTINGS select_sequential_consistency = 1",
		r.Topic, r.Epoch, uint32(r.Partition), uint64(r.From), uint64(r.To))
	if err != nil {
		return nil, err
	}
	out := make(map[int64]bool, len(rows))
	for _, row := range rows {
		out[int64(row.Offset)] = true
	}
	return out, nil
}

// StopQueries ends every query whose id starts with prefix and returns when
// none of them runs any more: only then is a read-back the truth.
func (d *DB) StopQueries(ctx context.Context, prefix string) error {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		running, err := d.running(ctx, prefix)
		if err != nil || running == 0 {
			return err
		}
		if err := d.Exec(ctx, "KILL QUERY WHERE startsWith(query_id, ?) SYNC", prefix); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return &Error{Kind: KindAmbiguous, Err: fmt.Errorf("%d queries %s* do not stop: %w", running, prefix, ctx.Err())}
		case <-time.After(wait):
		}
	}
}

func (d *DB) running(ctx context.Context, prefix string) (uint64, error) {
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := d.Query(ctx, &rows, "SELECT count() AS n FROM system.processes WHERE startsWith(query_id, ?)", prefix); err != nil {
		return 0, err
	}
	return rows[0].N, nil
}

// Newest returns the highest offset stored of each partition of a topic.
func (d *DB) Newest(ctx context.Context, t *Table, topicName, epoch string) (map[int32]int64, error) {
	var rows []struct {
		Partition uint32 `ch:"_partition"`
		Offset    uint64 `ch:"newest"`
	}
	err := d.Query(ctx, &rows, "SELECT _partition, max(_offset) AS newest FROM "+t.Name+
		"_raw WHERE _topic = ? AND _epoch = ? GROUP BY _partition", topicName, epoch)
	if err != nil {
		return nil, err
	}
	out := make(map[int32]int64, len(rows))
	for _, r := range rows {
		out[int32(r.Partition)] = int64(r.Offset)
	}
	return out, nil
}
