package console_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"plumbline.dev/services/console"
	"plumbline.dev/services/internal/warehouse"
	"plumbline.dev/services/internal/warehouse/warehousetest"
)

// clock is set by hand.
type clock struct{ at atomic.Pointer[time.Time] }

func newClock(t time.Time) *clock {
	c := &clock{}
	c.set(t)
	return c
}

func (c *clock) set(t time.Time)     { c.at.Store(&t) }
func (c *clock) now() time.Time      { return *c.at.Load() }
func (c *clock) add(d time.Duration) { c.set(c.now().Add(d)) }

// switched is a warehouse that can be taken away, or held up.
type switched struct {
	console.Warehouse
	away  atomic.Bool
	reads atomic.Int64
	hold  chan struct{} // not nil: reads wait for it
}

var errAway = errors.New("dial tcp: connection refused")

func (s *switched) Read(ctx context.Context, l warehouse.Limits, dest any, sql string, args ...any) error {
	s.reads.Add(1)
	if s.hold != nil {
		select {
		case <-s.hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if s.away.Load() {
		return errAway
	}
	return s.Warehouse.Read(ctx, l, dest, sql, args...)
}

func (s *switched) Table(ctx context.Context, l warehouse.Limits, sql string) ([]string, [][]any, error) {
	if s.away.Load() {
		return nil, nil, errAway
	}
	return s.Warehouse.Table(ctx, l, sql)
}

func (s *switched) Ping(ctx context.Context) error {
	if s.away.Load() {
		return errAway
	}
	return s.Warehouse.Ping(ctx)
}

// The engine goes away under an open page: the last good numbers stay, named
// as old, until it is back.
func TestEngineGoesAndComesBack(t *testing.T) {
	w := believable(t)
	db, c := &switched{Warehouse: w.db}, newClock(now)
	base := start(t, console.Options{Warehouse: db, Integrations: w.list, Now: c.now})
	require.Empty(t, pageOf(t, base).all("#trouble"))

	db.away.Store(true)
	c.add(4 * time.Minute)
	p := eventually(t, base, func(p node) bool { return len(p.all("#trouble")) > 0 })
	trouble := p.one("#trouble")
	require.Equal(t, "alert", attribute(trouble.Node, "role"))
	require.Contains(t, trouble.text(), "ClickHouse does not answer The numbers below are those of 12:00:30 UTC (4 min ago).")
	require.Equal(t, "7", p.one("#silent").one(".big").text())
	require.Equal(t, "96.08 %", p.one("#i-default-hubspot-salesforce-success").one(".value").text())
	require.Contains(t, p.one("#checks").text(), "ClickHouse needs attention: does not answer")
	require.Equal(t, "yes", attribute(p.one("#live").Node, "data-trouble"))
	require.Equal(t, "240000", attribute(p.one("#live").Node, "data-age"))

	kpis := getJSON(t, base+"/api/v1/kpis", http.StatusOK)
	require.Equal(t, true, kpis["stale"])
	require.Equal(t, "ClickHouse does not answer", kpis["error"])
	require.Equal(t, "2026-11-01T12:00:30Z", kpis["read_at"])
	require.Contains(t, getJSON(t, base+"/api/v1/failures", http.StatusServiceUnavailable)["error"], "ClickHouse does not answer")
	require.Equal(t, "degraded", getJSON(t, base+"/api/v1/health", http.StatusOK)["status"])
	code, _, _ := get(t, base+"/readyz")
	require.Equal(t, http.StatusServiceUnavailable, code)

	db.away.Store(false)
	c.add(4 * time.Minute)
	p = eventually(t, base, func(p node) bool { return len(p.all("#trouble")) == 0 })
	require.Equal(t, "0", attribute(p.one("#live").Node, "data-age"))
	require.Equal(t, false, getJSON(t, base+"/api/v1/kpis", http.StatusOK)["stale"])
}

// Nothing was ever read: the page is there and says so. This one really dials.
func TestEngineWasNeverThere(t *testing.T) {
	base := start(t, console.Options{Warehouse: warehousetest.Open(t, "127.0.0.1:1", "plumbline")})
	p := pageOf(t, base)
	require.Equal(t, "No numbers yet", p.one("h1").text())
	require.Contains(t, p.one("#trouble").text(), "ClickHouse does not answer Nothing could be read since this console was started. "+
		"Check that it runs and that clickhouse.dsn leads to it.")
	require.Empty(t, p.all(".value"))
	require.Contains(t, getJSON(t, base+"/api/v1/kpis", http.StatusServiceUnavailable)["error"], "does not answer")
	code, _, _ := get(t, base+"/healthz")
	require.Equal(t, http.StatusOK, code, "the console itself lives")
}

func TestTablesAreMissing(t *testing.T) {
	db := warehousetest.New(t)
	require.NoError(t, db.Exec(t.Context(), "DROP TABLE deliveries_raw"))
	p := pageOf(t, start(t, console.Options{Warehouse: db}))
	require.Contains(t, p.one("#trouble").text(), "plumbline schema apply")
}

// However many look, ClickHouse is read once; and not again before it is due.
func TestManyViewersCostOneRead(t *testing.T) {
	w := believable(t)
	db, c := &switched{Warehouse: w.db}, newClock(now)
	base := start(t, console.Options{Warehouse: db, Integrations: w.list, Now: c.now})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() { pageOf(t, base) })
	}
	all.Wait()
	one := db.reads.Load()
	require.LessOrEqual(t, one, int64(18), "what one snapshot reads")
	pageOf(t, base)
	require.Equal(t, one, db.reads.Load())
	c.add(2 * time.Minute)
	eventually(t, base, func(p node) bool { return attribute(p.one("#live").Node, "data-age") == "0" })
	require.Equal(t, 2*one, db.reads.Load())
}

// A slow engine does not hold the page up once there is something to show, and
// stopping does not wait for it.
func TestSlowEngine(t *testing.T) {
	w := believable(t)
	db, c := &switched{Warehouse: w.db}, newClock(now)
	var stopping time.Time
	t.Cleanup(func() { require.Less(t, time.Since(stopping), 30*time.Second) }) // runs after the console's own
	base := start(t, console.Options{Warehouse: db, Integrations: w.list, Now: c.now})
	t.Cleanup(func() { stopping = time.Now() })
	pageOf(t, base)
	db.hold = make(chan struct{}) // never closed: Stop must end it
	c.add(3 * time.Minute)
	began := time.Now()
	require.Equal(t, "180000", attribute(pageOf(t, base).one("#live").Node, "data-age"), "shown with its age")
	require.Less(t, time.Since(began), 30*time.Second, "the engine never answers")
}
