package console

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Never rounded up: a missed target must not read as met.
func TestPercentIsCut(t *testing.T) {
	for v, want := range map[float64]string{
		1: "100 %", .999999: "99.99 %", .98996: "98.99 %", .99: "99 %", .29: "29 %", .5: "50 %", .00001: "< 0.01 %", 0: "0 %",
	} {
		require.Equal(t, want, percent(v))
	}
}

func TestDurationHasTwoUnits(t *testing.T) {
	for ms, want := range map[float64]string{
		0: "0 ms", 640: "640 ms", 4290: "4.2 s", 9000: "9 s", 59_999: "59 s", 252_000: "4 min 12 s", 3_600_000: "1 h",
		22_200_000: "6 h 10 min", 280_000_000: "3 d 5 h", -2100: "−2.1 s",
	} {
		require.Equal(t, want, duration(ms))
	}
}

func TestNumbers(t *testing.T) {
	require.Equal(t, "999", number(999))
	require.Equal(t, "1,000", number(1000))
	require.Equal(t, "12,345,678", number(12345678))
	require.Equal(t, "1 record", plural(1, "record"))
	require.Equal(t, "0 records", plural(0, "record"))
	require.Equal(t, "äö…", shorten("äö  ü\nß", 3))
}

// The worst first; what waits unseen before what is merely quiet, and ok last.
func TestRank(t *testing.T) {
	order := []kpiRow{
		{Status: "breach", Severity: "page"},
		{Status: "breach", Severity: "ticket"},
		{Status: "warning", Severity: "page"},
		{Status: "unknown", Reason: "blind"},
		{Status: "unknown", Reason: "not_observed"},
		{Status: "a new word"},
		{Status: "ok"},
	}
	for i := range order[1:] {
		require.Less(t, rank(order[i]), rank(order[i+1]), "%v", order[i+1])
	}
}

// A line breaks where nothing was measured; a lone point is a dot.
func TestSparkHasGaps(t *testing.T) {
	s := newSpark([]point{{0, 0}, {1, 10}, {4, 5}, {8, 5}, {9, 5}}, 11, 0, 10, 5)
	require.Equal(t, "M4 52L35.2 4M253.6 28L284.8 28", s.Line)
	require.Equal(t, []dot{{"128.8", "28"}}, s.Dots)
	require.Equal(t, "28", s.Target)
	require.Equal(t, dot{"284.8", "28"}, *s.Last)
	require.Nil(t, newSpark(nil, 11, 0, 1, 0), "nothing was measured")
	require.Empty(t, newSpark([]point{{0, 1}}, 11, 0, 10, 300).Target, "off the chart")
}

func TestRhythm(t *testing.T) {
	at := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	row := func(silent, gap time.Duration, n uint64) SourceRow {
		last := at.Add(-silent)
		return SourceRow{Last: last, First: last.Add(-gap * time.Duration(n-1)), Day: n}
	}
	require.Equal(t, Flowing, row(4*time.Minute, time.Second, 100).rhythm(at))
	require.Equal(t, Stalled, row(6*time.Minute, time.Second, 100).rhythm(at))
	require.Equal(t, Quiet, row(40*time.Minute, 5*time.Minute, 100).rhythm(at), "eight times what is usual")
	require.Equal(t, Quiet, row(6*time.Hour, time.Second, 5).rhythm(at), "five events tell nothing")
}

func TestCapital(t *testing.T) {
	for in, want := range map[string]string{"": "", "learning": "Learning", "≥ 2 h, 1 open": "≥ 2 h, 1 open", "éa": "Éa"} {
		require.Equal(t, want, capital(in))
	}
}
