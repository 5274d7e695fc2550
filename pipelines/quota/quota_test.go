package quota

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"plumbline.dev/pipelines/stream"
	"plumbline.dev/schemas/event"
)

const start = event.Time(1_767_261_600_000) // 2026-01-01 10:00

// told feeds readings a quarter of an hour apart and returns what is said.
func told(t *testing.T, o *Operator, from event.Time, limit int64, used ...int64) (out []*event.Signal) {
	t.Helper()
	for i, u := range used {
		var o1 stream.Out
		at := from + event.Time(i)*15*event.Minute
		for _, integration := range []string{"a", "b"} { // resolve gives each integration a copy
			o.Step(stream.Ctx{Now: at}, "", &event.Signal{
				ID: "u", Tenant: "t1", Integration: integration, Kind: event.SignalUsage, System: "salesforce", StartedAt: at,
				Detail: []event.Field{text("max", strconv.FormatInt(limit, 10)), text("used", strconv.FormatInt(u, 10))},
			}, &o1)
		}
		for _, x := range o1.List {
			s := x.Event.(*event.Signal)
			require.NoError(t, s.Validate())
			out = append(out, s)
		}
	}
	return out
}

func TestForecast(t *testing.T) {
	o := New()
	require.Empty(t, told(t, o, start, 100_000, 10_000, 20_000, 30_000, 35_000), "under the share that matters")
	got := told(t, o, start+event.Hour, 100_000, 45_000)
	require.Len(t, got, 1)
	// 35,000 in an hour; 55,000 are left: an hour and 34 minutes.
	require.Contains(t, got[0].Summary, "45000 of 100000 calls are used; at 35000 an hour they end at 12:34 UTC on 1 Jan (between 12:15 UTC on 1 Jan and 13:05 UTC on 1 Jan)")
	require.Contains(t, got[0].Summary, "stops retrying")
	require.Zero(t, got[0].EndedAt)

	more := told(t, o, start+75*event.Minute, 100_000, 60_000)
	require.Equal(t, got[0].StartedAt, more[0].StartedAt, "one signal, sharpened")
	require.NotEqual(t, got[0].ID, more[0].ID)

	// The load ends; an hour later the forecast is taken back.
	calm := told(t, o, start+90*event.Minute, 100_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000, 60_000)
	last := calm[len(calm)-1]
	require.NotZero(t, last.EndedAt)
	require.Contains(t, last.Summary, "they last")
}

func TestSlowUseIsNoForecast(t *testing.T) {
	o := New()
	require.Empty(t, told(t, o, start, 100_000, 50_000, 50_100, 50_200, 50_300, 50_400, 50_500), "it lasts for days")
}

// A counter that begins anew at midnight: what would end after it is no news.
func TestResetEndsTheForecast(t *testing.T) {
	o := New()
	told(t, o, start-10*event.Hour, 100_000, 90_000, 100) // began anew at 00:15
	day := make([]int64, 0, 60)
	for i := range int64(44) {
		day = append(day, 100+i*1000)
	}
	require.Empty(t, told(t, o, start-9*event.Hour, 100_000, day...), "96,000 by midnight: enough")
	// A burst in the evening does not last until then.
	got := told(t, o, start+2*event.Hour, 100_000, 72_000, 80_000, 88_000)
	require.NotEmpty(t, got)
}

func TestUsedUp(t *testing.T) {
	o := New()
	got := told(t, o, start, 1000, 900, 950, 990, 1000, 1000)
	require.Contains(t, got[len(got)-1].Summary, "1000 of 1000")
}

func TestNonsenseIsIgnored(t *testing.T) {
	o := New()
	require.Empty(t, told(t, o, start, 0, 1, 2, 3))
	require.Empty(t, told(t, o, start, -5, 1, 2, 3))
	require.Zero(t, o.Len())
}
