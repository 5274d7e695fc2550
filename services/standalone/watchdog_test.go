package standalone

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"plumbline.dev/schemas/config"
	"plumbline.dev/services/internal/pace"
	"plumbline.dev/services/notify"
	"plumbline.dev/services/notify/kit"
)

// hurried is half a minute a second, from an hour ago on: who compares it with the
// wall never sees what is to come.
type hurried struct{ from, wall time.Time }

const haste = 30

func (h hurried) Now() time.Time { return h.from.Add(haste * time.Since(h.wall)) }

func (h hurried) Wall(d time.Duration) time.Duration { return d / haste }

func (h hurried) Sleep(ctx context.Context, d time.Duration) error {
	return pace.Real.Sleep(ctx, h.Wall(d))
}

// TestStoppedMonitorIsNoticed stops the process role for real: whoever notifies
// knows it by the sign of life that no longer comes, says so, and takes it back
// when the role is there again.
func TestStoppedMonitorIsNoticed(t *testing.T) {
	clock := hurried{time.Now().Add(-time.Hour), time.Now()}
	cfg, data := testConfig(t), t.TempDir()
	stores, _ := startApp(t, Options{Config: cfg, Data: data, Roles: []Role{Kafka}, Migrate: true, Pace: clock})
	cfg.Listen.Kafka = stores.Addrs.Kafka
	monitor := func() *App {
		a, _ := startApp(t, Options{Config: cfg, Data: data, Roles: []Role{Process}, AdminAddr: "127.0.0.1:0", Pace: clock})
		return a
	}
	watching := monitor()
	last, heard := tell(t, stores.Addrs.Kafka, clock)
	require.Eventually(t, heard, time.Minute, 50*time.Millisecond, "a sign of life")
	says := func(what string) {
		t.Helper()
		require.Eventually(t, func() bool { return strings.Contains(last(), what) }, time.Minute, 50*time.Millisecond, what)
	}
	require.NoError(t, watching.Stop())
	says("Plumbline itself is silent")
	monitor()
	says("Plumbline watches again")
}

// tell runs a notifier, and returns what it said last and whether it has heard
// a sign of life.
func tell(t *testing.T, broker string, clock hurried) (last func() string, heard func() bool) {
	var mu sync.Mutex
	var said string
	chat := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		said = string(text)
		_, _ = io.WriteString(w, "ok")
	}))
	t.Cleanup(chat.Close)
	n := config.Notify{Slack: config.Secret(chat.URL), AllowPrivate: true}
	text, err := notify.Render(n, nil, func(s config.Secret) ([]byte, error) { return []byte(s), nil })
	require.NoError(t, err)
	text = strings.NewReplacer("group_wait: 10s", "group_wait: 300ms", "group_interval: 2m", "group_interval: 200ms").Replace(text)
	file := filepath.Join(t.TempDir(), "alertmanager.yml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	reg := prometheus.NewRegistry()
	who, err := notify.New(notify.Options{
		Source: kit.Source{Brokers: []string{broker}}, Data: t.TempDir(), Every: 200 * time.Millisecond, File: file,
		Config: config.Notify{AllowPrivate: true}, Now: clock.Now, Registerer: reg,
	})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- who.Run(ctx) }()
	t.Cleanup(func() { cancel(); require.NoError(t, <-done) })
	heard = func() bool {
		families, err := reg.Gather()
		require.NoError(t, err)
		for _, f := range families {
			if f.GetName() == "plumbline_notify_unreadable_total" { // markers of transactions are none
				require.Zero(t, f.GetMetric()[0].GetCounter().GetValue())
			}
			if f.GetName() == "plumbline_notify_watchdog_age_seconds" {
				for _, m := range f.GetMetric() {
					if m.GetLabel()[0].GetValue() != "" {
						return true
					}
				}
			}
		}
		return false
	}
	return func() string { mu.Lock(); defer mu.Unlock(); return said }, heard
}
