package notify

import (
	"cmp"
	"context"
	"slices"
	"time"

	"plumbline.dev/services/internal/warehouse"
)

const weekSpan = 7 * 24 * time.Hour

// week is what a digest is written from.
type week struct {
	tenant   string
	from, to time.Time
	kpis     []kpiRow // of this week, then of the week before
	silent   []silentRow
	open     []openRow
	causes   []causeRow
	surface  []surfaceRow
	due      []dueRow
	money    []moneyRow
}

// kpiRow is one KPI of one integration in one week.
type kpiRow struct {
	Integration string   `ch:"integration"`
	KPI         string   `ch:"kpi"`
	Before      bool     `ch:"before"`
	Value       *float64 `ch:"value"`
	Status      string   `ch:"status"`
	Reason      string   `ch:"reason"`
	AtLeast     bool     `ch:"at_least"`
	Fresh       uint64   `ch:"fresh"` // acknowledged and never taken, of the changes due in the week
}

type silentRow struct {
	Integration string `ch:"integration"`
	Object      string `ch:"object"`
	N           uint64 `ch:"n"`
}

type openRow struct {
	Integration string    `ch:"integration"`
	Priority    string    `ch:"priority"`
	Title       string    `ch:"title"`
	Since       time.Time `ch:"detected_at"`
	Taken       string    `ch:"acknowledged_by"`
}

type causeRow struct {
	Integration string `ch:"integration"`
	Cause       string `ch:"cause"`
	N           uint64 `ch:"n"`
}

// moneyRow is what records of an object that differ are worth.
type moneyRow struct {
	Integration string `ch:"integration"`
	Sentence    string `ch:"sentence"`
}

type surfaceRow struct {
	Integration string   `ch:"integration"`
	System      string   `ch:"system"`
	Fields      uint64   `ch:"shared_fields"`
	With        []string `ch:"shared_with"`
}

type dueRow struct {
	Every string `ch:"every"`
	Title string `ch:"title"`
	State string `ch:"state"`
	Found string `ch:"finding"`
}

// The five KPIs of a week, by the views' own words. Drift is judged over a month.
const kpiSQL = `
SELECT integration, 'success' AS kpi, ? AS before, toNullable(toFloat64(value)) AS value, status, reason, false AS at_least, toUInt64(silent_failures) AS fresh
FROM kpi_sync_success_rate_at(from = ?, to = ?) WHERE object = '' AND series = ''
UNION ALL
SELECT integration, 'latency', ?, toNullable(toFloat64(value)), status, reason, toBool(at_least), toUInt64(0)
FROM kpi_sync_latency_at(from = ?, to = ?) WHERE object = '' AND series = ''
UNION ALL
SELECT integration, 'mttr', ?, toNullable(toFloat64(total_or_value)), status, reason, toBool(at_least), toUInt64(0)
FROM (SELECT *, if(denominator > 0, numerator / denominator, NULL) AS total_or_value FROM kpi_mttr_at(from = ?, to = ?)) WHERE object = ''
UNION ALL
SELECT integration, 'drift', ?, toNullable(toFloat64(value)), status, reason, false, toUInt64(0)
FROM kpi_drift_rate_at(from = ?, to = ?) WHERE object = ''
UNION ALL
SELECT integration, 'coverage', ?, toNullable(toFloat64(value)), status, reason, false, toUInt64(0)
FROM kpi_reconciliation_coverage_at(from = ?, to = ?) WHERE object = ''`

const (
	silentSQL = `SELECT integration, object, uniqExact(record_key) AS n FROM silent_failures GROUP BY integration, object ORDER BY n DESC LIMIT 8`
	openSQL   = `SELECT integration, priority, title, detected_at, acknowledged_by FROM incidents WHERE state != 'resolved'
ORDER BY priority, detected_at LIMIT 50`
	causesSQL = `SELECT integration, cause, toUInt64(sum(records)) AS n FROM drift_causes WHERE cause_kind != 'pre_existing'
GROUP BY integration, cause ORDER BY n DESC LIMIT 3`
	moneySQL   = `SELECT integration, sentence FROM impact WHERE records > 0 ORDER BY amount DESC, integration, object, currency LIMIT 4`
	surfaceSQL = `SELECT integration, toString(system) AS system, shared_fields, shared_with FROM integration_surface WHERE shared_fields > 0
ORDER BY shared_fields DESC LIMIT 3`
	dueSQL = `SELECT every, any(c.title) AS title, any(c.state) AS state, any(ifNull(c.finding, '')) AS finding FROM checklists AS c
WHERE every != 'daily' AND c.state IN ('due', 'attention') GROUP BY every, item ORDER BY indexOf(['weekly', 'monthly', 'quarterly'], every), item LIMIT 30`
)

// week reads one tenant's week.
func (d *Digest) week(ctx context.Context, tenant string, slot time.Time) (*week, error) {
	w := &week{tenant: tenant, from: slot.Add(-weekSpan), to: slot}
	limits := warehouse.Limits{Time: 30 * time.Second, Rows: 5000, Memory: 2 << 30, Tenants: []string{tenant}}
	for _, before := range []bool{false, true} {
		to := w.to
		if before {
			to = w.from
		}
		var args []any
		for _, span := range []time.Duration{weekSpan, weekSpan, weekSpan, month, weekSpan} {
			args = append(args, before, stamp(to.Add(-span)), stamp(to))
		}
		var rows []kpiRow
		if err := d.Read(ctx, limits, &rows, kpiSQL, args...); err != nil {
			return nil, err
		}
		w.kpis = append(w.kpis, rows...)
	}
	for _, q := range []struct {
		dest any
		sql  string
	}{{&w.silent, silentSQL}, {&w.open, openSQL}, {&w.causes, causesSQL}, {&w.surface, surfaceSQL}, {&w.money, moneySQL}, {&w.due, dueSQL}} {
		if err := d.Read(ctx, limits, q.dest, q.sql); err != nil {
			return nil, err
		}
	}
	return w, nil
}

const month = 30 * 24 * time.Hour

// stamp is a time as the views take it, on the whole minute that they count by.
func stamp(t time.Time) string {
	return t.UTC().Truncate(time.Minute).Format("2006-01-02 15:04:05.000")
}

// integrations, the worst first: by what is breached, then by what is silent.
func (w *week) integrations() []string {
	bad := map[string]int{}
	for _, k := range w.kpis {
		if !k.Before {
			bad[k.Integration] += badness[k.Status]*1_000_000 + int(min(k.Fresh, 999_999))
		}
	}
	list := make([]string, 0, len(bad))
	for id := range bad {
		list = append(list, id)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(bad[b], bad[a]), cmp.Compare(a, b)) })
	return list
}

var badness = map[string]int{"breach": 3, "warning": 2, "unknown": 1}
