package notify

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/warehouse"
)

// A digest is due at its hour of its day in its zone, whatever the clocks did.
func TestDigestSlots(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	d := Digest{Day: time.Monday, Hour: 8, Zone: zone}
	at := func(s string) time.Time {
		t.Helper()
		x, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return x
	}
	for now, want := range map[string]string{
		"2026-11-02T07:00:00Z": "2026-11-02T07:00:00Z", // eight in Berlin
		"2026-11-02T06:59:59Z": "2026-10-26T07:00:00Z", // the week before, the day after clocks went back
		"2026-10-25T23:30:00Z": "2026-10-19T06:00:00Z", // Monday in Berlin already, summer before
		"2026-11-08T22:59:59Z": "2026-11-02T07:00:00Z",
		"2026-04-06T06:00:00Z": "2026-04-06T06:00:00Z",
	} {
		require.Equal(t, at(want), d.slot(at(now)).UTC(), now)
	}
}

// emptyWeek answers every question with nothing.
func emptyWeek(context.Context, warehouse.Limits, any, string, ...any) error { return nil }

// The digest comes once a week to each receiver, whatever dies around it: who
// was told is not told again, who was not is, and a new install waits a week.
func TestDigestIsSentOnce(t *testing.T) {
	w := newWorld(t)
	addr, mails := mailServer(t)
	o := w.options()
	o.File = w.quick(config.Notify{
		Slack: config.Secret(w.slack.URL), Email: "revops@example.com", SMTP: &config.SMTP{Host: addr, From: "plumbline@example.com", Plain: true},
	})
	var now atomic.Pointer[time.Time]
	set := func(at time.Time) { now.Store(&at) }
	monday := time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
	set(monday.Add(-time.Hour))
	o.Every = 20 * time.Millisecond
	o.Now = func() time.Time { return *now.Load() }
	var away atomic.Bool
	o.Digest = &Digest{Day: time.Monday, Hour: 8, Zone: time.UTC, Tenants: []string{"default"}, Read: func(ctx context.Context, l warehouse.Limits, dest any, sql string, args ...any) error {
		if away.Load() {
			return errors.New("connection refused")
		}
		require.Equal(t, []string{"default"}, l.Tenants)
		return emptyWeek(ctx, l, dest, sql, args...)
	}}
	digests := func() (slack, mail int) {
		for _, m := range w.slack.got() {
			if strings.HasPrefix(m, "Week to 2 November, default: 0 records silently failed, 0 incidents open\nSilently failed: nothing") {
				slack++
			}
		}
		for _, m := range mails() {
			if strings.Contains(m, "Subject: Week to 2 November") {
				mail++
			}
		}
		return slack, mail
	}
	sent := func(slack, mail int) {
		t.Helper()
		if !assert.Eventually(t, func() bool { s, m := digests(); return s == slack && m == mail }, time.Minute, 10*time.Millisecond) {
			t.Fatalf("%v %v", w.slack.got(), mails())
		}
	}
	file := filepath.Join(w.data, "notify", "digest.json")
	marked := func(what string) {
		t.Helper()
		require.Eventually(t, func() bool { b, _ := os.ReadFile(file); return strings.Contains(string(b), what) }, time.Minute, 10*time.Millisecond)
	}
	stop := w.start(o)
	marked("2026-10-26") // nothing of the week before it was installed
	stop()

	set(monday.Add(2 * time.Hour)) // nobody was there at eight; ClickHouse is away, then Slack
	away.Store(true)
	w.slack.breaks(true)
	stop = w.start(o)
	time.Sleep(100 * time.Millisecond)
	sent(0, 0)
	away.Store(false)
	sent(0, 1)
	marked("people/email[0]")
	stop()
	stop = w.start(o)
	w.slack.breaks(false)
	sent(1, 1)
	marked(`"*"`)
	stop()
	for range 3 { // nothing more, however often it starts
		stop = w.start(o)
		time.Sleep(60 * time.Millisecond)
		stop()
	}
	sent(1, 1)
	set(monday.Add(7*24*time.Hour + lateness + time.Minute)) // away for too long: that week is not told any more
	stop = w.start(o)
	marked("2026-11-09")
	stop()
	sent(1, 1)
	require.Empty(t, strings.Join(w.slack.got()[1:], "\n"))
}
