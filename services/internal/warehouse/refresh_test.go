package warehouse_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

var kept = []string{"kpi_sync_success_rate", "kpi_sync_latency", "kpi_mttr", "kpi_drift_rate", "kpi_reconciliation_coverage"}

// verdict is what every named KPI view tells first.
type verdict struct {
	Window   string   `ch:"window"`
	Value    *float64 `ch:"value"`
	Status   string   `ch:"status"`
	Severity string   `ch:"severity"`
	Reason   string   `ch:"reason"`
	Detail   string   `ch:"detail"`
	Met      *uint8   `ch:"met"`
	Fired    *uint8   `ch:"fired"`
}

func (k *kpis) named(view string) (out []verdict) {
	k.t.Helper()
	require.NoError(k.t, k.db.Query(k.t.Context(), &out, "SELECT window, toNullable(toFloat64(value)) AS value, status, severity, reason, detail, "+
		"CAST(target_met AS Nullable(UInt8)) AS met, CAST(warning_fired AS Nullable(UInt8)) AS fired FROM "+view+
		" WHERE object = '' ORDER BY window_start DESC"))
	return out
}

// What is not counted any more is never ok: it is unknown, and says since when.
func TestNamedViewsSayWhenTheyAreOld(t *testing.T) {
	k := newKPIs(t)
	k.now = event.At(time.Now())
	k.attempts(100, k.now-2*event.Hour, event.OutcomeOK)
	k.deliveries(100, k.now-2*event.Hour, event.StateApplied, time.Second)
	k.store()
	set(t, k.db, "contact", "", "complete", 3, 1, true, 1000)
	warehousetest.Refresh(t, k.db, kept...)
	require.Equal(t, "ok", k.named("kpi_sync_success_rate")[1].Status)
	require.Equal(t, "ok", k.named("kpi_reconciliation_coverage")[1].Status)

	age := func(minutes string) {
		for _, view := range kept {
			require.NoError(t, k.db.Exec(t.Context(), "ALTER TABLE "+view+"_kept UPDATE window_end = toStartOfMinute(now()) - 60 * "+minutes+
				" WHERE 1 SETTINGS mutations_sync = 2"))
		}
	}
	age("2")
	require.Equal(t, "ok", k.named("kpi_sync_success_rate")[1].Status, "one count that is late makes nothing unknown")
	for minutes, severity := range map[string]string{"5": "", "61": "ticket"} {
		age(minutes)
		for _, view := range kept {
			rows := k.named(view)
			require.Len(t, rows, 4, view)
			for _, r := range rows {
				require.Equal(t, []string{"unknown", "blind", severity}, []string{r.Status, r.Reason, r.Severity}, view)
				require.Contains(t, r.Detail, "not counted for "+minutes, view)
				require.Nil(t, r.Met, view)
				require.Nil(t, r.Fired, view)
			}
		}
	}
	warehousetest.Refresh(t, k.db, "kpi_sync_success_rate")
	require.Equal(t, "ok", k.named("kpi_sync_success_rate")[1].Status, "and is well again with the next count")
}

// A count that fails leaves the rows of the last one, and is told with its reason.
func TestWhatCannotBeCountedIsTold(t *testing.T) {
	k := newKPIs(t)
	warehousetest.Refresh(t, k.db, kept...)
	before := k.named("kpi_mttr")
	require.Len(t, before, 4)
	told, err := k.db.Unrefreshed(t.Context())
	require.NoError(t, err)
	require.Empty(t, told)

	for _, s := range []string{
		"ALTER TABLE kpi_mttr_refresh MODIFY QUERY SELECT * REPLACE (CAST(throwIf(1, 'no luck'), 'String') AS detail) FROM kpi_mttr_kept",
		"SYSTEM START VIEW kpi_mttr_refresh", "SYSTEM REFRESH VIEW kpi_mttr_refresh",
	} {
		require.NoError(t, k.db.Exec(t.Context(), s), s)
	}
	require.ErrorContains(t, k.db.Exec(t.Context(), "SYSTEM WAIT VIEW kpi_mttr_refresh"), "no luck")
	require.Equal(t, before, k.named("kpi_mttr"))

	require.NoError(t, k.db.Exec(t.Context(), "CREATE TABLE never_kept AS kpi_mttr_kept"))
	require.NoError(t, k.db.Exec(t.Context(), `CREATE MATERIALIZED VIEW never_refresh REFRESH EVERY 1 HOUR TO never_kept AS
		SELECT * REPLACE (CAST(throwIf(1, 'no luck'), 'String') AS detail) FROM kpi_mttr_kept`))
	require.Error(t, k.db.Exec(t.Context(), "SYSTEM WAIT VIEW never_refresh"))
	told, err = k.db.Unrefreshed(t.Context())
	require.NoError(t, err)
	require.Len(t, told, 1)
	require.Regexp(t, "^never_refresh was counted never: .*no luck", told[0].String())
}
