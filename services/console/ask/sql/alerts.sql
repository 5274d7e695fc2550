-- title: Alerts
-- about: Each alert as it now stands; what fires first.
-- empty: No alert yet.
-- filter: tenant
-- filter: integration
-- filter: rule
-- filter: severity = page ticket info
-- filter: status = firing acknowledged resolved unknown
-- column: severity | word | Severity
-- column: status | word | Status
-- column: rule | word | Rule
-- column: summary | text | In words
-- column: integration | text | Integration | /integration?integration={integration}
-- column: since | time | Since
-- column: observed_at | time | Last said
-- column: incident_id | key | Incident | /incident?incident_id={incident_id}
-- column: acknowledged_by | text | Taken by
-- column: silenced_until | time | Silent until
-- column: alert_id | key |
-- column: tenant | text |
SELECT *
FROM
(
    SELECT alert_id, tenant, integration, argMax(a.severity, seq) AS severity, argMax(a.status, seq) AS status, any(a.rule) AS rule,
        argMax(a.summary, seq) AS summary, argMax(a.since, seq) AS since, max(a.observed_at) AS observed_at, argMax(a.incident_id, seq) AS incident_id,
        argMax(a.acknowledged_by, seq) AS acknowledged_by, argMax(a.silenced_until, seq) AS silenced_until
    FROM alerts AS a
    WHERE a.rule != 'watchdog' AND a.observed_at >= {from} AND a.observed_at <= {to}
    GROUP BY alert_id, tenant, integration
)
WHERE {where}
ORDER BY status = 'resolved', transform(toString(severity), ['page', 'ticket'], [0, 1], 2), since DESC
LIMIT {limit}
