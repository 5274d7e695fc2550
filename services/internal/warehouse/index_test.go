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
		query := "SELECT * FROM " + table + " WHERE record_key = 'i/contact/000077'"
		require.True(t, spared(t, db, query, "by_record"), table)
		require.NotContains(t, plan(t, db, query), "PrimaryKeyExpand", "and the blocks left out are not read for newer versions: %s", table)
	}
	require.True(t, spared(t, db, "SELECT * FROM silent_failures", "delivery_id"))
	var rows []struct {
		ID string `ch:"delivery_id"`
	}
	require.NoError(t, db.Query(t.Context(), &rows, "SELECT delivery_id FROM silent_failures"))
	require.Len(t, rows, 1)
	require.Equal(t, "000077", rows[0].ID)
}

// A newer version has the same record, and may have another deadline: what an
// index leaves out must not bring an older one back.
func TestIndexesNeverShowAnOlderVersion(t *testing.T) {
	db := warehousetest.New(t)
	for version, due := range []string{"2026-01-01 10:00:00", "2026-01-01 12:00:00"} {
		require.NoError(t, db.Exec(t.Context(), "INSERT INTO deliveries_raw (tenant, integration, record_key, delivery_id, received_at, state, due_at, version, _rank) VALUES "+
			"('t', 'i', 'i/contact/1', 'd1', '2026-01-01 09:00:00', ?, ?, ?, ?)", []string{"observed", "applied"}[version], due, version, version))
	}
	states := func(where string) []string {
		var rows []struct {
			State string `ch:"state"`
		}
		require.NoError(t, db.Query(t.Context(), &rows, "SELECT toString(state) AS state FROM deliveries WHERE "+where))
		out := []string{}
		for _, r := range rows {
			out = append(out, r.State)
		}
		return out
	}
	require.Equal(t, []string{"applied"}, states("record_key = 'i/contact/1'"))
	require.Equal(t, []string{"applied"}, states("due_at > '2026-01-01 11:00:00'"))
	require.Empty(t, states("due_at < '2026-01-01 11:00:00'"), "the older version had that deadline")
	require.Empty(t, states("record_key = 'i/contact/1' AND due_at < '2026-01-01 11:00:00'"))
}

var ofGranules = regexp.MustCompile(`Granules: (\d+)/(\d+)`)

// spared says whether an index, by its name or a column of its condition, leaves blocks out.
func spared(t *testing.T, db *warehouse.DB, sql, index string) bool {
	t.Helper()
	here := false
	for line := range strings.Lines(plan(t, db, sql)) {
		here = here || strings.Contains(line, index)
		if m := ofGranules.FindStringSubmatch(line); m != nil && here {
			if m[1] != m[2] {
				return true
			}
			here = false
		}
	}
	return false
}

func plan(t *testing.T, db *warehouse.DB, sql string) string {
	t.Helper()
	var lines []struct {
		Text string `ch:"explain"`
	}
	require.NoError(t, db.Query(t.Context(), &lines, "EXPLAIN indexes = 1 "+sql))
	var out strings.Builder
	for _, l := range lines {
		out.WriteString(l.Text + "\n")
	}
	return out.String()
}
