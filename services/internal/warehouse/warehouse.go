package warehouse

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.uber.org/zap"
)

// Options say where ClickHouse is. DSN is required.
type Options struct {
	DSN      string                                                      // http://user@host:8123/plumbline or clickhouse://host:9000/plumbline
	Password string                                                      // added to the DSN, so that it need not stand in it
	MaxConns int                                                         // 0 = 8
	Dial     func(ctx context.Context, address string) (net.Conn, error) // nil = anywhere
	Cluster  string                                                      // tables are replicated and distributed on it; empty = one server
	Logger   *zap.Logger
}

// DB is a pool of connections to one database.
type DB struct {
	conn     driver.Conn
	opts     clickhouse.Options
	database string
	cluster  string
	log      *zap.Logger
	http     *http.Client // of inserts

	tables struct { // which have a tenant, asked once
		sync.Mutex
		list []tenantTable
	}
	probe struct { // what the server knows, asked once
		sync.Mutex
		done           bool
		unifiedDedupes bool
	}
}

// Open reads the DSN; it does not connect yet. Its errors never repeat the
// DSN, which may hold a password.
func Open(o Options) (*DB, error) {
	parsed, err := clickhouse.ParseDSN(o.DSN)
	if err != nil {
		return nil, errors.New("clickhouse dsn cannot be read: write http://user@host:8123/plumbline or clickhouse://host:9000/plumbline")
	}
	opts := *parsed
	if o.Password != "" {
		opts.Auth.Password = o.Password
	}
	if opts.Auth.Database == "" || opts.Auth.Database == "default" {
		opts.Auth.Database = database
	}
	if !plainName(opts.Auth.Database) {
		return nil, fmt.Errorf("clickhouse dsn: database %q is no plain name", opts.Auth.Database)
	}
	opts.MaxOpenConns = orInt(o.MaxConns, 8)
	opts.MaxIdleConns = opts.MaxOpenConns
	opts.ConnMaxLifetime = 10 * time.Minute // lets a load balancer move connections
	opts.DialTimeout = 5 * time.Second
	if o.Dial != nil {
		opts.DialContext = o.Dial
	}
	if opts.ReadTimeout == 0 {
		opts.ReadTimeout = 5 * time.Minute // contexts are the limit; this only ends dead connections
	}
	if opts.Compression == nil && opts.Protocol == clickhouse.Native {
		opts.Compression = &clickhouse.Compression{Method: clickhouse.CompressionLZ4}
	}
	if o.Cluster != "" {
		opts.Settings = clusterSettings(opts.Settings)
	}
	if opts.Protocol == clickhouse.HTTP {
		opts.Settings = inUTC(opts.Settings)
	}
	conn, err := clickhouse.Open(&opts)
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	log := o.Logger
	if log == nil {
		log = zap.NewNop()
	}
	return &DB{conn: conn, opts: opts, database: opts.Auth.Database, cluster: o.Cluster, log: log, http: newHTTP(&opts)}, nil
}

// clusterSettings: an INSERT returns when every shard has its rows, and a
// subquery in a view means all of its table.
func clusterSettings(of clickhouse.Settings) clickhouse.Settings {
	out := clickhouse.Settings{
		"distributed_foreground_insert": 1, "insert_quorum": "auto", "distributed_product_mode": "global",
		"distributed_ddl_task_timeout": 300,
	}
	maps.Copy(out, of)
	return out
}

// inUTC: times are written in UTC and without a zone, whatever the server's own
// is. The client library cannot follow that over the native protocol: such a
// server has to be in UTC (docs/deploy.md).
func inUTC(of clickhouse.Settings) clickhouse.Settings {
	out := clickhouse.Settings{"session_timezone": "UTC"}
	maps.Copy(out, of)
	return out
}

// Close ends every connection.
func (d *DB) Close() error {
	d.http.CloseIdleConnections()
	return d.conn.Close()
}

// Database is the database in use.
func (d *DB) Database() string { return d.database }

// Ping reports whether the server answers.
func (d *DB) Ping(ctx context.Context) error { return wrap("ping clickhouse", d.conn.Ping(ctx)) }

// Query reads all rows into dest, a pointer to a slice of structs whose `ch`
// tags name the columns. Arguments replace the question marks, quoted.
func (d *DB) Query(ctx context.Context, dest any, sql string, args ...any) error {
	return wrap("query clickhouse", d.conn.Select(ctx, dest, sql, args...))
}

// Exec runs a statement that returns no rows.
func (d *DB) Exec(ctx context.Context, sql string, args ...any) error {
	return wrap("clickhouse", d.conn.Exec(ctx, sql, args...))
}

func orInt(v, d int) int {
	if v == 0 {
		return d
	}
	return v
}

func plainName(s string) bool {
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}
