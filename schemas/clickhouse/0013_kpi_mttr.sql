-- KPI 3, MTTR: the time until the data are right again, in milliseconds. Incidents
-- that are still open stand there with their age so far: otherwise nothing would
-- look better than never to finish.

CREATE OR REPLACE VIEW kpi_mttr_incidents_at AS
SELECT tenant, integration, object, incident_id, priority, title, detected_at, onset_at,
    isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} AS is_open,
    dateDiff('millisecond', detected_at, if(is_open, {to:DateTime64(3)}, assumeNotNull(resolved_at))) AS ms,
    dateDiff('millisecond', onset_at, detected_at) AS to_detect,
    if(isNull(acknowledged_at), NULL, dateDiff('millisecond', detected_at, assumeNotNull(acknowledged_at))) AS to_acknowledge,
    if(isNull(mitigated_at), NULL, dateDiff('millisecond', detected_at, assumeNotNull(mitigated_at))) AS to_fix,
    if(is_open OR isNull(mitigated_at), NULL, dateDiff('millisecond', assumeNotNull(mitigated_at), assumeNotNull(resolved_at))) AS to_drain,
    updated_at
FROM incidents
WHERE detected_at < {to:DateTime64(3)} AND (isNull(resolved_at) OR resolved_at >= {from:DateTime64(3)})
COMMENT 'Incidents that were over in a window, or still open at its end';

-- Fingerprints that came back although nobody wrote down what to do, as the alerts tell them.
CREATE OR REPLACE VIEW kpi_mttr_gaps_at AS
SELECT tenant, integration, count() AS gaps
FROM
(
    SELECT tenant, integration, alert_id, argMax(status, seq) AS last
    FROM alerts
    WHERE rule = 'runbook.gap' AND observed_at < {to:DateTime64(3)}
    GROUP BY tenant, integration, alert_id
)
WHERE last != 'resolved'
GROUP BY tenant, integration
COMMENT 'Recurring errors with no documented runbook';

CREATE OR REPLACE VIEW kpi_mttr_at AS
SELECT tenant, integration, object, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(n >= 5, total / n, NULL) AS value, 'ms' AS unit, total AS numerator, n AS denominator, n AS samples,
    target, toFloat64(gaps) AS warning,
    if(n > 0, NOT missed, NULL) AS target_met, if(n > 0, gaps > 0, NULL) AS warning_fired,
    multiIf(n = 0, 'unknown', missed, 'breach', gaps > 0, 'warning', 'ok') AS status,
    multiIf(n = 0, '', gaps > 0, if(priority = 'P2', 'ticket', 'page'), missed, 'ticket', '') AS severity,
    if(n = 0, 'no_data', '') AS reason,
    multiIf(n = 0, 'no incidents', n < 5, arrayStringConcat(names, '; '),
        open > 0, concat('≥ ', toString(round(total / n / 3600000, 1)), ' h, ', toString(open), ' open'), '') AS detail,
    open > 0 AS at_least, open, oldest_open, resolved_only, median, p1, p2, detect, acknowledge, fix, drain,
    if(n > 0, seen, NULL) AS data_through
FROM
(
    SELECT k.tenant AS tenant, k.integration AS integration, k.object AS object, any(s.priority) AS priority, any(g.gaps) AS gaps,
        countIf(i.incident_id != '') AS n, sumIf(i.ms, i.incident_id != '') AS total, countIf(i.incident_id != '' AND i.is_open) AS open,
        maxOrNullIf(i.ms, i.incident_id != '' AND i.is_open) AS oldest_open,
        avgOrNullIf(i.ms, i.incident_id != '' AND NOT i.is_open) AS resolved_only,
        quantileExactOrNullIf(0.5)(i.ms, i.incident_id != '') AS median,
        avgOrNullIf(i.ms, i.priority = 'P1') AS p1, avgOrNullIf(i.ms, i.priority = 'P2') AS p2,
        any(if(s.thresholds['mttr_p1_ms'] > 0, s.thresholds['mttr_p1_ms'], 7200000.)) AS target_p1,
        any(if(s.thresholds['mttr_p2_ms'] > 0, s.thresholds['mttr_p2_ms'], 86400000.)) AS target_p2,
        if(countIf(i.priority = 'P1') > 0, target_p1, target_p2) AS target,
        -- By their means; few are judged one by one, and an open P1 beyond its target always is.
        if(n >= 5, coalesce(p1 > target_p1, false) OR coalesce(p2 > target_p2, false),
            countIf(i.priority = 'P2' AND i.ms > 86400000) > 0 OR countIf(i.priority = 'P1' AND i.ms > 7200000) > 0)
            OR countIf(i.priority = 'P1' AND i.is_open AND i.ms > 7200000) > 0 AS missed,
        arraySlice(arraySort(groupArrayIf(concat(i.priority, ' ', if(i.is_open, '≥ ', ''), toString(round(i.ms / 3600000, 1)), ' h: ', i.title),
            i.incident_id != '')), 1, 5) AS names,
        avgOrNullIf(i.to_detect, i.incident_id != '') AS detect, avgOrNull(i.to_acknowledge) AS acknowledge,
        avgOrNull(i.to_fix) AS fix, avgOrNull(i.to_drain) AS drain, max(i.updated_at) AS seen
    FROM (SELECT tenant, integration, object FROM integrations) AS k
    LEFT JOIN
    (
        SELECT *, arrayJoin(arrayDistinct(['', object])) AS of
        FROM plumbline.kpi_mttr_incidents_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
    ) AS i ON i.tenant = k.tenant AND i.integration = k.integration AND i.of = k.object
    LEFT JOIN plumbline.kpi_mttr_gaps_at(to = {to:DateTime64(3)}) AS g ON g.tenant = k.tenant AND g.integration = k.integration
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
    GROUP BY tenant, integration, object
)
COMMENT 'KPI 3 over any window: kpi_mttr_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_mttr AS
SELECT '1h' AS window, * FROM plumbline.kpi_mttr_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 3600, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '24h', * FROM plumbline.kpi_mttr_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '7d', * FROM plumbline.kpi_mttr_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 604800, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '30d', * FROM plumbline.kpi_mttr_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
COMMENT 'KPI 3, MTTR in ms from detection to the last right record: under 2 h (P1) or 24 h (P2), warning on recurring errors without a runbook';
