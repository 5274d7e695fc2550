package warehouse_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// A restored database holds what the one that was backed up did, row by row,
// also when it is restored twice or over rows that are there.
func TestBackupAndRestore(t *testing.T) {
	db, other := warehousetest.New(t), warehousetest.New(t)
	seed(t, db)
	dir := filepath.Join(t.TempDir(), "backup")
	m, err := db.Backup(t.Context(), dir)
	require.NoError(t, err)
	require.Greater(t, m.Rows(), int64(50))
	for _, table := range m.Tables {
		require.NotContains(t, table.Name, "_kept", "is counted anew, not restored")
	}
	_, err = db.Backup(t.Context(), dir)
	require.Error(t, err, "a backup is never written over another")
	for range 2 {
		_, err = other.Restore(t.Context(), dir)
		require.NoError(t, err)
	}
	for _, table := range []string{"changes", "attempts", "deliveries", "failures", "divergences", "signals", "incidents", "dead_letters"} {
		require.Equal(t, publicContent(t, db, table), publicContent(t, other, table), table)
	}
	file := filepath.Join(dir, "deliveries_raw.parquet")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	raw[len(raw)/2] ^= 1
	require.NoError(t, os.WriteFile(file, raw, 0o600))
	_, err = other.Restore(t.Context(), dir)
	require.ErrorContains(t, err, "damaged")
}
