package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Block is one INSERT: rows of one table and one ClickHouse partition, which
// the server stores as a whole or not at all.
type Block struct {
	Table   *Table
	QueryID string // so that it can be stopped
	Token   string // so that the server may recognise a repetition
	Rows    []Row
}

// Insert stores a block and returns when it is durable. The Kind of its error
// says what to do; after KindAmbiguous and KindRetryable nobody may insert the
// rows again before looking.
func (d *DB) Insert(ctx context.Context, b Block) (err error) {
	if len(b.Rows) == 0 {
		return nil
	}
	settings, err := d.insertSettings(ctx, b.Token)
	if err != nil {
		return err
	}
	ctx = clickhouse.Context(ctx, clickhouse.WithQueryID(b.QueryID), clickhouse.WithSettings(settings),
		clickhouse.WithColumnNamesAndTypes(b.Table.wire))
	batch, err := d.conn.PrepareBatch(ctx, b.Table.insert)
	if err != nil {
		return wrap("insert into "+b.Table.Name, err)
	}
	defer batch.Close()
	if err := fill(batch, b); err != nil {
		return err
	}
	return wrap("insert into "+b.Table.Name, batch.Send())
}

// fill never leaves a half-filled batch to be sent: an error ends it, and a
// panic of the client library on odd data is one.
func fill(batch driver.Batch, b Block) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Error{Kind: KindData, Err: fmt.Errorf("encode rows of %s: %v", b.Table.Name, r)}
		}
		if err != nil {
			_ = batch.Abort()
		}
	}()
	for i, c := range b.Table.columns {
		if err := batch.Column(i).Append(c.values(b.Rows)); err != nil {
			return &Error{Kind: KindData, Err: fmt.Errorf("encode %s of %s: %w", c.name, b.Table.Name, err)}
		}
	}
	return nil
}

// insertSettings names everything that decides whether one INSERT is one part:
// the defaults differ between versions of the server.
func (d *DB) insertSettings(ctx context.Context, token string) (clickhouse.Settings, error) {
	unified, err := d.knowsUnifiedDedup(ctx)
	if err != nil {
		return nil, err
	}
	s := clickhouse.Settings{
		"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token,
		"max_insert_threads": 1,
		// Rows of one block with one key must stay: read-back looks for every offset.
		"optimize_on_insert": 0,
	}
	if unified {
		s["deduplicate_insert"] = "enable"
	}
	if d.opts.Protocol == clickhouse.HTTP {
		s["wait_end_of_query"] = 1
	}
	return s, nil
}

// knowsUnifiedDedup asks once: older servers refuse settings they do not know.
func (d *DB) knowsUnifiedDedup(ctx context.Context) (bool, error) {
	d.probe.Lock()
	defer d.probe.Unlock()
	if d.probe.done {
		return d.probe.unifiedDedupes, nil
	}
	var rows []struct {
		N uint64 `ch:"n"`
	}
	if err := d.Query(ctx, &rows, "SELECT count() AS n FROM system.settings WHERE name = 'deduplicate_insert'"); err != nil {
		return false, err
	}
	d.probe.done, d.probe.unifiedDedupes = true, rows[0].N > 0
	return d.probe.unifiedDedupes, nil
}
