-- KPI 2, sync latency: p95 over the deliveries due in the window, in milliseconds.
-- What is not delivered stands there with its present age: otherwise an outage,
-- in which only the lucky arrive, would improve the number.

-- A delivery once for each basis it can be measured on; an undelivered one can
-- stand in for all of them. Basis 'all' counts what was due.
CREATE OR REPLACE VIEW kpi_latency_samples_at AS
SELECT tenant, integration, object, series, assumeNotNull(due_at) AS at, start_basis, resolution_ms, updated_at,
    state IN ('observed', 'attempted', 'failed', 'stalled', 'not_applied') AS open,
    if(start_basis = 'received', received_at, changed_at) AS start,
    arrayJoin(arrayFilter(b -> b != '', [
        'all',
        if(open OR latency_basis = 'applied_event', 'applied_event', ''),
        if(open OR latency_basis = 'applied_poll', 'applied_poll', ''),
        if(open OR latency_basis = 'applied_readback', 'applied_readback', ''),
        if(open OR acknowledged_at IS NOT NULL, 'acknowledged', '')])) AS basis,
    multiIf(open, dateDiff('millisecond', start, {to:DateTime64(3)}),
        basis = 'acknowledged', dateDiff('millisecond', start, assumeNotNull(acknowledged_at)),
        coalesce(latency_ms, 0)) AS ms
FROM deliveries
WHERE due_at >= {from:DateTime64(3)} AND due_at < {to:DateTime64(3)} AND state NOT IN ('superseded', 'overwritten')
COMMENT 'One row for each due delivery and basis';

CREATE OR REPLACE VIEW kpi_latency_bases_at AS
SELECT tenant, integration, arrayJoin(['', l.object]) AS object, series, basis,
    count() AS covered, countIf(NOT open) AS delivered, quantileExact(0.95)(ms) AS p95, quantileExact(0.05)(ms) AS p5,
    countIf(NOT open AND ms < target_ms) AS on_time, minOrNullIf(ms, open) AS youngest_open,
    maxIf(resolution_ms, NOT open) AS resolution,
    if(uniqExact(start_basis) > 1, 'mixed', any(start_basis)) AS start_basis, max(updated_at) AS seen_at
FROM
(
    SELECT l.*, if(s.target_ms > 0, s.target_ms, 300000.) AS target_ms
    FROM plumbline.kpi_latency_samples_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS l
    LEFT JOIN kpi_settings AS s ON s.tenant = l.tenant AND s.integration = l.integration
) AS l
GROUP BY tenant, integration, object, series, basis
COMMENT 'Percentiles of one window, each basis by itself';

-- The strongest basis that covers four fifths of what was due, and on which at
-- least one delivery was measured. With none delivered there is only the ages.
CREATE OR REPLACE VIEW kpi_latency_chosen_at AS
SELECT tenant, integration, object, series, due, seen, chosen.2 AS basis, chosen.3 AS covered, chosen.4 AS p95, chosen.5 AS p5,
    chosen.6 AS on_time, chosen.7 AS youngest_open, chosen.8 AS resolution, start_basis
FROM
(
    SELECT tenant, integration, object, series, maxIf(covered, basis = 'all') AS due, max(seen_at) AS seen,
        anyIf(b.start_basis, basis = 'all') AS start_basis,
        maxIf(delivered, basis = 'all') AS arrived,
        arrayFirst(c -> c.1 > 0, arraySort(groupArray((
            multiIf(basis = 'all', if(arrived_here = 0, 9, 0), delivered = 0 OR covered < 0.8 * due_here, 0,
                indexOf(['applied_event', 'applied_poll', 'applied_readback', 'acknowledged'], basis)),
            if(basis = 'all', '', basis), covered, p95, p5, on_time, youngest_open, resolution)))) AS chosen
    FROM
    (
        SELECT *, maxIf(covered, basis = 'all') OVER w AS due_here, maxIf(delivered, basis = 'all') OVER w AS arrived_here
        FROM plumbline.kpi_latency_bases_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
        WINDOW w AS (PARTITION BY tenant, integration, object, series)
    ) AS b
    GROUP BY tenant, integration, object, series
)
COMMENT 'One window on its best basis';

-- What is normal: the median of the hourly p95 of the same hours of the week in the
-- four weeks before the window; until a week is seen, of all earlier hours.
CREATE OR REPLACE VIEW kpi_latency_baseline_at AS
SELECT tenant, integration, object, series, basis,
    dateDiff('hour', min(hour), {from:DateTime64(3)}) / 24 AS days_seen,
    countIf(same) AS same_hours, count() AS hours,
    multiIf(days_seen >= 7 AND same_hours > 0, quantileExactIf(0.5)(p95, same),
        hours >= 3, quantileExact(0.5)(p95), NULL) AS baseline
FROM
(
    SELECT tenant, integration, arrayJoin(['', l.object]) AS object, series, basis, toStartOfHour(at) AS hour,
        quantileExact(0.95)(ms) AS p95,
        (intDiv(toUnixTimestamp(hour), 3600) - intDiv(toUnixTimestamp({from:DateTime64(3)}), 3600)) % 168 + 168 AS ahead,
        ahead % 168 < greatest(1, dateDiff('hour', {from:DateTime64(3)}, {to:DateTime64(3)})) AS same
    FROM plumbline.kpi_latency_samples_at(from = {from:DateTime64(3)} - 2419200, to = {from:DateTime64(3)}) AS l
    WHERE NOT open AND basis != 'all'
    GROUP BY tenant, integration, object, series, basis, hour
)
GROUP BY tenant, integration, object, series, basis
COMMENT 'Baseline of the latency of a window';

CREATE OR REPLACE VIEW kpi_latency_backlog_at AS
SELECT tenant, integration, arrayJoin(['', d.object]) AS object, series, count() AS backlog,
    max(dateDiff('millisecond', start, {to:DateTime64(3)})) AS oldest_waiting
FROM
(
    SELECT tenant, integration, object, series, if(start_basis = 'received', received_at, changed_at) AS start
    FROM deliveries
    WHERE state IN ('observed', 'attempted', 'stalled', 'failed')
) AS d
WHERE start < {to:DateTime64(3)}
GROUP BY tenant, integration, object, series
COMMENT 'Changes that wait to arrive, due or not';

CREATE OR REPLACE VIEW kpi_sync_latency_at AS
SELECT tenant, integration, object, series, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(covered > 0, toFloat64(p95), NULL) AS value, 'ms' AS unit, on_time AS numerator, covered AS denominator, covered AS samples,
    target, if(baseline > 0, 3 * baseline, NULL) AS warning,
    if(known, value < target, NULL) AS target_met,
    if(known AND baseline IS NOT NULL, value > 3 * baseline AND value > 0.1 * target, NULL) AS warning_fired,
    multiIf(NOT known, 'unknown', NOT target_met, 'breach', warning_fired IS NULL, 'unknown', warning_fired, 'warning', 'ok') AS status,
    multiIf(status = 'unknown', if(dateDiff('second', greatest(since, window_start), window_end) >= 3600, 'ticket', ''),
        coalesce(warning_fired, false), if(priority = 'P2', 'ticket', 'page'), status = 'breach', 'ticket', '') AS severity,
    multiIf(due = 0, 'no_data', covered = 0, 'not_observed', covered < 30, 'low_sample', skewed, 'not_observed',
        target_met AND baseline IS NULL, 'learning', '') AS reason,
    multiIf(reason = 'low_sample', concat(toString(on_time), ' of ', toString(covered), ' on time'),
        skewed, 'clocks differ by more than a tenth of the target',
        days_seen < 7, concat('learning, day ', toString(toUInt32(floor(days_seen)) + 1), ' of 7'), '') AS detail,
    basis, at_least, start_basis, resolution, if(covered > 0, on_time / covered, NULL) AS on_time_share,
    if(backlog > 0, oldest, NULL) AS oldest_waiting, backlog, baseline, due, if(due > 0, seen, NULL) AS data_through
FROM
(
    SELECT k.tenant AS tenant, k.integration AS integration, k.object AS object, k.series AS series,
        c.due AS due, c.covered AS covered, c.p95 AS p95, c.on_time AS on_time, c.basis AS basis, c.start_basis AS start_basis,
        c.resolution AS resolution, c.seen AS seen,
        coalesce(c.youngest_open <= c.p95, false) AS at_least,
        b.oldest_waiting AS oldest, b.backlog AS backlog,
        if(n.hours > 0, toFloat64(n.baseline), NULL) AS baseline, if(n.hours > 0, n.days_seen, 0) AS days_seen,
        if(s.target_ms > 0, s.target_ms, 300000.) AS target, if(s.priority = '', 'P1', s.priority) AS priority, s.since AS since,
        -c.p5 > 0.1 * target AS skewed, c.covered >= 30 AND NOT skewed AS known
    FROM
    (
        SELECT tenant, integration, object, '' AS series FROM integrations
        UNION DISTINCT
        SELECT tenant, integration, object, series
        FROM plumbline.kpi_latency_backlog_at(to = {to:DateTime64(3)})
        UNION DISTINCT
        SELECT tenant, integration, arrayJoin(['', d.object]), series FROM deliveries AS d
        WHERE due_at >= {from:DateTime64(3)} AND due_at < {to:DateTime64(3)}
    ) AS k
    LEFT JOIN plumbline.kpi_latency_chosen_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS c
        ON c.tenant = k.tenant AND c.integration = k.integration AND c.object = k.object AND c.series = k.series
    LEFT JOIN plumbline.kpi_latency_backlog_at(to = {to:DateTime64(3)}) AS b
        ON b.tenant = k.tenant AND b.integration = k.integration AND b.object = k.object AND b.series = k.series
    LEFT JOIN plumbline.kpi_latency_baseline_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS n
        ON n.tenant = k.tenant AND n.integration = k.integration AND n.object = k.object AND n.series = k.series
        AND n.basis = c.basis
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
)
COMMENT 'KPI 2 over any window: kpi_sync_latency_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_sync_latency_series AS
SELECT '1h' AS window, * FROM plumbline.kpi_sync_latency_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 3600, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '24h', * FROM plumbline.kpi_sync_latency_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '7d', * FROM plumbline.kpi_sync_latency_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 604800, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '30d', * FROM plumbline.kpi_sync_latency_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
COMMENT 'As kpi_sync_latency, with imports and first loads beside in a series of their own';

CREATE OR REPLACE VIEW kpi_sync_latency AS
SELECT * FROM plumbline.kpi_sync_latency_series WHERE series = ''
COMMENT 'KPI 2, sync latency in ms: p95 under 5 min (realtime) or 1 h (batch), warning over 3 baselines';
