package console

import "time"

// kpiRow holds the columns that every KPI view has.
type kpiRow struct {
	Tenant       string     `ch:"tenant"`
	Integration  string     `ch:"integration"`
	Object       string     `ch:"object"`
	Series       string     `ch:"series"`
	Value        *float64   `ch:"value"`
	Unit         string     `ch:"unit"`
	Numerator    uint64     `ch:"numerator"`
	Denominator  uint64     `ch:"denominator"`
	Samples      uint64     `ch:"samples"`
	Target       float64    `ch:"target"`
	Warning      *float64   `ch:"warning"`
	TargetMet    *uint8     `ch:"target_met"`
	WarningFired *uint8     `ch:"warning_fired"`
	Status       string     `ch:"status"`
	Severity     string     `ch:"severity"`
	Reason       string     `ch:"reason"`
	Detail       string     `ch:"detail"`
	Basis        string     `ch:"basis"`
	DataThrough  *time.Time `ch:"data_through"`
}

const kpiColumns = `tenant, integration, object, series, value, unit, toUInt64(numerator) AS numerator,
	toUInt64(denominator) AS denominator, toUInt64(samples) AS samples, toFloat64(target) AS target,
	toNullable(toFloat64(warning)) AS warning, CAST(target_met AS Nullable(UInt8)) AS target_met,
	CAST(warning_fired AS Nullable(UInt8)) AS warning_fired, status, severity, reason, detail, basis,
	CAST(data_through AS Nullable(DateTime64(3, 'UTC'))) AS data_through`

// SuccessRow is a row of KPI 1 and what stands beside it.
type SuccessRow struct {
	kpiRow
	WorstDay          *float64 `ch:"worst_day"`
	RecordSuccessRate *float64 `ch:"record_success_rate"`
	FirstTryRate      *float64 `ch:"first_try_rate"`
	AttemptsPerRecord *float64 `ch:"attempts_per_record"`
	SilentFailures    uint64   `ch:"silent_failures"`
	VendorOutageShare *float64 `ch:"vendor_outage_share"`
	WaitingChanges    uint64   `ch:"waiting_changes"`
}

const successSQL = `SELECT ` + kpiColumns + `, toNullable(worst_day) AS worst_day, record_success_rate, first_try_rate,
	attempts_per_record, silent_failures, vendor_outage_share, waiting_changes
FROM kpi_sync_success_rate_at(from = ?, to = ?) ORDER BY tenant, integration, object, series`

// LatencyRow is a row of KPI 2 and what stands beside it.
type LatencyRow struct {
	kpiRow
	AtLeast       bool     `ch:"at_least"`
	StartBasis    string   `ch:"start_basis"`
	Resolution    int64    `ch:"resolution"`
	OnTimeShare   *float64 `ch:"on_time_share"`
	OldestWaiting *int64   `ch:"oldest_waiting"`
	Backlog       uint64   `ch:"backlog"`
	Baseline      *float64 `ch:"baseline"`
	Due           uint64   `ch:"due"`
}

const latencySQL = `SELECT ` + kpiColumns + `, at_least, start_basis, toInt64(resolution) AS resolution, on_time_share,
	oldest_waiting, backlog, baseline, due
FROM kpi_sync_latency_at(from = ?, to = ?) ORDER BY tenant, integration, object, series`

// TrendRow is one point of a KPI; bucket -1 is the whole window.
type TrendRow struct {
	KPI         string  `ch:"kpi"`
	Tenant      string  `ch:"tenant"`
	Integration string  `ch:"integration"`
	Basis       string  `ch:"basis"`
	Bucket      int64   `ch:"bucket"`
	Value       float64 `ch:"value"` // a rate, or p95 in ms
	P50         float64 `ch:"p50"`
	Samples     uint64  `ch:"samples"`
}

// The points are sums of the very minutes and hours that the KPI is a sum of.
const successTrendSQL = `SELECT 'sync_success_rate' AS kpi, tenant, integration, basis, bucket, ok / ended AS value, 0. AS p50,
	toUInt64(ended) AS samples
FROM kpi_success_trend_at(from = ?, to = ?, step = ?)`

const latencyTrendSQL = `SELECT 'sync_latency' AS kpi, tenant, integration, basis, toInt64(bucket) AS bucket, p95 AS value, p50,
	toUInt64(greatest(covered, 0)) AS samples
FROM kpi_latency_trend_at(from = ?, to = ?, step = ?) WHERE series = ''`

// HoursRow says how many earlier hours a baseline rests on.
type HoursRow struct {
	Tenant      string `ch:"tenant"`
	Integration string `ch:"integration"`
	Object      string `ch:"object"`
	Series      string `ch:"series"`
	Basis       string `ch:"basis"`
	Hours       uint64 `ch:"hours"`
}

const hoursSQL = `SELECT tenant, integration, object, series, basis, hours FROM kpi_latency_baseline_at(from = ?, to = ?)`
