package console_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console"
)

func keys(v any) []string { return slices.Sorted(maps.Keys(v.(map[string]any))) }

// The names are contracts: whoever adds one adds it here and to the README.
func TestKPIContract(t *testing.T) {
	w := believable(t)
	base := w.start()
	got := getJSON(t, base+"/api/v1/kpis?window=24h&integration=hubspot-salesforce", http.StatusOK)
	require.Equal(t, strings.Fields("demo error kpis read_at stale window window_end window_start"), keys(got))
	require.Equal(t, "2026-10-31T12:00:00Z", got["window_start"])
	require.Equal(t, "2026-11-01T12:00:00Z", got["window_end"])
	rows := got["kpis"].([]any)
	require.Len(t, rows, 4, "both KPIs, of the whole and of contact")
	want := strings.Fields("basis beside data_through denominator detail integration kpi numerator object reason samples series severity status target " +
		"target_met tenant unit value warning warning_fired")
	find := func(kpi, object string) map[string]any {
		i := slices.IndexFunc(rows, func(r any) bool {
			m := r.(map[string]any)
			return m["kpi"] == kpi && m["object"] == object
		})
		require.GreaterOrEqual(t, i, 0)
		require.Equal(t, want, keys(rows[i]))
		return rows[i].(map[string]any)
	}
	s := find("sync_success_rate", "")
	require.InDelta(t, 1152./1199, s["value"], 1e-9)
	require.EqualValues(t, 1152, s["numerator"])
	require.EqualValues(t, 1199, s["denominator"])
	require.Equal(t, "breach", s["status"])
	require.Equal(t, "page", s["severity"])
	require.Equal(t, false, s["target_met"])
	require.Equal(t, true, s["warning_fired"])
	require.Equal(t, strings.Fields("attempts_per_record first_try_rate record_success_rate silent_failures vendor_outage_share waiting_changes worst_day"), keys(s["beside"]))
	require.EqualValues(t, 7, s["beside"].(map[string]any)["silent_failures"])
	l := find("sync_latency", "")
	require.Equal(t, "ms", l["unit"])
	require.Equal(t, strings.Fields("at_least backlog baseline_ms due oldest_waiting_ms on_time_share p50_ms resolution_ms start_basis"), keys(l["beside"]))
	require.EqualValues(t, 19, l["beside"].(map[string]any)["backlog"])
	require.NotNil(t, l["beside"].(map[string]any)["p50_ms"])
	find("sync_latency", "contact")

	idle := getJSON(t, base+"/api/v1/kpis?window=1h&integration=billing-crm", http.StatusOK)["kpis"].([]any)
	require.NotEmpty(t, idle)
	for _, r := range getJSON(t, base+"/api/v1/kpis?integration=events-attio", http.StatusOK)["kpis"].([]any) {
		if m := r.(map[string]any); m["kpi"] == "sync_latency" {
			require.Nil(t, m["value"], "not measured is null, never 0")
			require.Equal(t, "unknown", m["status"])
		}
	}
}

func TestFailuresContract(t *testing.T) {
	w := believable(t)
	base := w.start()
	got := getJSON(t, base+"/api/v1/failures?class=auth&limit=3", http.StatusOK)
	require.Equal(t, strings.Fields("demo failures from sql to truncated window"), keys(got))
	require.Equal(t, true, got["truncated"])
	rows := got["failures"].([]any)
	require.Len(t, rows, 3)
	require.Equal(t, strings.Fields("attempt_id attribution class code collateral confidence delivery_id evidence failure_id fingerprint first_step incident_id integration "+
		"likely_cause message object occurred_at operation origin provider record_key recoverability rule source_id status target_id tenant"), keys(rows[0]))
	require.Equal(t, "INVALID_SESSION_ID", rows[0].(map[string]any)["code"])
	all := getJSON(t, base+"/api/v1/failures?limit=1000", http.StatusOK)
	require.Len(t, all["failures"], 47)
	require.Equal(t, false, all["truncated"])
}

func TestDeliveriesContract(t *testing.T) {
	w := believable(t)
	base := w.start()
	got := getJSON(t, base+"/api/v1/deliveries?state=not_applied", http.StatusOK)
	rows := got["deliveries"].([]any)
	require.Len(t, rows, 7)
	require.Equal(t, strings.Fields("acknowledged_at applied_at attempts changed_at coerced delivery_id due_at first_attempt_at integration late latency_basis "+
		"latency_ms object received_at record_key source_id state target_id tenant updated_at"), keys(rows[0]))
	for _, r := range rows {
		require.Equal(t, "not_applied", r.(map[string]any)["state"])
		require.Nil(t, r.(map[string]any)["applied_at"])
	}
	require.Empty(t, getJSON(t, base+"/api/v1/deliveries?integration=nobody", http.StatusOK)["deliveries"])
}

func TestListsRefuseWhatTheyDoNotKnow(t *testing.T) {
	w := newWorld(t, integration("i"))
	base := w.start()
	for query, want := range map[string]string{
		"/api/v1/deliveries?state=lost":     "state: choose observed, attempted",
		"/api/v1/deliveries?stat=applied":   "stat: no such parameter",
		"/api/v1/failures?limit=100000":     "limit: a number from 1 to 1000",
		"/api/v1/failures?limit=-1":         "limit: a number",
		"/api/v1/failures?window=1y":        "window: choose",
		"/api/v1/kpis?window=1y":            "window: choose",
		"/api/v1/failures?class=auth'--":    "class: choose",
		"/api/v1/failures?1%3D1+OR+tenant=": "no such parameter",
	} {
		require.Contains(t, getJSON(t, base+query, http.StatusBadRequest)["error"], want, query)
	}
}

// A value is a value, whatever it holds.
func TestValuesAreNoSQL(t *testing.T) {
	w := newWorld(t, integration("i"))
	odd := `' OR 1=1 -- \' ? $1 {x:String}`
	w.failure("i", event.ClassAuth, ago(time.Minute), func(f *event.Failure) { f.RecordKey = odd })
	w.failure("i", event.ClassAuth, ago(time.Minute))
	base := w.start()
	require.Len(t, getJSON(t, base+"/api/v1/failures?record_key="+url.QueryEscape(odd), http.StatusOK)["failures"], 1)
	require.Empty(t, getJSON(t, base+"/api/v1/failures?record_key="+url.QueryEscape("' OR 1=1 -- "), http.StatusOK)["failures"])
	require.Empty(t, getJSON(t, base+"/api/v1/failures?record_key="+url.QueryEscape(`\`), http.StatusOK)["failures"])
}

func TestHealth(t *testing.T) {
	w := newWorld(t, integration("i"))
	ok := true
	base := start(t, console.Options{Warehouse: w.db, Demo: true, Health: func() []console.Check {
		return []console.Check{{Name: "Kafka", OK: ok, Detail: "answers"}}
	}})
	got := getJSON(t, base+"/api/v1/health", http.StatusOK)
	require.Equal(t, strings.Fields("checks demo now status"), keys(got))
	require.Equal(t, "ok", got["status"])
	require.Equal(t, true, got["demo"])
	require.Len(t, got["checks"], 2)
	ok = false
	require.Equal(t, "degraded", getJSON(t, base+"/api/v1/health", http.StatusOK)["status"])
	for _, path := range []string{"/healthz", "/readyz"} {
		code, _, body := get(t, base+path)
		require.Equal(t, http.StatusOK, code)
		require.Equal(t, "ok\n", body)
	}
	_, _, metrics := get(t, base+"/metrics")
	require.Contains(t, metrics, `plumbline_console_requests_total{code="200",route="/api/v1/health"} 2`)
}
