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

// New is a database of its own with the schema applied; it goes with the test.
func New(t testing.TB) *warehouse.DB {
	t.Helper()
	db := Open(t, Addr(t), Name(t))
	require.NoError(t, db.Migrate(t.Context()))
	require.NoError(t, db.Exec(t.Context(), "SYSTEM STOP TTL MERGES")) // the dates of tests are fixed
	t.Cleanup(func() {
		require.NoError(t, db.Exec(context.Background(), "DROP DATABASE `"+db.Database()+"`"))
	})
	return db
}
