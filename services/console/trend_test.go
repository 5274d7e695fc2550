package console

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Bases never mix: the line is drawn on the one that the KPI is judged by.
func TestTrendKeepsToItsBasis(t *testing.T) {
	w, _ := findWindow("1h")
	s := &Snapshot{Window: w}
	s.From, s.To = w.Bounds(time.Date(2026, 11, 1, 12, 0, 30, 0, time.UTC))
	first := s.From.Unix() / 60
	row := func(basis, integration string, bucket int64, v float64) TrendRow {
		return TrendRow{KPI: "sync_latency", Integration: integration, Basis: basis, Bucket: bucket, Value: v, P50: v / 2}
	}
	s.Trend = []TrendRow{
		row("applied_event", "i", first+3, 30), row("applied_event", "i", first+2, 20), row("applied_event", "i", wholeWindow, 25),
		row("acknowledged", "i", first+2, 1), row("acknowledged", "i", wholeWindow, 1), row("applied_event", "other", first+2, 99),
	}
	r := LatencyRow{kpiRow: kpiRow{Integration: "i", Basis: "applied_event"}}
	require.Equal(t, []point{{2, 20}, {3, 30}}, s.trend("sync_latency", r.kpiRow, r.Basis))
	require.InDelta(t, 12.5, *s.median(r), 0)
	r.Basis = "applied_poll"
	require.Nil(t, s.median(r))
	require.Nil(t, s.latencySpark(r))
}
