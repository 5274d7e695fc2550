package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Block is one INSERT: rows of one table and one ClickHouse partition, which
// the server stores as a whole or not at all.
type Block struct {
	Table   *Table
	QueryID string // so that it can be stopped
	Token   string // so that the server may recognise a repetition
	Rows    []Row
	Cells   *Cells // the rows where they are encoded already, and Rows is not needed
}

// Insert stores a block and returns when it is durable. The Kind of its error
// says what to do; after KindAmbiguous and KindRetryable nobody may insert the
// rows again before looking.
func (d *DB) Insert(ctx context.Context, b Block) error {
	if b.Cells == nil {
		b.Cells = cellsOf(b.Table, b.Rows)
	}
	if b.Cells.rows == 0 {
		return nil
	}
	settings, err := d.insertSettings(ctx, b.Token)
	if err != nil {
		return err
	}
	if d.opts.Protocol == clickhouse.HTTP {
		return d.post(ctx, b, settings)
	}
	return d.batch(ctx, b, settings)
}

// batch hands the block to the client library, for servers that are reached
// over the native protocol.
func (d *DB) batch(ctx context.Context, b Block, settings clickhouse.Settings) error {
	ctx = clickhouse.Context(ctx, clickhouse.WithQueryID(b.QueryID), clickhouse.WithSettings(settings),
		clickhouse.WithColumnNamesAndTypes(b.Table.wire))
	batch, err := d.conn.PrepareBatch(ctx, b.Table.insert)
	if err != nil {
		return wrap("insert into "+b.Table.Name, err)
	}
	defer batch.Close()
	for i, c := range b.Table.columns {
		if err := batch.Column(i).Append(b.Cells.columns[i].slice(c.wire, b.Cells.rows)); err != nil {
			_ = batch.Abort() // a half-filled batch is never sent
			return &Error{Kind: KindData, Err: fmt.Errorf("encode %s of %s: %w", c.name, b.Table.Name, err)}
		}
	}
	return wrap("insert into "+b.Table.Name, batch.Send())
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
		// However the server reads the body, it is one block.
		"input_format_parallel_parsing": 0, "max_insert_block_size": 1 << 20,
		"min_insert_block_size_rows": 1 << 20, "min_insert_block_size_bytes": 1 << 30,
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
