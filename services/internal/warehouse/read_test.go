package warehouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

func TestReadIsBoundedAndCannotWrite(t *testing.T) {
	db := warehousetest.New(t)
	l := warehouse.Limits{Time: 10 * time.Second, Rows: 10, Memory: 64 << 20, Threads: 1}
	var rows []struct {
		N uint64 `ch:"number"`
	}
	require.NoError(t, db.Read(t.Context(), l, &rows, "SELECT number FROM numbers(10) WHERE number >= ?", 0))
	require.Len(t, rows, 10)

	rows = nil
	require.Error(t, db.Read(t.Context(), l, &rows, "SELECT number FROM numbers(11)"), "too many rows")
	require.Error(t, db.Read(t.Context(), l, &rows, "SELECT number FROM numbers(100000000) ORDER BY number % 7777777, number LIMIT 1 BY number"), "too much memory")
	require.Error(t, db.Read(t.Context(), l, &rows, "DROP TABLE changes_raw"))
	require.Zero(t, count(t, db, "changes"), "the table is still there")

	l.Time = 300 * time.Millisecond
	began := time.Now()
	require.Error(t, db.Read(t.Context(), l, &rows, "SELECT number FROM system.numbers WHERE number % 2 = 3"))
	require.Less(t, time.Since(began), 30*time.Second, "it would count for ever")
}
