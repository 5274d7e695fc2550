package compare

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

func tables(t *testing.T, db *warehouse.DB) int {
	t.Helper()
	n, err := number(t.Context(), db, "SELECT count() AS n FROM system.tables WHERE database = currentDatabase()")
	require.NoError(t, err)
	return int(n)
}

func TestTablesOfKilledComparisonsAreDropped(t *testing.T) {
	name := warehousetest.Name(t)
	system := warehousetest.Open(t, warehousetest.Addr(t), "system")
	require.NoError(t, system.Exec(t.Context(), "CREATE DATABASE "+name))
	t.Cleanup(func() { require.NoError(t, system.Exec(context.Background(), "DROP DATABASE "+name)) })
	db := warehousetest.Open(t, warehousetest.Addr(t), name)
	killed := &Comparison{Scratch: name, id: "abcdefghijkl"}
	for _, sql := range append(append(killed.createHashes(onDisk), killed.createRows()),
		"CREATE TABLE compare_0123456789abcdef_source (x UInt8) ENGINE = Memory", // a run's own, under one name for ever
		"CREATE TABLE compare_notes (x UInt8) ENGINE = Memory") {
		require.NoError(t, db.Exec(t.Context(), sql))
	}
	c := &Comparison{Scratch: name}
	require.NoError(t, c.sweep(t.Context(), db, abandoned))
	require.Equal(t, 7, tables(t, db), "somebody may be at work on them")
	require.NoError(t, c.sweep(t.Context(), db, -time.Hour))
	require.Equal(t, 2, tables(t, db))
}
