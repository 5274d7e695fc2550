package warehouse_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// TestLinking reads the last complete comparison of an object as a whole, and
// says nothing before there is one.
func TestLinking(t *testing.T) {
	db := warehousetest.New(t)
	type row struct {
		Object  string   `ch:"object"`
		Linked  int64    `ch:"linked"`
		Linking *float64 `ch:"linking"`
	}
	linking := func() (rows []row) {
		require.NoError(t, db.Query(t.Context(), &rows, "SELECT object, linked, linking FROM linking"))
		return rows
	}
	set(t, db, "contact", "", "planned", 3, 0, true, 0)
	require.Empty(t, linking())
	for i, of := range []string{
		"'complete', 1000, 1000, 0, 0", // older: it was all there
		"'complete', 1000, 900, 490, 100", "'failed', 0, 0, 0, 0",
	} {
		require.NoError(t, db.Exec(t.Context(), `INSERT INTO reconciliations_raw (reconciliation_id, tenant, integration, object, field, run, started_at,
			updated_at, version, _rank, state, source_records, compared, missing_in_target, unlinkable)
			SELECT generateUUIDv4(), 'default', 'hs-sf', 'contact', '', 'r', now64(3) - 100 + ?, now64(3), 1, 1, `+of, i))
	}
	got := linking()
	require.Len(t, got, 1)
	require.Equal(t, int64(410), got[0].Linked)
	require.InDelta(t, 0.41, *got[0].Linking, 1e-9)
}
