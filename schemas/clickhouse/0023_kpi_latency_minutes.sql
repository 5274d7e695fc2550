-- KPI 2 over additions to minutes and hours: latencies are counted in buckets 2 % wide
-- each, so a percentile is right within 1 %. What is not delivered stands there
-- with its present age by the minute.

CREATE OR REPLACE VIEW kpi_latency_samples_at AS
SELECT
    tenant, integration, object, series, hour AS at,
    basis, bucket, n, on_time_n
FROM kpi_hours_raw FINAL
ARRAY JOIN latency_basis AS basis, latency_bucket AS bucket, latency_count AS n, latency_on_time AS on_time_n
WHERE hour >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND hour < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC')
UNION ALL
SELECT
    tenant, integration, object, series, minute AS at,
    basis, bucket, n, on_time_n
FROM kpi_minutes_raw FINAL
ARRAY JOIN latency_basis AS basis, latency_bucket AS bucket, latency_count AS n, latency_on_time AS on_time_n
WHERE minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)}
    AND NOT (minute >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND minute < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC'))
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Entries of the histograms of a window';

CREATE OR REPLACE VIEW kpi_latency_open_at AS
SELECT o.tenant AS tenant, o.integration AS integration, o.object AS object, o.series AS series,
    o.due_at AS due_at, greatest(o.waiting, 0) AS waiting, greatest(o.waiting, 0) + greatest(o.not_applied, 0) AS n,
    dateDiff('millisecond', o.due_at, {to:DateTime64(3)}) + if(s.deadline_ms > 0, s.deadline_ms, 300000) AS age,
    toInt64(if(age = 0, 0, sign(age) * (ceil(log(abs(age)) / log(1.02)) + 1))) AS age_bucket,
    if(s.target_ms > 0, s.target_ms, 300000.) AS target_ms
FROM plumbline.kpi_open_at(to = {to:DateTime64(3)}) AS o
LEFT JOIN kpi_settings AS s ON s.tenant = o.tenant AND s.integration = o.integration
COMMENT 'What was not delivered, with its age';

-- Each basis by itself; an undelivered one can stand in for all of them. Basis ''
-- holds nothing but ages.
CREATE OR REPLACE VIEW kpi_latency_bases_at AS
SELECT tenant, integration, object, series, basis, sum(b.n) AS covered, sum(b.n - b.open) AS delivered, sum(b.on_time) AS on_time,
    sum(b.young) AS young, min(b.age) AS youngest_open, arraySort(groupArrayIf((b.bucket, b.n), b.n != 0)) AS buckets,
    arrayCumSum(buckets.2) AS ranks,
    buckets.1[arrayFirstIndex(r -> r > toInt64(0.95 * covered), ranks)] AS p95_bucket,
    buckets.1[arrayFirstIndex(r -> r > toInt64(0.5 * covered), ranks)] AS p50_bucket,
    buckets.1[arrayFirstIndex(r -> r > toInt64(0.05 * covered), ranks)] AS p5_bucket,
    sign(p95_bucket) * pow(1.02, abs(p95_bucket) - 1.5) AS p95,
    sign(p50_bucket) * pow(1.02, abs(p50_bucket) - 1.5) AS p50,
    sign(p5_bucket) * pow(1.02, abs(p5_bucket) - 1.5) AS p5
FROM
(
    SELECT tenant, integration, arrayJoin(arrayDistinct(['', e.object])) AS object, series, basis, bucket, sum(e.n) AS n,
        sum(e.on_time_n) AS on_time, sum(e.open) AS open, sum(e.young) AS young, min(e.age) AS age
    FROM
    (
        SELECT tenant, integration, object, series, basis, bucket, n, on_time_n, 0 AS open, 0 AS young, NULL AS age
        FROM plumbline.kpi_latency_samples_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
        UNION ALL
        SELECT tenant, integration, object, series,
            arrayJoin(['', 'applied_event', 'applied_poll', 'applied_readback', 'acknowledged']),
            age_bucket, n, 0, n, if(age < target_ms, n, 0), age
        FROM plumbline.kpi_latency_open_at(to = {to:DateTime64(3)})
        WHERE due_at >= {from:DateTime64(3)} AND due_at < {to:DateTime64(3)}
    ) AS e
    GROUP BY tenant, integration, object, series, basis, bucket
) AS b
GROUP BY tenant, integration, object, series, basis
COMMENT 'Percentiles of one window, each basis by itself';

CREATE OR REPLACE VIEW kpi_latency_due_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', p.object])) AS object, series, sum(p.due) + sum(p.unobserved) AS due_sum,
    if(sum(p.start_received) = 0, 'event', if(sum(p.start_received) >= due_sum, 'received', 'mixed')) AS start_basis,
    max(p.updated_at) AS seen
FROM plumbline.kpi_success_samples_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS p
GROUP BY tenant, integration, object, series
COMMENT 'What was due in a window, delivered or not';

CREATE OR REPLACE VIEW kpi_latency_within_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', w.object])) AS object, series, basis, max(w.ms) AS resolution
FROM
(
    SELECT tenant, integration, object, series, basis, ms FROM kpi_hours_raw
    ARRAY JOIN mapKeys(within_ms) AS basis, mapValues(within_ms) AS ms
    WHERE hour >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND hour < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC')
    UNION ALL
    SELECT tenant, integration, object, series, basis, ms FROM kpi_minutes_raw
    ARRAY JOIN mapKeys(within_ms) AS basis, mapValues(within_ms) AS ms
    WHERE minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)}
        AND NOT (minute >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND minute < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC'))
) AS w
GROUP BY tenant, integration, object, series, basis
COMMENT 'How far the latencies of a window are known';

-- The strongest basis that covers four fifths of what was due, and on which at
-- least one delivery was measured. With none delivered there is only the ages.
CREATE OR REPLACE VIEW kpi_latency_chosen_at AS
SELECT tenant, integration, object, series, due_here AS due, seen, start_basis, chosen.2 AS basis, chosen.3 AS covered, chosen.4 AS p95,
    chosen.5 AS p5, chosen.6 AS on_time, chosen.7 AS young, chosen.8 AS youngest_open, chosen.9 AS delivered
FROM
(
    SELECT d.tenant AS tenant, d.integration AS integration, d.object AS object, d.series AS series, any(d.due_sum) AS due_here,
        any(d.seen) AS seen, any(d.start_basis) AS start_basis,
        sumIf(b.delivered, b.basis != '') AS arrived,
        arrayFirst(c -> c.1 > 0, arraySort(groupArray((
            multiIf(b.basis = '', 9, b.delivered <= 0 OR b.covered < 0.8 * d.due_sum, 0,
                indexOf(['applied_event', 'applied_poll', 'applied_readback', 'acknowledged'], b.basis)),
            b.basis, b.covered, b.p95, b.p5, b.on_time, b.young, b.youngest_open, b.delivered)))) AS best,
        if(best.1 = 9 AND arrived > 0, (0, '', 0, 0., 0., 0, 0, NULL, 0), best) AS chosen
    FROM plumbline.kpi_latency_due_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS d
    LEFT JOIN plumbline.kpi_latency_bases_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS b
        ON b.tenant = d.tenant AND b.integration = d.integration AND b.object = d.object AND b.series = d.series
    GROUP BY tenant, integration, object, series
)
COMMENT 'One window on its best basis';

-- Which hours of the four weeks before a window hold latencies. `same` is the same
-- hour of the week as one of the window.
CREATE OR REPLACE VIEW kpi_latency_hours_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', h.object])) AS object, series, basis,
    dateDiff('hour', min(h.hour), {from:DateTime64(3)}) / 24 AS days_seen, uniqExactIf(h.hour, h.same) AS same_hours, uniqExact(h.hour) AS hours,
    -- Until a week is seen, and where no such hour is, all of them count.
    days_seen < 7 OR same_hours = 0 AS needs_all
FROM
(
    SELECT tenant, integration, object, series, hour, arrayJoin(arrayDistinct(latency_basis)) AS basis,
        ((intDiv(toUnixTimestamp(hour), 3600) - intDiv(toUnixTimestamp({from:DateTime64(3)}), 3600)) % 168 + 168) % 168
            < greatest(1, dateDiff('hour', {from:DateTime64(3)}, {to:DateTime64(3)})) AS same
    FROM
    (
        SELECT tenant, integration, object, series, toStartOfHour(hour, 'UTC') AS hour, latency_basis
        FROM kpi_hours_raw
        WHERE hour >= {from:DateTime64(3)} - 2419200 AND hour < toStartOfHour({from:DateTime64(3)} - 3600, 'UTC')
        UNION ALL
        SELECT tenant, integration, object, series, toStartOfHour(minute, 'UTC'), latency_basis
        FROM kpi_minutes_raw
        WHERE minute >= greatest(toStartOfHour({from:DateTime64(3)} - 3600, 'UTC'), {from:DateTime64(3)} - 2419200) AND minute < {from:DateTime64(3)}
    )
) AS h
GROUP BY tenant, integration, object, series, basis
COMMENT 'How far a baseline has come';

-- What is normal: the median of the hourly p95 of the same hours of the week in the
-- four weeks before the window; until a week is seen, of all earlier hours.
-- Histograms are only read of the hours that count.
CREATE OR REPLACE VIEW kpi_latency_baseline_at AS
SELECT n.tenant AS tenant, n.integration AS integration, n.object AS object, n.series AS series, n.basis AS basis,
    any(n.days_seen) AS days_seen, any(n.same_hours) AS same_hours, any(n.hours) AS hours,
    multiIf(NOT any(n.needs_all), quantileExactIf(0.5)(p.p95, p.same), any(n.hours) >= 3, quantileExact(0.5)(p.p95), NULL) AS baseline
FROM plumbline.kpi_latency_hours_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS n
INNER JOIN
(
    SELECT tenant, integration, object, series, basis, hour, same, sum(e.n) AS arrived,
        arraySort(groupArrayIf((e.bucket, e.n), e.n != 0)) AS buckets,
        buckets.1[arrayFirstIndex(r -> r > toInt64(0.95 * arrived), arrayCumSum(buckets.2))] AS p95_bucket,
        sign(p95_bucket) * pow(1.02, abs(p95_bucket) - 1.5) AS p95
    FROM
    (
        SELECT tenant, integration, arrayJoin(arrayDistinct(['', o.object])) AS object, series, basis, toStartOfHour(at, 'UTC') AS hour,
            bucket, sum(o.n) AS n,
            ((intDiv(toUnixTimestamp(hour), 3600) - intDiv(toUnixTimestamp({from:DateTime64(3)}), 3600)) % 168 + 168) % 168
                < greatest(1, dateDiff('hour', {from:DateTime64(3)}, {to:DateTime64(3)})) AS same
        FROM plumbline.kpi_latency_samples_at(from = {from:DateTime64(3)} - 2419200, to = {from:DateTime64(3)}) AS o
        WHERE ((intDiv(toUnixTimestamp(at), 3600) - intDiv(toUnixTimestamp({from:DateTime64(3)}), 3600)) % 168 + 168) % 168
                < greatest(1, dateDiff('hour', {from:DateTime64(3)}, {to:DateTime64(3)}))
            OR (tenant, integration, series) IN (
                SELECT tenant, integration, series FROM plumbline.kpi_latency_hours_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) WHERE needs_all)
        GROUP BY tenant, integration, object, series, basis, hour, bucket
    ) AS e
    GROUP BY tenant, integration, object, series, basis, hour, same
    HAVING arrived > 0
) AS p
ON p.tenant = n.tenant AND p.integration = n.integration AND p.object = n.object AND p.series = n.series AND p.basis = n.basis
GROUP BY tenant, integration, object, series, basis
COMMENT 'Baseline of the latency of a window';

CREATE OR REPLACE VIEW kpi_latency_backlog_at AS
SELECT tenant, integration, arrayJoin(arrayDistinct(['', o.object])) AS object, series, toUInt64(sum(o.waiting)) AS backlog,
    max(o.age) AS oldest_waiting
FROM plumbline.kpi_latency_open_at(to = {to:DateTime64(3)}) AS o
WHERE o.age >= 0 AND o.waiting > 0
GROUP BY tenant, integration, object, series
COMMENT 'Changes that wait to arrive, due or not';

CREATE OR REPLACE VIEW kpi_sync_latency_at AS
SELECT tenant, integration, object, series, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(covered > 0, p95, NULL) AS value, 'ms' AS unit, on_time AS numerator, covered AS denominator, covered AS samples,
    target, if(baseline > 0, 3 * baseline, NULL) AS warning,
    if(known, on_time + young > toInt64(0.95 * covered), NULL) AS target_met,
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
        toUInt64(greatest(c.due, 0)) AS due, toUInt64(greatest(c.covered, 0)) AS covered, c.p95 AS p95,
        toUInt64(greatest(c.on_time, 0)) AS on_time, c.young AS young, c.basis AS basis, c.start_basis AS start_basis,
        w.resolution AS resolution, c.seen AS seen,
        c.covered > c.delivered AND coalesce(c.youngest_open <= c.p95 * 1.01, false) AS at_least,
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
        SELECT tenant, integration, object, series FROM plumbline.kpi_latency_due_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
        WHERE due_sum > 0
    ) AS k
    LEFT JOIN plumbline.kpi_latency_chosen_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS c
        ON c.tenant = k.tenant AND c.integration = k.integration AND c.object = k.object AND c.series = k.series
    LEFT JOIN plumbline.kpi_latency_backlog_at(to = {to:DateTime64(3)}) AS b
        ON b.tenant = k.tenant AND b.integration = k.integration AND b.object = k.object AND b.series = k.series
    LEFT JOIN plumbline.kpi_latency_baseline_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS n
        ON n.tenant = k.tenant AND n.integration = k.integration AND n.object = k.object AND n.series = k.series
        AND n.basis = c.basis
    LEFT JOIN plumbline.kpi_latency_within_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS w
        ON w.tenant = k.tenant AND w.integration = k.integration AND w.object = k.object AND w.series = k.series
        AND w.basis = c.basis
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
)
COMMENT 'KPI 2 over any window: kpi_sync_latency_at(from = , to = )';

-- The points of a chart, each step by itself, and step -1 for all. What is not
-- delivered stands where it was due, with its age.
CREATE OR REPLACE VIEW kpi_latency_trend_at AS
SELECT tenant, integration, series, basis, bucket, sum(n) AS covered, arraySort(groupArrayIf((b, n), n != 0)) AS buckets,
    arrayCumSum(buckets.2) AS ranks,
    buckets.1[arrayFirstIndex(r -> r > toInt64(0.95 * covered), ranks)] AS p95_bucket,
    buckets.1[arrayFirstIndex(r -> r > toInt64(0.5 * covered), ranks)] AS p50_bucket,
    sign(p95_bucket) * pow(1.02, abs(p95_bucket) - 1.5) AS p95,
    sign(p50_bucket) * pow(1.02, abs(p50_bucket) - 1.5) AS p50
FROM
(
    SELECT tenant, integration, series, basis, arrayJoin([-1, toInt64(intDiv(toUnixTimestamp(at), {step:UInt32}))]) AS bucket,
        e.bucket AS b, sum(e.n) AS n
    FROM
    (
        SELECT tenant, integration, series, at, basis, bucket, n
        FROM plumbline.kpi_latency_samples_at(
            from = if({step:UInt32} < 3600, {to:DateTime64(3)}, {from:DateTime64(3)}), to = {to:DateTime64(3)})
        UNION ALL
        SELECT tenant, integration, series, minute, basis, bucket, n
        FROM kpi_minutes_raw FINAL
        ARRAY JOIN latency_basis AS basis, latency_bucket AS bucket, latency_count AS n
        WHERE {step:UInt32} < 3600 AND minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)}
        UNION ALL
        SELECT tenant, integration, series, due_at, arrayJoin(['applied_event', 'applied_poll', 'applied_readback', 'acknowledged']), age_bucket, n
        FROM plumbline.kpi_latency_open_at(to = {to:DateTime64(3)})
        WHERE due_at >= {from:DateTime64(3)} AND due_at < {to:DateTime64(3)}
    ) AS e
    GROUP BY tenant, integration, series, basis, bucket, b
)
GROUP BY tenant, integration, series, basis, bucket
HAVING covered > 0
COMMENT 'Percentiles of latency over time: kpi_latency_trend_at(from = , to = , step = seconds)';
