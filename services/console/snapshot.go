package console

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"plumbline.dev/services/internal/warehouse"
)

// What a page's queries may cost together; each has these limits of its own.
var readLimits = warehouse.Limits{Time: 20 * time.Second, Rows: 20_000, Memory: 2 << 30}

const parallelReads = 3

// Snapshot is all that a page shows of one window, read at one time.
type Snapshot struct {
	Window   Window
	At       time.Time // when it was read
	From, To time.Time
	Success  []SuccessRow
	Latency  []LatencyRow
	Trend    []TrendRow  // both KPIs over time, and the median
	Seen     []HoursRow  // hours a baseline has, where one is still learnt
	States   []StateRow  // deliveries due in the window
	Silent   []Delivery  // the newest of the silent failures
	Classes  []ClassRow  // failures by class
	Recent   []Failure   // the newest failures
	Sources  []SourceRow // what came in
	Any      []AnyRow

	Beside      []BesideRow // KPI 3 to 5
	Incidents   []IncidentRow
	Machines    []MachineRow
	Differences []DifferenceRow
	Signals     []SignalRow // what may explain it, newest first
	Gaps        []GapRow    // what was not compared in time
	Linking     []LinkRow   // by the last comparison
	Impact      []ImpactRow // what differs, in money
}

// HasData says whether anything was ever stored: an install without it is
// shown what to set up, not zeros.
func (s *Snapshot) HasData() bool { return len(s.Any) > 0 && s.Any[0].N > 0 }

// AnyRow counts to three at most.
type AnyRow struct {
	N uint64 `ch:"n"`
}

const anySQL = `SELECT count() AS n FROM (
	SELECT 1 FROM changes_raw LIMIT 1 UNION ALL SELECT 1 FROM attempts_raw LIMIT 1 UNION ALL SELECT 1 FROM deliveries_raw LIMIT 1)`

// loader reads snapshots of what some tenants hold.
type loader struct {
	db     Warehouse
	limits warehouse.Limits
}

// load reads the snapshot of a window.
func (l *loader) load(ctx context.Context, w Window, now time.Time) (*Snapshot, error) {
	s := &Snapshot{Window: w, At: now.UTC()}
	s.From, s.To = w.Bounds(now)
	from, to := sqlTime(s.From), sqlTime(s.To)
	g, group := errgroup.WithContext(ctx)
	g.SetLimit(parallelReads)
	read := func(what string, dest any, sql string, args ...any) {
		g.Go(func() error {
			if err := l.db.Read(group, l.limits, dest, sql, args...); err != nil {
				return fmt.Errorf("read %s: %w", what, err)
			}
			return nil
		})
	}
	read("sync success", &s.Success, successSQL, from, to)
	read("sync latency", &s.Latency, latencySQL, from, to)
	read("success over time", &s.Trend, successTrendSQL, from, to, w.bucketSeconds())
	var latency []TrendRow
	read("latency over time", &latency, latencyTrendSQL, from, to, w.bucketSeconds())
	read("delivery states", &s.States, statesSQL, from, to, from, to)
	read("silent failures", &s.Silent, silentSQL, from, to, from, to, silentShown)
	read("failures by class", &s.Classes, classesSQL, from, to)
	read("recent failures", &s.Recent, failuresSQL+recentWhere, from, sqlTime(now), recentShown)
	read("tables", &s.Any, anySQL)
	read("sources", &s.Sources, sourcesSQL(sqlTime(now)))
	old := sqlTime(s.To.Add(-month))
	read("the other KPIs", &s.Beside, besideSQL, from, to, old, to, from, to)
	read("incidents", &s.Incidents, incidentsSQL)
	read("agents and tokens", &s.Machines, machinesSQL, from)
	read("divergences", &s.Differences, differencesSQL)
	read("signals", &s.Signals, signalsSQL, from, old, sqlTime(now))
	read("coverage gaps", &s.Gaps, gapsSQL, to)
	read("linking", &s.Linking, linkingSQL)
	read("impact", &s.Impact, impactSQL)
	if err := g.Wait(); err != nil {
		return nil, err
	}
	s.Trend = append(s.Trend, latency...)
	return s, l.learnt(ctx, s, from, to)
}

// learnt looks at how far baselines have come, only where one is missing: it
// reads four weeks.
func (l *loader) learnt(ctx context.Context, s *Snapshot, from, to string) error {
	for _, r := range s.Latency {
		if r.Reason == "learning" {
			if err := l.db.Read(ctx, l.limits, &s.Seen, hoursSQL, from, to); err != nil {
				return fmt.Errorf("read baselines: %w", err)
			}
			return nil
		}
	}
	return nil
}

func (w Window) bucketSeconds() int { return int(w.Bucket / time.Second) }
