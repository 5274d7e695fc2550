package warehouse_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// Whatever an analyst can name can be taken away as a file, every column of
// it; a view that no format can hold would show here and nowhere else.
func TestEveryViewIsExported(t *testing.T) {
	db := warehousetest.New(t)
	seed(t, db)
	var views []struct {
		Name    string   `ch:"view"`
		Columns []string `ch:"columns"`
	}
	// Views with parameters are asked with a window: the KPIs' own tests do.
	require.NoError(t, db.Query(t.Context(), &views, `SELECT table AS view, groupArray(name) AS columns
		FROM (SELECT table, name FROM system.columns WHERE database = ? ORDER BY table, position)
		WHERE table IN (SELECT name FROM system.tables WHERE database = ? AND engine = 'View')
		GROUP BY table ORDER BY table`, db.Database(), db.Database()))
	require.Greater(t, len(views), 40)
	for _, v := range views {
		exported(t, db, v.Name, v.Columns)
	}
}

func exported(t *testing.T, db *warehouse.DB, view string, columns []string) {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, db.Download(t.Context(), &out, "SELECT * FROM "+view, "Parquet"), view)
	require.True(t, bytes.HasPrefix(out.Bytes(), []byte("PAR1")) && bytes.HasSuffix(out.Bytes(), []byte("PAR1")), view)
	if strings.HasPrefix(view, "kpi_") {
		return // dear to plan, and of the plainest types
	}
	out.Reset()
	require.NoError(t, db.Download(t.Context(), &out, "SELECT * FROM "+view, "CSVWithNames"), view)
	rows, err := csv.NewReader(&out).ReadAll()
	require.NoError(t, err, view)
	require.Equal(t, columns, rows[0], view)
}
