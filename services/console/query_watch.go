package console

import "time"

// BesideRow is a row of KPI 3, 4 or 5: the columns that all have.
type BesideRow struct {
	KPI         string   `ch:"kpi"`
	Tenant      string   `ch:"tenant"`
	Integration string   `ch:"integration"`
	Value       *float64 `ch:"value"`
	Numerator   float64  `ch:"numerator"`
	Denominator float64  `ch:"denominator"`
	Target      float64  `ch:"target"`
	Status      string   `ch:"status"`
	Severity    string   `ch:"severity"`
	Reason      string   `ch:"reason"`
	Detail      string   `ch:"detail"`
	AtLeast     bool     `ch:"at_least"`
}

// The drift rate is a monthly figure whatever window the page shows.
const besideSQL = `
SELECT 'mttr' AS kpi, tenant, integration, toNullable(toFloat64(value)) AS value, toFloat64(numerator) AS numerator,
	toFloat64(denominator) AS denominator, toFloat64(target) AS target, status, severity, reason, detail, toBool(at_least) AS at_least
FROM kpi_mttr_at(from = ?, to = ?) WHERE object = ''
UNION ALL
SELECT 'drift', tenant, integration, toNullable(toFloat64(value)), toFloat64(numerator), toFloat64(denominator), toFloat64(target),
	status, severity, reason, detail, false FROM kpi_drift_rate_at(from = ?, to = ?) WHERE object = ''
UNION ALL
SELECT 'coverage', tenant, integration, toNullable(toFloat64(value)), toFloat64(numerator), toFloat64(denominator), toFloat64(target),
	status, severity, reason, detail, false FROM kpi_reconciliation_coverage_at(from = ?, to = ?) WHERE object = ''`

// IncidentRow is an incident that is not over.
type IncidentRow struct {
	ID             string    `ch:"incident_id"`
	Integration    string    `ch:"integration"`
	State          string    `ch:"state"`
	Priority       string    `ch:"priority"`
	Class          string    `ch:"class"`
	Attribution    string    `ch:"attribution"`
	Confidence     float64   `ch:"confidence"`
	Title          string    `ch:"title"`
	FirstStep      string    `ch:"first_step"`
	DetectedAt     time.Time `ch:"detected_at"`
	AcknowledgedBy string    `ch:"acknowledged_by"`
	Affected       int64     `ch:"affected"`
	Open           int64     `ch:"open"`
}

const incidentsSQL = `SELECT incident_id, integration, state, priority, class, attribution, confidence, title, first_step, detected_at,
	acknowledged_by, affected, open
FROM incidents WHERE state != 'resolved' ORDER BY priority, detected_at LIMIT 50`

// MachineRow is an agent that is stopped, or a credential that is used as it
// never was.
type MachineRow struct {
	Kind   string    `ch:"kind"` // agent, automation or token
	Name   string    `ch:"name"`
	Rule   string    `ch:"rule"`
	Reason string    `ch:"reason"`
	Since  time.Time `ch:"since"`
}

const machinesSQL = `
SELECT * FROM
(
	SELECT toString(kind) AS kind, agent AS name, toString(rule) AS rule, reason, since FROM agent_states WHERE state = 'tripped'
	UNION ALL
	SELECT 'token' AS kind, if(token = '', toString(system), concat(toString(system), '/', toString(token))) AS name,
		argMax(detail['findings'], received_at) AS rule, argMax(summary, received_at) AS reason, min(started_at) AS since
	FROM signals AS s WHERE s.kind = 'token_anomaly' AND s.started_at >= ? GROUP BY s.system, s.token
) ORDER BY since DESC LIMIT 50`

// DifferenceRow is a field, or a record, that differs for good.
type DifferenceRow struct {
	Integration string    `ch:"integration"`
	Object      string    `ch:"object"`
	RecordKey   string    `ch:"record_key"`
	Field       string    `ch:"field"`
	Kind        string    `ch:"kind"`
	Difference  string    `ch:"difference"`
	Source      string    `ch:"source_value"`
	Target      string    `ch:"target_value"`
	Writer      string    `ch:"target_writer"`
	ConfirmedAt time.Time `ch:"confirmed_at"`
	All         uint64    `ch:"all"`
}

const differencesSQL = `SELECT integration, object, record_key, field, kind, difference, source_value, target_value, target_writer,
	assumeNotNull(confirmed_at) AS confirmed_at, count() OVER () AS all
FROM divergences WHERE state = 'confirmed' AND isNotNull(confirmed_at) ORDER BY confirmed_at DESC LIMIT 6`
