-- KPI 4, data drift rate: records that differed at any time in the window, of those
-- that were compared in it, over the union of both sides.

CREATE OR REPLACE VIEW kpi_drift_records_at AS
SELECT tenant, integration, object, record_key, min(confirmed_at) AS first_confirmed,
    max(isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)}) AS is_open, min(pre_existing) AS pre_existing,
    -- Each extra duplicate counts once; every other kind is the record itself.
    greatest(1, countIf(kind = 'duplicate')) AS n
FROM divergences
WHERE state IN ('confirmed', 'resolved') AND confirmed_at IS NOT NULL AND confirmed_at < {to:DateTime64(3)}
    AND (isNull(resolved_at) OR resolved_at >= {from:DateTime64(3)})
GROUP BY tenant, integration, object, record_key
COMMENT 'Records with a confirmed divergence open at any time in a window';

CREATE OR REPLACE VIEW kpi_drift_compared_at AS
SELECT tenant, integration, object, max(toUInt64(compared)) AS compared,
    argMax(toUInt64(source_records + missing_in_source), started_at) AS records, max(state = 'sampled') AS sampled,
    max(compared_through) AS through
FROM reconciliations
WHERE field = '' AND state IN ('complete', 'sampled') AND started_at >= {from:DateTime64(3)} AND started_at < {to:DateTime64(3)}
GROUP BY tenant, integration, object
COMMENT 'Records compared at least once in a window';

-- Does drift run faster after a schema signal? New divergences in the day and in the
-- week after it, against the seven days before: the lower 95 % bound of the ratio.
CREATE OR REPLACE VIEW kpi_drift_acceleration_at AS
SELECT tenant, integration, object, started_at, summary, days, before, after,
    exp(log((after / days) / (greatest(before, 0.5) / 7)) - 1.96 * sqrt(1 / greatest(after, 0.5) + 1 / greatest(before, 0.5))) AS at_least
FROM
(
    SELECT s.tenant AS tenant, s.integration AS integration, d.object AS object, s.started_at AS started_at, any(s.summary) AS summary,
        arrayJoin([1, 7]) AS days,
        toFloat64(countIf(d.first_confirmed < s.started_at AND d.first_confirmed >= s.started_at - 604800)) AS before,
        toFloat64(countIf(d.first_confirmed >= s.started_at AND d.first_confirmed < s.started_at + 86400 * days)) AS after
    FROM (SELECT * FROM signals WHERE kind IN ('schema_change', 'picklist_change', 'mapping_change')
        AND started_at >= {from:DateTime64(3)} AND started_at < {to:DateTime64(3)}) AS s
    INNER JOIN
    (
        SELECT tenant, integration, arrayJoin(['', r.object]) AS object, record_key, first_confirmed
        FROM plumbline.kpi_drift_records_at(from = {from:DateTime64(3)} - 604800, to = {to:DateTime64(3)}) AS r
        WHERE NOT pre_existing
    ) AS d ON d.tenant = s.tenant AND d.integration = s.integration
    GROUP BY tenant, integration, object, started_at, days
)
WHERE after >= 10
COMMENT 'New divergences after each schema signal against before: a ratio whose lower bound is over 1.5 is an acceleration';

CREATE OR REPLACE VIEW kpi_drift_rate_at AS
SELECT tenant, integration, object, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(denominator > 0, least(numerator / denominator, 1), NULL) AS value, 'ratio' AS unit, numerator, denominator, denominator AS samples,
    target, 1.5 AS warning,
    if(known, value < target, NULL) AS target_met, if(known, fastest > 1.5, NULL) AS warning_fired,
    multiIf(NOT known, 'unknown', value >= target, 'breach', fastest > 1.5, 'warning', 'ok') AS status,
    multiIf(NOT known, 'ticket', fastest > 1.5, if(priority = 'P2', 'ticket', 'page'), value >= target, 'ticket', '') AS severity,
    multiIf(denominator = 0, 'no_data', NOT known, 'not_observed', '') AS reason,
    multiIf(denominator = 0, 'never compared as a whole', concat(
        toString(round(100 * new_records / denominator, 2)), ' % new, ', toString(round(100 * pre_existing / denominator, 2)), ' % already there; measured on ',
        toString(round(100 * share)), ' % of records', if(fastest > 1.5, concat('; faster since ', signal), ''))) AS detail,
    new_records, pre_existing, open_now, share AS compared_share, sampled,
    -- Wilson's interval, where only a sample was compared.
    if(sampled, (value + 1.92 / denominator - 1.96 * sqrt((value * (1 - value) + 0.96 / denominator) / denominator)) / (1 + 3.84 / denominator), NULL) AS value_low,
    if(sampled, (value + 1.92 / denominator + 1.96 * sqrt((value * (1 - value) + 0.96 / denominator) / denominator)) / (1 + 3.84 / denominator), NULL) AS value_high,
    fastest AS acceleration, if(denominator > 0, through, NULL) AS data_through
FROM
(
    SELECT k.tenant AS tenant, k.integration AS integration, k.object AS object, s.priority AS priority,
        toUInt64(d.n) AS numerator, toUInt64(c.compared) AS denominator, toUInt64(d.fresh) AS new_records, toUInt64(d.old) AS pre_existing,
        toUInt64(d.is_open) AS open_now, if(c.records > 0, least(c.compared / c.records, 1), 0) AS share, c.sampled AS sampled, c.through AS through,
        a.fastest AS fastest, a.signal AS signal, denominator > 0 AND share >= 0.5 AS known,
        if(s.thresholds['drift_target'] > 0, s.thresholds['drift_target'], 0.01) AS target
    FROM integrations AS k
    LEFT JOIN
    (
        SELECT tenant, integration, arrayJoin(['', r.object]) AS object, sum(r.n) AS n, sumIf(r.n, NOT pre_existing) AS fresh,
            sumIf(r.n, r.pre_existing) AS old, sumIf(r.n, r.is_open) AS is_open
        FROM plumbline.kpi_drift_records_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS r
        GROUP BY tenant, integration, object
    ) AS d ON d.tenant = k.tenant AND d.integration = k.integration AND d.object = k.object
    LEFT JOIN
    (
        SELECT tenant, integration, arrayJoin(['', c.object]) AS object, sum(c.compared) AS compared, sum(c.records) AS records,
            max(c.sampled) AS sampled, min(c.through) AS through
        FROM plumbline.kpi_drift_compared_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS c
        GROUP BY tenant, integration, object
    ) AS c ON c.tenant = k.tenant AND c.integration = k.integration AND c.object = k.object
    LEFT JOIN
    (
        SELECT tenant, integration, object, max(at_least) AS fastest, argMax(summary, at_least) AS signal
        FROM plumbline.kpi_drift_acceleration_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
        GROUP BY tenant, integration, object
    ) AS a ON a.tenant = k.tenant AND a.integration = k.integration AND a.object = k.object
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
)
COMMENT 'KPI 4 over any window: kpi_drift_rate_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_drift_rate AS
SELECT '1h' AS window, * FROM plumbline.kpi_drift_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 3600, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '24h', * FROM plumbline.kpi_drift_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '7d', * FROM plumbline.kpi_drift_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 604800, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '30d', * FROM plumbline.kpi_drift_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
COMMENT 'KPI 4, data drift rate: under 1 % a month, warning when it accelerates after a schema change';
