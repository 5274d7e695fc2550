-- title: What came in
-- about: Each door's traffic in the last 24 hours.
-- empty: Nothing came in for 24 hours.
-- filter: tenant
-- filter: integration
-- column: integration | text | Integration | /integration?integration={integration}
-- column: kind | word | What
-- column: system | text | System
-- column: door | text | Through
-- column: newest | time | Last
-- column: minutes | count | Last 5 min
-- column: day | count | Last 24 h
-- column: side | word |
-- column: tenant | text |
SELECT *
FROM
(
    SELECT tenant, integration, 'changes' AS kind, toString(side) AS side, toString(system) AS system, toString(hook) AS door, max(received_at) AS newest,
        countIf(received_at > {now} - 300) AS minutes, count() AS day
    FROM changes_raw WHERE received_at > {now} - 86400 GROUP BY tenant, integration, kind, side, system, door
    UNION ALL
    SELECT tenant, integration, 'attempts', '' AS side, toString(system) AS system, toString(sender) AS door, max(received_at),
        countIf(received_at > {now} - 300), count()
    FROM attempts_raw WHERE received_at > {now} - 86400 GROUP BY tenant, integration, system, door
    UNION ALL
    SELECT tenant, integration, 'observations', toString(side) AS side, toString(system) AS system, toString(found_by) AS door, max(received_at),
        countIf(received_at > {now} - 300), count()
    FROM observations_raw WHERE received_at > {now} - 86400 GROUP BY tenant, integration, side, system, door
)
WHERE {where}
ORDER BY tenant, integration, kind, side, system, door
LIMIT {limit}
