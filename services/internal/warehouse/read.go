package warehouse

import (
	"context"
	"reflect"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// Limits bound what one read may cost the server. A person's page must never
// be what slows the sink down.
type Limits struct {
	Time    time.Duration // server and client both give up after it
	Rows    uint64        // of the result; more is an error, not a silent cut
	Memory  uint64        // bytes the server may use for it
	Threads int           // 0 = the server's choice
	Tenants []string      // only rows of these; nil = of all
}

// Read is Query under limits, and it cannot write.
func (d *DB) Read(ctx context.Context, l Limits, dest any, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	ctx, err := d.limited(ctx, l)
	if err != nil {
		return err
	}
	return d.Query(ctx, dest, sql, args...)
}

// Table is Read of columns that are known to nobody before. Values are those
// of Go, or pointers to them where a column may be null.
func (d *DB) Table(ctx context.Context, l Limits, sql string) (columns []string, rows [][]any, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	if ctx, err = d.limited(ctx, l); err != nil {
		return nil, nil, err
	}
	r, err := d.conn.Query(ctx, sql)
	if err != nil {
		return nil, nil, wrap("query clickhouse", err)
	}
	defer r.Close()
	types := r.ColumnTypes()
	for r.Next() {
		row := make([]any, len(types))
		for i, t := range types {
			row[i] = reflect.New(t.ScanType()).Interface()
		}
		if err := r.Scan(row...); err != nil {
			return nil, nil, wrap("read a row of clickhouse", err)
		}
		for i := range row {
			row[i] = reflect.ValueOf(row[i]).Elem().Interface()
		}
		rows = append(rows, row)
	}
	return r.Columns(), rows, wrap("query clickhouse", r.Err())
}

func (d *DB) limited(ctx context.Context, l Limits) (context.Context, error) {
	s := clickhouse.Settings{
		"readonly":           2, // 1 would refuse the settings beside it
		"max_execution_time": max(1, int(l.Time/time.Second)),
		"max_result_rows":    l.Rows, "result_overflow_mode": "throw",
		"max_memory_usage": l.Memory,
	}
	if l.Threads > 0 {
		s["max_threads"] = l.Threads
	}
	if l.Tenants != nil {
		filter, err := d.scope(ctx, l.Tenants)
		if err != nil {
			return nil, err
		}
		s["additional_table_filters"] = filter
	}
	return clickhouse.Context(ctx, clickhouse.WithSettings(s)), nil
}
