-- KPI 1 over additions to minutes and hours. Its numbers are sums of theirs: a window
-- costs the same at a thousand attempts and at a hundred million. A window takes
-- whole hours from kpi_hours, and from kpi_minutes its ends and its last hour,
-- which is not told as an hour yet.

CREATE OR REPLACE VIEW kpi_settings AS
SELECT tenant, integration, mode, attempts AS reports, if(priority = '', 'P1', priority) AS priority, thresholds, since,
    toFloat64(if(target_ms > 0, target_ms, if(mode = 'batch', 3600000, 300000))) AS target_ms,
    if(deadline_ms > 0, deadline_ms, if(mode = 'batch', 3600000, 300000)) AS deadline_ms
FROM integrations
WHERE object = ''
COMMENT 'Settings that every object of an integration shares';

CREATE OR REPLACE VIEW kpi_success_samples_at AS
SELECT
    tenant, integration, object, series, hour AS at,
    attempts_ok, attempts_ended, write_failures, vendor_failures, due, on_time, waiting, observed, not_applied,
    unobserved, start_received, tried, tries, first_ok, failed_records, missed_records, missed_counts, updated_at
FROM kpi_hours_raw FINAL
WHERE hour >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND hour < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC')
UNION ALL
SELECT
    tenant, integration, object, series, minute AS at,
    attempts_ok, attempts_ended, write_failures, vendor_failures, due, on_time, waiting, observed, not_applied,
    unobserved, start_received, tried, tries, first_ok, failed_records, missed_records, missed_counts, updated_at
FROM kpi_minutes_raw FINAL
WHERE minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)}
    AND NOT (minute >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND minute < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC'))
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Additions whose minutes and hours make up a window';

-- What was not delivered, by the minute it was due: of a month, and of what is
-- older by the hour. An addition never changes: one of its copies is enough.
CREATE OR REPLACE VIEW kpi_open_at AS
SELECT tenant, integration, object, series, due_at, sum(a.waiting) AS waiting, sum(a.not_applied) AS not_applied
FROM
(
    SELECT addition_id, tenant, integration, object, series, minute AS due_at, waiting, not_applied
    FROM kpi_minutes_raw
    WHERE minute >= toStartOfHour({to:DateTime64(3)} - 2592000, 'UTC') AND minute < {to:DateTime64(3)} + 172800 AND (waiting != 0 OR not_applied != 0)
    LIMIT 1 BY addition_id
    UNION ALL
    SELECT addition_id, tenant, integration, object, series, hour, waiting, not_applied
    FROM kpi_hours_raw
    WHERE hour < toStartOfHour({to:DateTime64(3)} - 2592000, 'UTC') AND (waiting != 0 OR not_applied != 0)
    LIMIT 1 BY addition_id
) AS a
GROUP BY tenant, integration, object, series, due_at
HAVING waiting > 0 OR not_applied > 0
COMMENT 'Deliveries that wait, and those never taken, by when they were due';

CREATE OR REPLACE VIEW kpi_success_sums_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', p.object])) AS object, series, arrayJoin([
    ('attempts_ok', toFloat64(attempts_ok_sum)), ('attempts_ended', toFloat64(attempts_ended_sum)),
    ('records_ok', toFloat64(on_time_sum)), ('records_ended', toFloat64(due_sum)),
    ('unobserved', toFloat64(unobserved_sum)), ('silent', toFloat64(not_applied_sum)),
    ('tried', toFloat64(tried_sum)), ('tries', toFloat64(tries_sum)), ('first_ok', toFloat64(first_ok_sum)),
    ('failures', toFloat64(write_failures_sum)), ('vendor_failures', toFloat64(vendor_failures_sum)),
    ('seen_ms', toFloat64(toUnixTimestamp64Milli(seen_at)))]) AS part
FROM
(
    SELECT tenant, integration, object, series, sum(attempts_ok) AS attempts_ok_sum, sum(attempts_ended) AS attempts_ended_sum,
        sum(on_time) AS on_time_sum, sum(due) AS due_sum, sum(unobserved) AS unobserved_sum,
        sum(not_applied) AS not_applied_sum, sum(tried) AS tried_sum, sum(tries) AS tries_sum,
        sum(first_ok) AS first_ok_sum, sum(write_failures) AS write_failures_sum,
        sum(vendor_failures) AS vendor_failures_sum, max(updated_at) AS seen_at
    FROM plumbline.kpi_success_samples_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
    WHERE series != 'import'
    GROUP BY tenant, integration, object, series
) AS p
COMMENT 'Sums of a window';

-- Hours of a window with the records that failed in each, for spans of them.
CREATE OR REPLACE VIEW kpi_success_hours_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', p.object])) AS object, series, intDiv(toUnixTimestamp(at), 3600) AS hour,
    sum(attempts_ok) AS attempts_ok_sum, sum(attempts_ended) AS attempts_ended_sum, groupUniqArrayArray(8)(failed_records) AS failed,
    sum(on_time) AS on_time_sum, sum(due) AS due_sum, sum(observed) AS observed_sum,
    arrayFilter((r, n) -> n > 0, (sumMap(missed_records, missed_counts) AS net).1, net.2) AS missed
FROM plumbline.kpi_success_samples_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS p
WHERE series != 'import'
GROUP BY tenant, integration, object, series, hour
COMMENT 'Sums by the hour, with hashes of records that failed';

-- The worst 24 hours that end in the window: the last ones to the minute, those before
-- by the hour. Only spans with 30 samples and three records that failed can warn.
CREATE OR REPLACE VIEW kpi_success_worst_day_at AS
SELECT tenant, integration, object, series, arrayJoin([
    ('attempts_worst', min(if(attempts_ended_sum >= 30 AND (length(failed_in) >= 3 OR series = 'run'),
        attempts_ok_sum / attempts_ended_sum, 2.))),
    ('records_worst', min(if(due_sum >= 30 AND length(missed_in) + observed_sum >= 3, on_time_sum / due_sum, 2.)))]) AS part
FROM
(
    SELECT tenant, integration, object, series, sum(h.attempts_ok_sum) AS attempts_ok_sum,
        sum(h.attempts_ended_sum) AS attempts_ended_sum, groupUniqArrayArray(8)(h.failed) AS failed_in, sum(h.on_time_sum) AS on_time_sum,
        sum(h.due_sum) AS due_sum, sum(h.observed_sum) AS observed_sum, groupUniqArrayArray(8)(h.missed) AS missed_in
    FROM plumbline.kpi_success_hours_at(from = {to:DateTime64(3)} - 86400, to = {to:DateTime64(3)}) AS h
    GROUP BY tenant, integration, object, series
    UNION ALL
    SELECT tenant, integration, object, series, sum(h.attempts_ok_sum) OVER day, sum(h.attempts_ended_sum) OVER day,
        groupUniqArrayArray(8)(h.failed) OVER day, sum(h.on_time_sum) OVER day, sum(h.due_sum) OVER day,
        sum(h.observed_sum) OVER day, groupUniqArrayArray(8)(h.missed) OVER day
    FROM plumbline.kpi_success_hours_at(
        from = if(dateDiff('second', {from:DateTime64(3)}, {to:DateTime64(3)}) > 86400, {from:DateTime64(3)}, {to:DateTime64(3)}), to = {to:DateTime64(3)}) AS h
    WINDOW day AS (PARTITION BY tenant, integration, object, series ORDER BY hour RANGE BETWEEN 23 PRECEDING AND CURRENT ROW)
)
GROUP BY tenant, integration, object, series
HAVING part.2 <= 1
COMMENT 'Lowest success rate over any 24 hours of a window';

-- A verdict says that what shows as refused tokens is the vendor's: failures it covers
-- are his, by the minute, whatever their own answer said.
CREATE OR REPLACE VIEW kpi_vendor_failures_at AS
SELECT f.tenant AS tenant, f.integration AS integration, f.object AS object, sum(f.n) AS n
FROM
(
    SELECT tenant, integration, object, minute, minute + toIntervalMillisecond(59999) AS until, splitByChar('/', name) AS path,
        path[2] AS class, path[3] AS provider, arrayStringConcat(arraySlice(path, 4), '/') AS token, n
    FROM kpi_minutes_raw FINAL
    ARRAY JOIN mapKeys(counts) AS name, mapValues(counts) AS n
    WHERE minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)} AND write_failures > 0
        AND startsWith(name, 'write_failures/') AND class IN ('auth', 'network', 'other')
        AND (tenant, integration) IN (
            SELECT tenant, integration FROM verdicts_raw
            WHERE decided AND attribution = 'vendor' AND started_at < {to:DateTime64(3)} AND coalesce(ended_at >= {from:DateTime64(3)}, true))
) AS f
ASOF INNER JOIN (SELECT * FROM verdicts_raw FINAL WHERE integration != '') AS v
ON f.tenant = v.tenant AND f.integration = v.integration AND f.provider = v.provider AND f.token = v.token
    AND f.class = v.class AND f.until >= v.started_at
WHERE coalesce(f.minute < v.ended_at, true) AND v.decided AND v.attribution = 'vendor'
GROUP BY tenant, integration, object
COMMENT 'Failed writes that a verdict makes a vendor outage';

CREATE OR REPLACE VIEW kpi_success_beside_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', o.object])) AS object, series, ('waiting', toFloat64(o.waiting)) AS part
FROM plumbline.kpi_open_at(to = {to:DateTime64(3)}) AS o
WHERE due_at < {to:DateTime64(3)} AND series = ''
UNION ALL
SELECT tenant, integration, arrayJoin(arrayDistinct(['', v.object])), '', ('vendor_failures', toFloat64(v.n))
FROM plumbline.kpi_vendor_failures_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS v
COMMENT 'What is shown next to the success rate';

-- Steps under an hour need minutes.
CREATE OR REPLACE VIEW kpi_success_trend_at AS
SELECT tenant, integration, point.1 AS basis, bucket, point.2 AS ok, point.3 AS ended
FROM
(
    SELECT tenant, integration, toInt64(intDiv(toUnixTimestamp(at), {step:UInt32})) AS bucket,
        arrayJoin([('attempts', sum(attempts_ok), sum(attempts_ended)), ('records', sum(on_time), sum(due))]) AS point
    FROM
    (
        SELECT tenant, integration, at, attempts_ok, attempts_ended, on_time, due
        FROM plumbline.kpi_success_samples_at(from = if({step:UInt32} < 3600, {to:DateTime64(3)}, {from:DateTime64(3)}), to = {to:DateTime64(3)})
        WHERE series = ''
        UNION ALL
        SELECT tenant, integration, minute, attempts_ok, attempts_ended, on_time, due
        FROM kpi_minutes_raw FINAL
        WHERE {step:UInt32} < 3600 AND minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)} AND series = ''
    )
    GROUP BY tenant, integration, bucket
)
WHERE ended > 0
COMMENT 'Success over time: kpi_success_trend_at(from = , to = , step = seconds)';
