package warehouse

import (
	"context"
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
}

// Read is Query under limits, and it cannot write.
func (d *DB) Read(ctx context.Context, l Limits, dest any, sql string, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, l.Time)
	defer cancel()
	s := clickhouse.Settings{
		"readonly":           2, // 1 would refuse the settings beside it
		"max_execution_time": max(1, int(l.Time/time.Second)),
		"max_result_rows":    l.Rows, "result_overflow_mode": "throw",
		"max_memory_usage": l.Memory,
	}
	if l.Threads > 0 {
		s["max_threads"] = l.Threads
	}
	return d.Query(clickhouse.Context(ctx, clickhouse.WithSettings(s)), dest, sql, args...)
}
