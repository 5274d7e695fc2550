package warehouse_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// set inserts how a set of object and field stands since some hours ago.
func set(t *testing.T, db *warehouse.DB, object, field, state string, hours, share float64, critical bool, records int) {
	t.Helper()
	through := fmt.Sprintf("toStartOfMinute(now64(3)) - toIntervalSecond(%d)", int(hours*3600)+60)
	if state == "planned" {
		through = "NULL"
	}
	require.NoError(t, db.Exec(t.Context(), fmt.Sprintf(`INSERT INTO reconciliations_raw (reconciliation_id, tenant, integration, object,
		field, run, state, critical, schedule_ms, started_at, source_records, compared, share, compared_through, updated_at, version, _rank)
		SELECT '%s.%s.%s.%g', 'default', 'hs-sf', '%s', '%s', 'r1', '%s', %t, 86400000, now64(3), %d, %d, %g, %s,
		now64(3) - 120 - toIntervalSecond(%d), 1, 1`,
		object, field, state, hours, object, field, state, critical, records, int(float64(records)*share), share, through, int(hours))))
}

// TestCoverage walks kpis.md 5: sets by age, by share, excluded ones, gaps.
func TestCoverage(t *testing.T) {
	db := warehousetest.New(t)
	kpi := func() (value *float64, status, detail string) {
		var rows []struct {
			Value  *float64 `ch:"value"`
			Status string   `ch:"status"`
			Detail string   `ch:"detail"`
			Share  *float64 `ch:"records_share"`
		}
		warehousetest.Refresh(t, db, "kpi_reconciliation_coverage")
		require.NoError(t, db.Query(t.Context(), &rows,
			"SELECT value, status, detail, records_share FROM kpi_reconciliation_coverage WHERE object = '' AND window = '24h'"))
		if len(rows) == 0 {
			return nil, "", ""
		}
		return rows[0].Value, rows[0].Status, rows[0].Detail
	}
	set(t, db, "contact", "", "complete", 3, 1, true, 1000)
	set(t, db, "contact", "email", "complete", 3, 1, true, 1000)
	value, status, _ := kpi()
	require.InDelta(t, 1, *value, 1e-9)
	require.Equal(t, "ok", status)

	set(t, db, "contact", "phone", "planned", 3, 0, true, 0)         // configured, never compared: a gap
	set(t, db, "ticket", "subject", "planned", 3, 0, false, 0)       // not critical
	set(t, db, "deal", "amount", "excluded", 3, 0, true, 0)          // left out, with its reason
	set(t, db, "contact", "city", "complete", 40, 1, true, 1000)     // older than 1.5 times its schedule
	set(t, db, "contact", "jobtitle", "sampled", 3, 0.5, true, 1000) // covers by its share
	value, status, detail := kpi()
	require.InDelta(t, 2.5/5, *value, 1e-9)
	require.Equal(t, "breach", status)
	require.Equal(t, "2 of 5 sets are not compared in time: contact.city, contact.phone", detail)
}
