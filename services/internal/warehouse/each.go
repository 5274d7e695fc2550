package warehouse

import (
	"context"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Scan reads the columns of the current row, in order.
type Scan func(dest ...any) error

// Each hands over row after row while they arrive: for results that need not
// fit into memory. An error of the callback ends the query and is returned as
// it is.
func (d *DB) Each(ctx context.Context, sql string, row func(Scan) error) error {
	rows, err := d.conn.Query(ctx, sql)
	if err != nil {
		return wrap("query clickhouse", err)
	}
	defer rows.Close()
	scan := func(dest ...any) error { return wrap("read a row of clickhouse", rows.Scan(dest...)) }
	for rows.Next() {
		if err := row(scan); err != nil {
			return err
		}
	}
	return wrap("query clickhouse", rows.Err())
}

// WithSettings adds ClickHouse's settings to the statements run with the
// context.
func WithSettings(ctx context.Context, settings map[string]any) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(settings))
}
