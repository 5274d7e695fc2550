package notify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/zap"
	"plumbline.dev/schemas/event"
	"plumbline.dev/services/internal/warehouse"
)

// money answers with these sums, and counts how often it is asked.
func money(asked *int, err *error, rows ...worthRow) Read {
	return func(_ context.Context, l warehouse.Limits, dest any, sql string, _ ...any) error {
		*asked++
		if *err != nil {
			return *err
		}
		if list, ok := dest.(*[]worthRow); ok && len(l.Tenants) == 1 && strings.Contains(sql, "impact_records") {
			*list = rows
		}
		return nil
	}
}

// What is at stake stands in the message, over known values, currencies apart.
func TestAMessageNamesTheMoney(t *testing.T) {
	w := newWorld(t)
	o := w.options()
	asked, away := 0, error(nil)
	o.Read = money(&asked, &away, worthRow{"USD", 412_300, 60, 70}, worthRow{"EUR", 9_500, 3, 70}, worthRow{"", 0, 0, 70})
	w.start(o)
	a := incident("i1", event.AlertFiring)
	a.IncidentID = "i1"
	w.say(a)
	require.Equal(t, `[PAGE P1] hs-sf: contact update fails at salesforce: auth (401); 42 records, 42 not right yet
Since 2026-01-01 00:00 UTC, 42 records
At stake: 412 k USD and 9500 EUR on 63 of 70 records that still differ
Whose fault: customer (90 % sure)
First step: reconnect OAuth
Console: http://console/?incident=i1
Take it: plumbline alerts acknowledge i1`, strings.TrimSpace(w.slack.wait(t, 1)[0]))
}

// A sum is asked for once a minute, no more than so many are, and who cannot
// answer is left alone for a while: a message never waits for its sum twice.
func TestSumsAreBoundedAndFresh(t *testing.T) {
	asked, away := 0, error(nil)
	read := money(&asked, &away, worthRow{"USD", 1_250_000, 1, 1})
	w := newWorth(read, zap.NewNop())
	now := time.Unix(1_767_225_600, 0)
	a := event.Alert{ID: "a", Tenant: "t", Integration: "hs-sf", Status: event.AlertFiring, Rule: event.RuleIncident, IncidentID: "i"}
	require.Equal(t, "1.2 m USD on 1 of 1 record that still differs", w.of(&a, now))
	require.NotEmpty(t, w.of(&a, now.Add(59*time.Second)))
	require.Equal(t, 1, asked)
	require.NotEmpty(t, w.of(&a, now.Add(time.Minute)), "asked anew")
	require.Equal(t, 2, asked)

	for i := range 3 * worthAsks {
		b := a
		b.IncidentID = strings.Repeat("x", i+1)
		w.of(&b, now.Add(time.Minute))
	}
	require.Equal(t, 1+worthAsks, asked, "a minute's asks, and the first")

	away = errors.New("connection refused")
	later := now.Add(3 * time.Minute)
	require.Empty(t, w.of(&a, later))
	away = nil
	require.Empty(t, w.of(&a, later.Add(30*time.Second)))
	require.Equal(t, 2+worthAsks, asked)
	require.NotEmpty(t, w.of(&a, later.Add(time.Minute)))
	require.LessOrEqual(t, len(w.known), 2)

	a.Status = event.AlertResolved
	require.Empty(t, w.of(&a, later), "what is over is not at stake")
	require.Empty(t, newWorth(nil, zap.NewNop()).of(&a, now))
	require.Empty(t, inMoney([]worthRow{{"", 0, 0, 4}}), "nobody knows any of the values")
}
