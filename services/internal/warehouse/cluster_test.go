package warehouse_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	schema "plumbline.dev/schemas/clickhouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// There is no cluster on one embedded engine, but its parser knows whether
// every rendered statement is one.
func TestClusterStatementsParse(t *testing.T) {
	db := warehousetest.New(t)
	files, err := schema.Files()
	require.NoError(t, err)
	var all []string
	for _, f := range files {
		for _, s := range f.Statements() {
			all = append(all, schema.OnCluster("main", s)...)
		}
	}
	grants := schema.File{SQL: strings.ReplaceAll(schema.Grants, "{sha256 of the password}", strings.Repeat("0", 64))}
	all = append(all, grants.Statements()...)
	require.Greater(t, len(all), 80)
	for _, s := range all {
		var rows []struct {
			Text string `ch:"text"`
		}
		require.NoError(t, db.Query(t.Context(), &rows, "SELECT formatQuery(?) AS text", s), "%s", s)
	}
}
