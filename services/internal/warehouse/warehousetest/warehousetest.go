// Package warehousetest gives tests a database of their own on the embedded
// engine, which is started once a test binary.
//
// A package that uses it hands its TestMain over:
//
//	func TestMain(m *testing.M) { warehousetest.Main(m) }
package warehousetest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/embedded/clickhouse"
	"plumbline.dev/services/internal/warehouse"
)

var engine struct {
	sync.Mutex
	server *clickhouse.Server
	dir    string
	made   int
	free   []string // databases with the schema and no rows
}

// Main runs a package's tests, or the engine when the binary was started again
// to be one. It returns the exit code to whoever checks for more.
func Main(m *testing.M) int {
	if clickhouse.IsChild(os.Args) {
		return clickhouse.ChildMain(os.Args)
	}
	code := m.Run()
	stop()
	return code
}

func stop() {
	engine.Lock()
	defer engine.Unlock()
	if engine.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := engine.server.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "warehousetest:", err)
	}
	_ = os.RemoveAll(engine.dir)
}

// Addr is the engine's address; it is started when nobody asked before.
func Addr(t testing.TB) string {
	t.Helper()
	engine.Lock()
	defer engine.Unlock()
	if engine.server == nil {
		dir, err := os.MkdirTemp("", "plumbline-engine-")
		require.NoError(t, err)
		server, err := clickhouse.Start(context.Background(), clickhouse.Options{Data: dir, MaxMemory: 4 << 30})
		require.NoError(t, err)
		engine.server, engine.dir = server, dir
	}
	return engine.server.Addr()
}

// Name is a database name that nobody else in this binary has.
func Name(t testing.TB) string {
	t.Helper()
	engine.Lock()
	defer engine.Unlock()
	engine.made++
	return fmt.Sprintf("test_%d", engine.made)
}

// Open connects to a database through any address that leads to the engine.
func Open(t testing.TB, addr, database string) *warehouse.DB {
	t.Helper()
	db, err := warehouse.Open(warehouse.Options{DSN: "http://default@" + addr + "/" + database})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// New is a database with the schema applied and nothing in it, the test's own
// until it ends. The schema takes seconds, so the next test gets the same one,
// emptied.
func New(t testing.TB) *warehouse.DB {
	t.Helper()
	addr := Addr(t)
	name, fresh := take(t)
	db := Open(t, addr, name)
	if fresh {
		require.NoError(t, db.Migrate(t.Context()))
		require.NoError(t, db.Exec(t.Context(), "SYSTEM STOP TTL MERGES")) // the dates of tests are fixed
		for _, view := range refreshed(t, db) {                            // a test counts its views when it wants to
			require.NoError(t, db.Exec(t.Context(), "SYSTEM STOP VIEW "+view))
		}
	}
	before := shape(t, db)
	t.Cleanup(func() {
		if t.Failed() {
			return // it may be in any state, and somebody may want to look
		}
		if shape(t, db) != before { // the test was about another schema
			require.NoError(t, db.Exec(context.Background(), "DROP DATABASE `"+name+"`"))
			return
		}
		empty(t, db)
		engine.Lock()
		defer engine.Unlock()
		engine.free = append(engine.free, name)
	})
	return db
}

// Refresh counts the named KPI views of a database anew, as the server does
// every half minute outside of tests.
func Refresh(t testing.TB, db *warehouse.DB, views ...string) {
	t.Helper()
	for _, view := range views {
		for _, do := range []string{"START", "REFRESH", "WAIT", "STOP"} {
			require.NoError(t, db.Exec(t.Context(), "SYSTEM "+do+" VIEW "+view+"_refresh"))
		}
	}
}

func refreshed(t testing.TB, db *warehouse.DB) []string {
	var rows []struct {
		View string `ch:"view"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT view FROM system.view_refreshes WHERE database = ?", db.Database()))
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = r.View
	}
	return out
}

// take is the name of a database that nobody uses, or of a new one.
func take(t testing.TB) (name string, fresh bool) {
	engine.Lock()
	n := len(engine.free)
	if n > 0 {
		name = engine.free[n-1]
		engine.free = engine.free[:n-1]
	}
	engine.Unlock()
	if n > 0 {
		return name, false
	}
	return Name(t), true
}

// shape tells two schemas apart.
func shape(t testing.TB, db *warehouse.DB) uint64 {
	t.Helper()
	var of []struct {
		Hash uint64 `ch:"hash"`
	}
	require.NoError(t, db.Query(context.Background(), &of, `SELECT cityHash64(arraySort(groupArray(create_table_query))) AS hash
		FROM system.tables WHERE database = ? AND name NOT LIKE '.%'`, db.Database()))
	require.Len(t, of, 1)
	return of[0].Hash
}

// empty takes everything out of a database but the notes on its schema.
func empty(t testing.TB, db *warehouse.DB) {
	t.Helper()
	var full []struct {
		Name string `ch:"name"`
	}
	ctx := context.Background()
	require.NoError(t, db.Query(ctx, &full, `SELECT name FROM system.tables WHERE database = ? AND engine LIKE '%MergeTree'
		AND name != 'schema_version' AND total_rows > 0`, db.Database()))
	for _, table := range full {
		require.NoError(t, db.Exec(ctx, "TRUNCATE TABLE `"+db.Database()+"`.`"+table.Name+"`"))
	}
}
