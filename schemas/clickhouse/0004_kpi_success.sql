-- KPI 1, sync success rate. Small views yield (metric, value) rows that add up, and
-- the last two turn them into one row a tenant, integration, object and window.
-- Whatever the window, a row of object '' stands for the whole integration.

-- Integration-wide settings, joined to every object of it.
CREATE OR REPLACE VIEW kpi_settings AS
SELECT tenant, integration, mode, attempts AS reports, if(priority = '', 'P1', priority) AS priority, thresholds, since,
    toFloat64(if(target_ms > 0, target_ms, if(mode = 'batch', 3600000, 300000))) AS target_ms
FROM integrations
WHERE object = ''
COMMENT 'Settings that every object of an integration shares';

-- Who reports all attempts is judged by attempts, everybody else by deliveries.
CREATE OR REPLACE VIEW kpi_success_samples_at AS
SELECT tenant, integration, object, if(granularity = 'run', 'run', '') AS series, 'attempts' AS basis, occurred_at AS at,
    toFloat64(if(granularity = 'run', records_ok, outcome = 'ok')) AS ok,
    toFloat64(if(granularity = 'run', records_ok + records_failed, 1)) AS ended,
    -- A failure of its own: one record of a rolled-back batch failed, the others were merely with it.
    if(outcome = 'ok' OR granularity = 'run' OR id IN (
        SELECT attempt_id FROM failures
        WHERE collateral AND occurred_at >= {from:DateTime64(3)} - 86400 AND occurred_at < {to:DateTime64(3)}
    ), '', multiIf(record_key != '', record_key, target_id != '', target_id, source_id != '', source_id, id)) AS failed_record,
    received_at AS seen_at
FROM attempts
WHERE operation IN ('create', 'update', 'upsert', 'delete')
    AND occurred_at >= {from:DateTime64(3)} AND occurred_at < {to:DateTime64(3)}
UNION ALL
SELECT tenant, integration, object, '', 'records', assumeNotNull(due_at),
    toFloat64(state IN ('applied', 'verified') AND NOT late), 1.,
    if(state IN ('applied', 'verified') AND NOT late, '', record_key), updated_at
FROM deliveries
WHERE due_at >= {from:DateTime64(3)} AND due_at < {to:DateTime64(3)} AND series = ''
    AND state IN ('observed', 'attempted', 'failed', 'stalled', 'not_applied', 'applied', 'verified')
COMMENT 'One row for each write attempt, and for each due delivery that counts';

CREATE OR REPLACE VIEW kpi_success_sums_at AS
SELECT tenant, integration, object, series,
    arrayJoin([(concat(basis, '_ok'), ok_sum), (concat(basis, '_ended'), ended_sum), ('seen_ms', seen_ms)]) AS part
FROM
(
    SELECT tenant, integration, arrayJoin(['', s.object]) AS object, series, basis, sum(ok) AS ok_sum, sum(ended) AS ended_sum,
        toFloat64(toUnixTimestamp64Milli(max(seen_at))) AS seen_ms
    FROM plumbline.kpi_success_samples_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS s
    GROUP BY tenant, integration, object, series, basis
)
COMMENT 'Sums of the samples of a window';

-- The worst 24 hours that end in the window, or with it when it is shorter. Only
-- spans with 30 samples and three records that failed can warn.
CREATE OR REPLACE VIEW kpi_success_worst_day_at AS
SELECT tenant, integration, object, series, (concat(basis, '_worst'), min(rate)) AS part
FROM
(
    SELECT tenant, integration, object, series, basis, arrayJoin(range(greatest(0, hour - 23), hour + 1)) AS newest,
        sum(ok) / sum(ended) AS rate, sum(ended) AS samples, length(groupUniqArrayArray(failed)) AS records
    FROM
    (
        SELECT tenant, integration, arrayJoin(['', s.object]) AS object, series, basis,
            intDiv(dateDiff('millisecond', at, {to:DateTime64(3)}) - 1, 3600000) AS hour,
            sum(ok) AS ok, sum(ended) AS ended, groupUniqArrayIf(3)(failed_record, failed_record != '') AS failed
        FROM plumbline.kpi_success_samples_at(
            from = least({from:DateTime64(3)}, {to:DateTime64(3)} - 86400), to = {to:DateTime64(3)}) AS s
        GROUP BY tenant, integration, object, series, basis, hour
    )
    GROUP BY tenant, integration, object, series, basis, newest
    HAVING samples >= 30 AND (records >= 3 OR series = 'run')
        AND newest <= greatest(0, intDiv(dateDiff('second', {from:DateTime64(3)}, {to:DateTime64(3)}), 3600) - 24)
)
GROUP BY tenant, integration, object, series, basis
COMMENT 'Lowest success rate over any 24 hours of a window';

CREATE OR REPLACE VIEW kpi_success_beside_at AS
SELECT tenant, integration, arrayJoin(['', d.object]) AS object, '' AS series, arrayJoin([
    ('unobserved', toFloat64(countIf(in_window AND state IN ('unobserved', 'acknowledged')))),
    ('silent', toFloat64(countIf(in_window AND state = 'not_applied'))),
    ('waiting', toFloat64(countIf(state IN ('observed', 'attempted', 'stalled', 'failed')))),
    ('tried', toFloat64(countIf(in_window AND attempts > 0))),
    ('tries', toFloat64(sumIf(attempts, in_window))),
    ('first_ok', toFloat64(countIf(in_window AND attempts = 1 AND acknowledged_at IS NOT NULL)))]) AS part
FROM
(
    SELECT tenant, integration, object, state, attempts, acknowledged_at, due_at >= {from:DateTime64(3)} AS in_window
    FROM deliveries
    WHERE due_at >= {from:DateTime64(3)} - 2592000 AND due_at < {to:DateTime64(3)} AND series = ''
) AS d
GROUP BY tenant, integration, object
UNION ALL
SELECT tenant, integration, arrayJoin(['', f.object]) AS object, '',
    arrayJoin([('failures', toFloat64(count())), ('vendor_failures', toFloat64(countIf(class = 'vendor_outage')))])
FROM failures AS f
WHERE occurred_at >= {from:DateTime64(3)} AND occurred_at < {to:DateTime64(3)} AND origin = 'error' AND NOT collateral
    AND operation IN ('create', 'update', 'upsert', 'delete')
GROUP BY tenant, integration, object
COMMENT 'What is shown next to the success rate';

-- One window's measured numbers. An integration without any has its rows too.
CREATE OR REPLACE VIEW kpi_success_measured_at AS
SELECT tenant, integration, object, series,
    sumIf(part.2, part.1 = 'attempts_ok') AS attempts_ok, sumIf(part.2, part.1 = 'attempts_ended') AS attempts_ended,
    sumIf(part.2, part.1 = 'records_ok') AS records_ok, sumIf(part.2, part.1 = 'records_ended') AS records_ended,
    minOrNullIf(part.2, part.1 = 'attempts_worst') AS attempts_worst,
    minOrNullIf(part.2, part.1 = 'records_worst') AS records_worst,
    sumIf(part.2, part.1 = 'unobserved') AS unobserved, sumIf(part.2, part.1 = 'silent') AS silent,
    sumIf(part.2, part.1 = 'waiting') AS waiting, sumIf(part.2, part.1 = 'tried') AS tried,
    sumIf(part.2, part.1 = 'tries') AS tries, sumIf(part.2, part.1 = 'first_ok') AS first_ok,
    sumIf(part.2, part.1 = 'failures') AS failed, sumIf(part.2, part.1 = 'vendor_failures') AS vendor_failed,
    maxOrNullIf(part.2, part.1 = 'seen_ms') AS seen_ms
FROM
(
    SELECT * FROM plumbline.kpi_success_sums_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
    UNION ALL
    SELECT * FROM plumbline.kpi_success_worst_day_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
    UNION ALL
    SELECT * FROM plumbline.kpi_success_beside_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
    UNION ALL
    SELECT tenant, integration, object, '', ('', 0.) FROM integrations
)
GROUP BY tenant, integration, object, series
COMMENT 'Measured numbers of one window';

CREATE OR REPLACE VIEW kpi_sync_success_rate_at AS
SELECT tenant, integration, object, series, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(denominator > 0, numerator / denominator, NULL) AS value, 'ratio' AS unit, numerator, denominator, denominator AS samples,
    target, warning,
    if(status_known, value > target, NULL) AS target_met,
    if(status_known, coalesce(worst_day < warning, false), NULL) AS warning_fired,
    multiIf(NOT status_known, 'unknown', value <= target, 'breach', worst_day < warning, 'warning', 'ok') AS status,
    multiIf(status = 'unknown', if(dateDiff('second', greatest(since, window_start), window_end) >= 3600, 'ticket', ''),
        coalesce(worst_day < warning, false), if(priority = 'P2', 'ticket', 'page'), status = 'breach', 'ticket', '') AS severity,
    multiIf(basis = 'attempts' AND denominator = 0 AND waiting > 0, 'blind',
        basis = 'records' AND denominator = 0 AND unobserved > 0, 'not_observed',
        denominator = 0, 'no_data', denominator < 30, 'low_sample', '') AS reason,
    if(reason = 'low_sample', concat(toString(toUInt64(denominator - numerator)), ' of ', toString(toUInt64(denominator)), ' failed'), '') AS detail,
    basis, worst_day,
    if(m.series = '' AND records_ended > 0, records_ok / records_ended, NULL) AS record_success_rate,
    if(tried > 0, first_ok / tried, NULL) AS first_try_rate,
    if(tried > 0, tries / tried, NULL) AS attempts_per_record,
    toUInt64(silent) AS silent_failures,
    if(failed > 0, vendor_failed / failed, NULL) AS vendor_outage_share,
    toUInt64(waiting) AS waiting_changes,
    fromUnixTimestamp64Milli(toInt64OrNull(toString(toInt64(seen_ms))), 'UTC') AS data_through
FROM
(
    SELECT m.*, s.priority AS priority, s.since AS since,
        multiIf(m.series = 'run', 'runs', s.reports IN ('errors_only', 'none'), 'records', 'attempts') AS basis,
        toUInt64(if(basis = 'records', records_ok, attempts_ok)) AS numerator,
        toUInt64(if(basis = 'records', records_ended, attempts_ended)) AS denominator,
        if(basis = 'records', records_worst, attempts_worst) AS worst_day,
        denominator >= 30 AS status_known,
        if(s.thresholds['success_target'] > 0, s.thresholds['success_target'], 0.99) AS target,
        if(s.thresholds['success_warning'] > 0, s.thresholds['success_warning'], 0.97) AS warning
    FROM plumbline.kpi_success_measured_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS m
    LEFT JOIN kpi_settings AS s ON s.tenant = m.tenant AND s.integration = m.integration
) AS m
COMMENT 'KPI 1 over any window: kpi_sync_success_rate_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_sync_success_rate_series AS
SELECT '1h' AS window, * FROM plumbline.kpi_sync_success_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 3600, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '24h', * FROM plumbline.kpi_sync_success_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '7d', * FROM plumbline.kpi_sync_success_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 604800, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '30d', * FROM plumbline.kpi_sync_success_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
COMMENT 'As kpi_sync_success_rate, with run-level reports beside in a series of their own';

CREATE OR REPLACE VIEW kpi_sync_success_rate AS
SELECT * FROM plumbline.kpi_sync_success_rate_series WHERE series = ''
COMMENT 'KPI 1, sync success rate: target above 99 %, warning under 97 % over any 24 h';
