package console_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/console"
)

// The KPIs are gauges, from the views: what is not known has no value, and a
// state that says why.
func TestKPIsAreGauges(t *testing.T) {
	w := newWorld(t, integration("hs-sf"), integration("quiet"))
	w.attempts("hs-sf", 95, ago(time.Hour), event.OutcomeOK)
	w.attempts("hs-sf", 5, ago(time.Hour), event.OutcomeError)
	for range 5 {
		w.failure("hs-sf", event.ClassSchema, ago(time.Hour))
	}
	w.deliveries("hs-sf", 3, ago(time.Hour), event.StateNotApplied, 0)
	w.store()
	db := &switched{Warehouse: w.db}
	clock := newClock(now)
	base := start(t, console.Options{Warehouse: db, Integrations: w.list, Now: clock.now})
	scrape := func() map[string]string {
		code, _, body := get(t, base+"/metrics")
		require.Equal(t, http.StatusOK, code)
		out := map[string]string{}
		for line := range strings.Lines(body) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "} "); ok && strings.HasPrefix(name, "plumbline_kpi_") {
				out[strings.TrimPrefix(name, "plumbline_kpi_")+"}"] = value
			} else if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == "plumbline_kpi_up" {
				out["up"] = value
			}
		}
		return out
	}
	got := scrape()
	const hs, quiet = `integration="hs-sf",kpi="success",`, `integration="quiet",kpi="success",`
	const rest = `tenant="default",window="24h"}`
	require.Equal(t, "1", got["up"])
	require.Equal(t, "0.95", got["value{"+hs+rest])
	require.Equal(t, "0.99", got["target{"+hs+rest])
	require.Equal(t, "95", got["numerator{"+hs+rest])
	require.Equal(t, "100", got["denominator{"+hs+rest])
	require.Equal(t, "1", got["warning{"+hs+rest])
	require.Equal(t, "1", got["state{"+hs+`reason="",state="breach",`+rest])
	require.Equal(t, "3", got[`silent_failures{integration="hs-sf",tenant="default"}`])
	require.Equal(t, "1", got["state{"+quiet+`reason="no_data",state="unknown",`+rest])
	require.NotContains(t, got, "value{"+quiet+rest, "absent, not 0")
	require.Equal(t, "1", got[`state{integration="hs-sf",kpi="drift",reason="no_data",state="unknown",tenant="default",window="30d"}`])
	require.Contains(t, got, `state{integration="hs-sf",kpi="mttr",reason="no_data",state="unknown",tenant="default",window="30d"}`)

	reads := db.reads.Load()
	scrape()
	require.Equal(t, reads, db.reads.Load(), "once a minute, however many scrape")
	db.away.Store(true)
	clock.add(time.Minute)
	require.Equal(t, map[string]string{"up": "0"}, scrape(), "no number of a minute ago looks like one of now")
}
