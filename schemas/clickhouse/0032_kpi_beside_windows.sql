-- KPI 3 and 5 of four windows in one pass: a parameterised view is analysed anew each time it
-- is named, and that was most of their time. Coverage is told at the end of a window,
-- so windows that end together have the same.

CREATE OR REPLACE VIEW kpi_mttr_windows_at AS
SELECT span, tenant, integration, object, {to:DateTime64(3)} - toIntervalMillisecond(span) AS window_start, {to:DateTime64(3)} AS window_end,
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
    SELECT k.span AS span, k.tenant AS tenant, k.integration AS integration, k.object AS object, any(s.priority) AS priority, any(g.gaps) AS gaps,
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
    FROM (SELECT tenant, integration, object, arrayJoin({spans:Array(Int64)}) AS span FROM integrations) AS k
    LEFT JOIN
    (
        SELECT tenant, integration, incident_id, priority, title, updated_at, arrayJoin(arrayDistinct(['', object])) AS of,
            isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} AS is_open,
            arrayJoin(arrayFilter(s -> isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} - toIntervalMillisecond(s), {spans:Array(Int64)})) AS span,
            dateDiff('millisecond', detected_at, if(is_open, {to:DateTime64(3)}, assumeNotNull(resolved_at))) AS ms,
            dateDiff('millisecond', onset_at, detected_at) AS to_detect,
            if(isNull(acknowledged_at), NULL, dateDiff('millisecond', detected_at, assumeNotNull(acknowledged_at))) AS to_acknowledge,
            if(isNull(mitigated_at), NULL, dateDiff('millisecond', detected_at, assumeNotNull(mitigated_at))) AS to_fix,
            if(is_open OR isNull(mitigated_at), NULL, dateDiff('millisecond', assumeNotNull(mitigated_at), assumeNotNull(resolved_at))) AS to_drain
        FROM incidents
        WHERE detected_at < {to:DateTime64(3)} AND (isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)})))
    ) AS i ON i.tenant = k.tenant AND i.integration = k.integration AND i.of = k.object AND i.span = k.span
    LEFT JOIN
    (
        -- Fingerprints that came back although nobody wrote down what to do, as the alerts tell them.
        SELECT tenant, integration, count() AS gaps
        FROM
        (
            SELECT tenant, integration, argMax(status, seq) AS last
            FROM alerts
            WHERE rule = 'runbook.gap' AND observed_at < {to:DateTime64(3)}
            GROUP BY tenant, integration, alert_id
        )
        WHERE last != 'resolved'
        GROUP BY tenant, integration
    ) AS g ON g.tenant = k.tenant AND g.integration = k.integration
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
    GROUP BY span, tenant, integration, object
)
COMMENT 'KPI 3 over windows that end together, whatever their lengths';

CREATE OR REPLACE VIEW kpi_mttr_at AS
SELECT * EXCEPT span
FROM plumbline.kpi_mttr_windows_at(to = {to:DateTime64(3)}, spans = [dateDiff('millisecond', {from:DateTime64(3)}, {to:DateTime64(3)})])
COMMENT 'KPI 3 over any window: kpi_mttr_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_mttr AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_mttr_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), spans = [3600000, 86400000, 604800000, 2592000000])
COMMENT 'KPI 3, MTTR in ms from detection to the last right record: under 2 h (P1) or 24 h (P2), warning on recurring errors without a runbook';

DROP VIEW IF EXISTS kpi_mttr_incidents_at;

DROP VIEW IF EXISTS kpi_mttr_gaps_at;

CREATE OR REPLACE VIEW kpi_reconciliation_coverage AS
SELECT w.1 AS window, tenant, integration, object, window_end - w.2 AS window_start, window_end, value, unit, numerator, denominator, samples, target, warning, target_met, warning_fired, status, severity, reason, detail, records_share, blocked_by, data_through
FROM
(
    SELECT *, arrayJoin([('1h', 3600), ('24h', 86400), ('7d', 604800), ('30d', 2592000)]) AS w
    FROM plumbline.kpi_reconciliation_coverage_at(
        from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
)
COMMENT 'KPI 5, reconciliation coverage: target above 95 % of critical sets, warning on any gap'
