package console

import "time"

// What a page shows of long lists; the API gives more.
const (
	silentShown = 12
	recentShown = 10
)

// Delivery is a delivery as the page and the API show it.
type Delivery struct {
	DeliveryID     string     `ch:"delivery_id" json:"delivery_id"`
	Tenant         string     `ch:"tenant" json:"tenant"`
	Integration    string     `ch:"integration" json:"integration"`
	Object         string     `ch:"object" json:"object"`
	RecordKey      string     `ch:"record_key" json:"record_key"`
	SourceID       string     `ch:"source_id" json:"source_id"`
	TargetID       string     `ch:"target_id" json:"target_id"`
	State          string     `ch:"state" json:"state"`
	ChangedAt      time.Time  `ch:"changed_at" json:"changed_at"`
	ReceivedAt     time.Time  `ch:"received_at" json:"received_at"`
	DueAt          *time.Time `ch:"due_at" json:"due_at"`
	FirstAttemptAt *time.Time `ch:"first_attempt_at" json:"first_attempt_at"`
	AcknowledgedAt *time.Time `ch:"acknowledged_at" json:"acknowledged_at"`
	AppliedAt      *time.Time `ch:"applied_at" json:"applied_at"`
	LatencyMS      *int64     `ch:"latency_ms" json:"latency_ms"`
	LatencyBasis   string     `ch:"latency_basis" json:"latency_basis"`
	Attempts       uint32     `ch:"attempts" json:"attempts"`
	Late           bool       `ch:"late" json:"late"`
	Coerced        bool       `ch:"coerced" json:"coerced"`
	UpdatedAt      time.Time  `ch:"updated_at" json:"updated_at"`
}

const deliveryColumns = `SELECT delivery_id, tenant, integration, object, record_key, source_id, target_id, state, changed_at,
	received_at, due_at, first_attempt_at, acknowledged_at, applied_at, latency_ms, latency_basis, attempts, late, coerced,
	updated_at`

// The list behind the number: the same condition as in the view. Which deliveries it may
// be about is read first, and of those the newest version: FINAL would merge all there are.
const silentSQL = deliveryColumns + `
FROM
(
	SELECT * FROM deliveries_raw
	WHERE (tenant, integration, delivery_id) IN (SELECT tenant, integration, delivery_id FROM deliveries_raw
		WHERE state = 'not_applied' AND ` + dueWhere + `)
	ORDER BY _rank DESC LIMIT 1 BY tenant, integration, delivery_id
)
WHERE state = 'not_applied' AND ` + dueWhere + `
ORDER BY updated_at DESC, delivery_id LIMIT ?`

const dueWhere = `series = '' AND due_at >= toDateTime64(?, 3, 'UTC') AND due_at < toDateTime64(?, 3, 'UTC')`

// StateRow counts the deliveries of one state that were due.
type StateRow struct {
	Tenant      string `ch:"tenant"`
	Integration string `ch:"integration"`
	State       string `ch:"state"`
	N           uint64 `ch:"n"`
}

// They are summed up already: whole hours, and by the minute the ends of the window.
const statesSQL = `SELECT tenant, integration, splitByChar('/', name)[2] AS state, toUInt64(greatest(sum(c), 0)) AS n
FROM
(
	WITH toDateTime64(?, 3, 'UTC') AS start, toDateTime64(?, 3, 'UTC') AS stop
	SELECT tenant, integration, counts FROM kpi_hours_raw
	WHERE series = '' AND hour >= toStartOfHour(start + 3599, 'UTC') AND hour < toStartOfHour(stop - 3600, 'UTC') LIMIT 1 BY addition_id
	UNION ALL
	WITH toDateTime64(?, 3, 'UTC') AS start, toDateTime64(?, 3, 'UTC') AS stop
	SELECT tenant, integration, counts FROM kpi_minutes_raw
	WHERE series = '' AND minute >= start AND minute < stop
		AND (minute < toStartOfHour(start + 3599, 'UTC') OR minute >= toStartOfHour(stop - 3600, 'UTC')) LIMIT 1 BY addition_id
)
ARRAY JOIN mapKeys(counts) AS name, mapValues(counts) AS c
WHERE startsWith(name, 'deliveries/')
GROUP BY tenant, integration, state HAVING n > 0`

// Failure is a classified failure as the page and the API show it.
type Failure struct {
	FailureID      string    `ch:"failure_id" json:"failure_id"`
	Tenant         string    `ch:"tenant" json:"tenant"`
	Integration    string    `ch:"integration" json:"integration"`
	AttemptID      string    `ch:"attempt_id" json:"attempt_id"`
	DeliveryID     string    `ch:"delivery_id" json:"delivery_id"`
	RecordKey      string    `ch:"record_key" json:"record_key"`
	SourceID       string    `ch:"source_id" json:"source_id"`
	TargetID       string    `ch:"target_id" json:"target_id"`
	Provider       string    `ch:"provider" json:"provider"`
	Object         string    `ch:"object" json:"object"`
	Operation      string    `ch:"operation" json:"operation"`
	OccurredAt     time.Time `ch:"occurred_at" json:"occurred_at"`
	Origin         string    `ch:"origin" json:"origin"`
	Class          string    `ch:"class" json:"class"`
	Recoverability string    `ch:"recoverability" json:"recoverability"`
	Attribution    string    `ch:"attribution" json:"attribution"`
	Confidence     float64   `ch:"confidence" json:"confidence"`
	Rule           string    `ch:"rule" json:"rule"`
	Evidence       string    `ch:"evidence" json:"evidence"`
	FirstStep      string    `ch:"first_step" json:"first_step"`
	LikelyCause    string    `ch:"likely_cause" json:"likely_cause"`
	Fingerprint    string    `ch:"fingerprint" json:"fingerprint"`
	Collateral     bool      `ch:"collateral" json:"collateral"`
	Status         uint16    `ch:"status" json:"status"`
	Code           string    `ch:"code" json:"code"`
	Message        string    `ch:"message" json:"message"`
}

const failuresSQL = `SELECT failure_id, tenant, integration, attempt_id, delivery_id, record_key, source_id, target_id, provider,
	object, operation, occurred_at, origin, class, recoverability, attribution, confidence, rule, evidence, first_step,
	likely_cause, fingerprint, collateral, status, code, message
FROM failures `

const recentWhere = `WHERE occurred_at >= toDateTime64(?, 3, 'UTC') AND occurred_at <= toDateTime64(?, 3, 'UTC') AND NOT collateral
ORDER BY occurred_at DESC, failure_id LIMIT ?`

// ClassRow is one class of failure in the window.
type ClassRow struct {
	Class        string    `ch:"class"`
	N            uint64    `ch:"n"`
	Records      uint64    `ch:"records"`
	Permanent    uint64    `ch:"permanent"`
	Inferred     uint64    `ch:"inferred"`
	Blame        string    `ch:"blame"` // the attribution of most of them
	FirstStep    string    `ch:"first_step"`
	Steps        uint64    `ch:"steps"` // different first steps
	Integrations []string  `ch:"integrations"`
	Latest       time.Time `ch:"latest"`
}

// The step shown is that of most failures of the class.
const classesSQL = `SELECT class, sum(c) AS n, uniqExactMerge(rec) AS records, sum(perm) AS permanent, sum(guessed) AS inferred,
	argMax(attribution, c) AS blame, argMax(step, c) AS first_step, uniqExact(step) AS steps,
	arraySort(groupUniqArrayArray(5)(where)) AS integrations, max(newest) AS latest
FROM
(
	SELECT class, first_step AS step, attribution, count() AS c,
		uniqExactState(if(record_key != '', record_key, failure_id)) AS rec, countIf(recoverability = 'permanent') AS perm,
		countIf(origin = 'inferred') AS guessed, groupUniqArray(5)(integration) AS where, max(occurred_at) AS newest
	FROM failures
	WHERE occurred_at >= toDateTime64(?, 3, 'UTC') AND occurred_at < toDateTime64(?, 3, 'UTC') AND NOT collateral
	GROUP BY class, step, attribution
)
GROUP BY class ORDER BY n DESC, class`
