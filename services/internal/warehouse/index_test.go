package warehouse_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// What people look up one by one is found through an index, however many rows there are.
func TestLookupsUseAnIndex(t *testing.T) {
	db := warehousetest.New(t)
	for table, columns := range map[string]string{
		"deliveries": "delivery_id, state", "attempts": "id, outcome", "changes": "event_id, operation", "failures": "failure_id, class", "observations": "observation_id, side",
	} {
		require.NoError(t, db.Exec(t.Context(), "INSERT INTO "+table+"_raw (tenant, integration, record_key, received_at, "+columns+") "+
			"SELECT 't', 'i', concat('i/contact/', leftPad(toString(number), 6, '0')), now64(3), leftPad(toString(number), 6, '0'), if(number = 77, 'not_applied', 'applied') FROM numbers(50000)"))
		require.True(t, spared(t, db, "SELECT * FROM "+table+" WHERE record_key = 'i/contact/000077'", "by_record"), table)
	}
	require.True(t, spared(t, db, "SELECT * FROM silent_failures", "delivery_id"))
	var rows []struct {
		ID string `ch:"delivery_id"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT delivery_id FROM silent_failures"))
	require.Len(t, rows, 1)
	require.Equal(t, "000077", rows[0].ID)
}

var ofGranules = regexp.MustCompile(`Granules: (\d+)/(\d+)`)

// spared says whether an index, by its name or a column of its condition, leaves blocks out.
func spared(t *testing.T, db *warehouse.DB, sql, index string) bool {
	t.Helper()
	var lines []struct {
		Text string `ch:"explain"`
	}
	require.NoError(t, db.Query(t.Context(), &lines, "EXPLAIN indexes = 1 "+sql))
	here := false
	for _, l := range lines {
		here = here || strings.Contains(l.Text, index)
		if m := ofGranules.FindStringSubmatch(l.Text); m != nil && here {
			if m[1] != m[2] {
				return true
			}
			here = false
		}
	}
	return false
}
