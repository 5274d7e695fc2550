package console

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

const (
	gaugesAge = time.Minute // KPIs are counted by the minute
	// Longer than a scrape waits, usually 10 s: what was read too late for one is there for the next.
	gaugesTimeout = 30 * time.Second
)

// gauges are the five KPIs as the views say them, read when somebody scrapes.
// What is not known has no value: only its state, which says why.
type gauges struct {
	db  Warehouse
	now func() time.Time
	log *zap.Logger

	mu   sync.Mutex
	at   time.Time // of the last reading, good or not
	ok   bool
	rows []gaugeRow
}

// gaugeRow is one KPI of one integration, all objects together.
type gaugeRow struct {
	KPI         string   `ch:"kpi"`
	Window      string   `ch:"window"`
	Tenant      string   `ch:"tenant"`
	Integration string   `ch:"integration"`
	Value       *float64 `ch:"value"`
	Numerator   float64  `ch:"numerator"`
	Denominator float64  `ch:"denominator"`
	Target      float64  `ch:"target"`
	Status      string   `ch:"status"`
	Reason      string   `ch:"reason"`
	Fired       bool     `ch:"fired"`
	Silent      float64  `ch:"silent"`
}

// Latencies and repairs are told in seconds, as Prometheus has them.
const gaugesSQL = `
SELECT 'success' AS kpi, '24h' AS window, tenant, integration, toNullable(toFloat64(value)) AS value, toFloat64(numerator) AS numerator,
	toFloat64(denominator) AS denominator, toFloat64(target) AS target, status, reason, toBool(coalesce(warning_fired, 0)) AS fired,
	toFloat64(silent_failures) AS silent
FROM kpi_sync_success_rate_at(from = ?, to = ?) WHERE object = '' AND series = ''
UNION ALL
SELECT 'latency', '24h', tenant, integration, toNullable(value / 1000), toFloat64(numerator), toFloat64(denominator), target / 1000,
	status, reason, toBool(coalesce(warning_fired, 0)), 0
FROM kpi_sync_latency_at(from = ?, to = ?) WHERE object = '' AND series = ''
UNION ALL
SELECT 'mttr', '30d', tenant, integration, toNullable(if(denominator > 0, numerator / denominator / 1000, NULL)), numerator / 1000,
	toFloat64(denominator), target / 1000, status, reason, toBool(coalesce(warning_fired, 0)), 0
FROM kpi_mttr_at(from = ?, to = ?) WHERE object = ''
UNION ALL
SELECT 'drift', '30d', tenant, integration, toNullable(toFloat64(value)), toFloat64(numerator), toFloat64(denominator), toFloat64(target),
	status, reason, toBool(coalesce(warning_fired, 0)), 0
FROM kpi_drift_rate_at(from = ?, to = ?) WHERE object = ''
UNION ALL
SELECT 'coverage', '24h', tenant, integration, toNullable(toFloat64(value)), toFloat64(numerator), toFloat64(denominator), toFloat64(target),
	status, reason, toBool(coalesce(warning_fired, 0)), 0
FROM kpi_reconciliation_coverage_at(from = ?, to = ?) WHERE object = ''`

var kpiLabels = []string{"kpi", "window", "tenant", "integration"}

func kpiDesc(name, help string, more ...string) *prometheus.Desc {
	return prometheus.NewDesc("plumbline_kpi_"+name, help, append(append([]string{}, kpiLabels...), more...), nil)
}

var (
	kpiValue       = kpiDesc("value", "A KPI as its view says: a ratio, or seconds for latency and mttr. Absent while it is not known.")
	kpiTarget      = kpiDesc("target", "What the KPI has to reach.")
	kpiNumerator   = kpiDesc("numerator", "What the value is made of.")
	kpiDenominator = kpiDesc("denominator", "What the value is made of.")
	kpiState       = kpiDesc("state", "1 for the state that a KPI is in: ok, warning, breach, or unknown with its reason.", "state", "reason")
	kpiWarning     = kpiDesc("warning", "1 while the KPI's warning signal fires.")
	kpiSilent      = prometheus.NewDesc("plumbline_kpi_silent_failures",
		"Changes of 24 h that were acknowledged and never taken.", []string{"tenant", "integration"}, nil)
	kpiUp = prometheus.NewDesc("plumbline_kpi_up", "1 if the KPIs could be read from ClickHouse.", nil, nil)
)

// Describe implements prometheus.Collector.
func (*gauges) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{kpiValue, kpiTarget, kpiNumerator, kpiDenominator, kpiState, kpiWarning, kpiSilent, kpiUp} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(out chan<- prometheus.Metric) {
	rows, ok := g.read()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	gauge(kpiUp, bit(ok))
	for i := range rows {
		r := &rows[i]
		of := []string{r.KPI, r.Window, r.Tenant, r.Integration}
		gauge(kpiState, 1, append(of[:4:4], r.Status, r.Reason)...)
		gauge(kpiTarget, r.Target, of...)
		if r.KPI == "success" {
			gauge(kpiSilent, r.Silent, r.Tenant, r.Integration)
		}
		gauge(kpiNumerator, r.Numerator, of...)
		gauge(kpiDenominator, r.Denominator, of...)
		if r.Status == "unknown" || r.Value == nil {
			continue
		}
		gauge(kpiValue, *r.Value, of...)
		gauge(kpiWarning, bit(r.Fired), of...)
	}
}

// read is what was read in the last minute. What cannot be read is not there:
// a number of an hour ago would look like one of now.
func (g *gauges) read() ([]gaugeRow, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now().UTC()
	if !g.at.IsZero() && now.Sub(g.at) < gaugesAge && now.Truncate(time.Minute).Equal(g.at.Truncate(time.Minute)) {
		return g.rows, g.ok
	}
	to := now.Truncate(time.Minute)
	day, old, end := sqlTime(to.Add(-24*time.Hour)), sqlTime(to.Add(-month)), sqlTime(to)
	ctx, cancel := context.WithTimeout(context.Background(), gaugesTimeout)
	defer cancel()
	var rows []gaugeRow
	err := g.db.Read(ctx, readLimits, &rows, gaugesSQL, day, end, day, end, old, end, old, end, day, end)
	if err != nil {
		g.log.Warn("KPIs cannot be read for /metrics", zap.Error(err))
	}
	g.at, g.rows, g.ok = now, rows, err == nil
	return g.rows, g.ok
}

func bit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
