-- As in 0031, but an addition is copied once to all the places it counts at (object or all of them,
-- window or hour, basis), not in three steps with every list it has: that was a quarter of
-- what KPI 2 cost besides planning.
CREATE OR REPLACE VIEW kpi_latency_windows_at AS
SELECT span, tenant, integration, object, series, window_start, window_end,
    if(covered > 0, p95, NULL) AS value, 'ms' AS unit, on_time AS numerator, covered AS denominator, covered AS samples,
    target, if(baseline > 0, 3 * baseline, NULL) AS warning,
    if(known, met, NULL) AS target_met, if(known AND baseline IS NOT NULL, fired, NULL) AS warning_fired,
    multiIf(NOT known, 'unknown', NOT met, 'breach', baseline IS NULL, 'unknown', fired, 'warning', 'ok') AS status,
    multiIf(NOT known OR met AND baseline IS NULL, if(dateDiff('second', greatest(since, window_start), window_end) >= 3600, 'ticket', ''),
        coalesce(fired, false), if(priority = 'P2', 'ticket', 'page'), NOT met, 'ticket', '') AS severity,
    reason, multiIf(reason = 'low_sample', concat(toString(on_time), ' of ', toString(covered), ' on time'), skewed, 'clocks differ by more than a tenth of the target',
        days_seen < 7, concat('learning, day ', toString(toUInt32(floor(days_seen)) + 1), ' of 7'), '') AS detail,
    basis, at_least, start_basis, resolution, if(covered > 0, on_time / covered, NULL) AS on_time_share, oldest_waiting, backlog, baseline, due, data_through
FROM
(
    SELECT *, covered >= 30 AND NOT skewed AS known,
        multiIf(due = 0, 'no_data', covered = 0, 'not_observed', covered < 30, 'low_sample', skewed, 'not_observed', met AND baseline IS NULL, 'learning', '') AS reason
    FROM
    (
        SELECT c.span AS span, c.key.1 AS tenant, c.key.2 AS integration, c.key.3 AS object, c.key.4 AS series,
            {to:DateTime64(3)} - toIntervalMillisecond(c.span) AS window_start, {to:DateTime64(3)} AS window_end,
            c.best.2 AS basis, toUInt64(greatest(c.best.3, 0)) AS covered, c.best.4 AS p95, toUInt64(greatest(c.best.6, 0)) AS on_time,
            c.best.3 > c.best.9 AND coalesce(c.best.8 <= c.best.4 * 1.01, false) AS at_least, c.best.10 AS resolution,
            toUInt64(greatest(c.whole.4, 0)) AS due, c.whole.5 AS start_basis, if(c.whole.4 > 0, c.whole.6, NULL) AS data_through,
            toUInt64(c.backlog) AS backlog, if(c.backlog > 0, c.oldest, NULL) AS oldest_waiting, c.days_seen AS days_seen, c.baseline AS baseline,
            on_time + c.best.7 > toInt64(0.95 * covered) AS met, p95 > 3 * c.baseline AND p95 > 0.1 * target AS fired,
            s.priority AS priority, s.since AS since, if(s.target_ms > 0, s.target_ms, 300000.) AS target, -c.best.5 > 0.1 * target AS skewed
        FROM
        (
            SELECT key, span, backlog, oldest, whole, best, if(empty(normal), 0, days_seen) AS days_seen,
                if(notEmpty(normal) AND (NOT all_count OR seen_hours >= 3), toNullable(normal[intDiv(length(normal), 2) + 1]), NULL) AS baseline
            FROM
            (
                SELECT key, span, backlog, oldest, whole, best, days_seen, all_count, length(hours) AS seen_hours,
                    arraySort(arrayFilter((p, n, same) -> n > 0 AND (all_count OR same), hours.2, hours.3, hours.4)) AS normal
                FROM
                (
                    -- Until a week is seen, and where there is none of the same hours of the week, all of them count.
                    SELECT key, span, backlog, oldest, whole, best, hours, if(empty(hours), 0, (began - arrayMin(hours.1)) / 24) AS days_seen,
                        empty(hours) OR began - arrayMin(hours.1) < 168 OR NOT has(hours.4, 1) AS all_count
                    FROM
                    (
                        SELECT key, span, backlog, oldest, began, whole, best,
                            arrayMap(h -> (h.3, h.4, h.5, ((h.3 - began) % 168 + 168) % 168 < span_hours), arrayFilter(h -> h.1 = best.2 AND (h.2 = -span OR h.2 = 0 AND h.3 < began AND h.3 >= oldest_hour), counted)) AS hours
                        FROM
                        (
                            SELECT key, span, backlog, oldest, counted, began, whole, greatest(1, intDiv(toUnixTimestamp({to:DateTime64(3)}), 3600) - began) AS span_hours,
                                intDiv(toUnixTimestamp64Milli({to:DateTime64(3)}) - span - 2419200000 + 3599999, 3600000) AS oldest_hour,
                                if(first_fit.2 = '' AND arrayExists(w -> w.1 = span AND w.2 != '' AND w.9 > 0, bases), (span, '', 0, 0., 0., 0, 0, NULL, 0, 0), first_fit) AS best
                            FROM
                            (
                                -- The strongest basis that covers four fifths of what was due, and on which at least one
                                -- delivery was measured. With none delivered there are only the ages.
                                SELECT key, span, backlog, oldest, counted, bases, whole, began, arraySort(w -> indexOf(['applied_event', 'applied_poll', 'applied_readback', 'acknowledged', ''], w.2),
                                    arrayFilter(w -> w.1 = span AND (w.2 = '' OR w.9 > 0 AND w.3 >= 0.8 * whole.4), bases))[1] AS first_fit
                                FROM
                                (
                                    SELECT key, span, backlog, oldest, counted, bases, intDiv(toUnixTimestamp({to:DateTime64(3)} - toIntervalMillisecond(span)), 3600) AS began,
                                        arrayFirst(w -> w.1 = span, wholes) AS whole
                                    FROM
                                    (
                                        SELECT key, max(configured) AS known_here, sumIf(waits, slot.2 = -1 AND basis = '') AS backlog, maxIf(eldest, slot.2 = -1) AS oldest,
                                            groupArrayIf((slot.1, basis, covered, p95, p5, timely, fresh, youngest, covered - ages, within), slot.1 > 0 AND (basis = '' OR has(['applied_event', 'applied_poll', 'applied_readback', 'acknowledged'], basis))) AS bases,
                                            groupArrayIf((slot.1, '', 0, all_due, if(received = 0, 'event', if(received >= all_due, 'received', 'mixed')), seen), slot.1 > 0 AND basis = '') AS wholes,
                                            groupArrayIf((basis, slot.1, slot.2, p95, covered), slot.1 <= 0 AND slot.2 > 0) AS counted
                                        FROM
                                        (
                                            SELECT key, basis, slot, configured, waits, eldest, timely, fresh, youngest, ages, within, all_due, received, seen,
                                                arrayCumSum(e -> toInt64(bitAnd(e, 4294967295)) - 2147483648, entries) AS ranks, if(empty(ranks), 0, ranks[-1]) AS covered,
                                                if(covered <= 0, 4096, toInt64(bitShiftRight(entries[arrayFirstIndex(r -> r > toInt64(0.95 * covered), ranks)], 32))) - 4096 AS p95_bucket,
                                                if(covered <= 0, 4096, toInt64(bitShiftRight(entries[arrayFirstIndex(r -> r > toInt64(0.05 * covered), ranks)], 32))) - 4096 AS p5_bucket,
                                                sign(p95_bucket) * pow(1.02, abs(p95_bucket) - 1.5) AS p95, sign(p5_bucket) * pow(1.02, abs(p5_bucket) - 1.5) AS p5
                                            FROM
                                            (
                                                SELECT (tenant, integration, place.1, series) AS key, place.4 AS basis, (place.2, place.3) AS slot, max(e.configured) AS configured,
                                                    arraySort(groupArrayArray(multiIf(
                                                        length(had) = 0, if(basis = '' AND slot.1 <= 0, [], packed),
                                                        basis = '' OR NOT has(had, basis), [],
                                                        length(had) = 1, packed,
                                                        arrayFilter((p, b) -> b = basis, if(length(had) > 1, packed, []), mixed)))) AS entries,
                                                    sum(timely_of[indexOf(had, basis)]) AS timely,
                                                    sum(e.age_n) AS ages, sum(e.young) AS fresh, min(e.age) AS youngest, max(e.age) AS eldest, sum(e.waiting) AS waits,
                                                    max(within_ms[basis]) AS within, sum(e.due) + sum(e.unobserved) AS all_due, sum(e.start_received) AS received, max(updated_at) AS seen
                                                FROM
                                                (
                                                    -- What is below is copied to every place an addition counts at, so it is small first: lists by
                                                    -- basis are kept only where an addition has several.
                                                    SELECT tenant, integration, series, due, unobserved, start_received, updated_at, within_ms, age_n, young, age, waiting, configured, arrayDistinct(latency_basis) AS had,
                                                        arrayMap((b, n) -> bitShiftLeft(toUInt64(b + 4096), 32) + toUInt64(n + 2147483648), latency_bucket, latency_count) AS packed,
                                                        if(length(had) > 1, latency_basis, []) AS mixed,
                                                        if(length(had) <= 1, [arraySum(latency_on_time)], arrayMap(h -> arraySum(arrayFilter((n, b) -> b = h, latency_on_time, latency_basis)), had)) AS timely_of,
                                                        arrayFlatten(arrayMap(o -> arrayFlatten(arrayMap(s -> arrayMap(b -> (o, s.1, s.2, b),
                                                            multiIf(s.2 = -1, [''], s.1 <= 0, had, age IS NOT NULL, ['', 'applied_event', 'applied_poll', 'applied_readback', 'acknowledged'],
                                                                arrayDistinct(arrayConcat([''], had, mapKeys(within_ms))))), slots)), arrayDistinct(['', object]))) AS places
                                                    FROM
                                                    (
                                                        SELECT tenant, integration, object, series, latency_basis, latency_bucket, latency_count, latency_on_time, within_ms, due, unobserved, start_received, updated_at,
                                                            arrayConcat(arrayMap(s -> (s, 0), arrayFilter(s -> hour >= {to:DateTime64(3)} - toIntervalMillisecond(s), {spans:Array(Int64)})),
                                                                [(0, intDiv(toUnixTimestamp(hour), 3600))]) AS slots,
                                                            0 AS age_n, 0 AS young, NULL AS age, 0 AS waiting, 0 AS configured
                                                        FROM kpi_hours_raw
                                                        WHERE hour >= {since:DateTime64(3)} AND hour < {last:DateTime64(3)}
                                                        LIMIT 1 BY addition_id
                                                        UNION ALL
                                                        SELECT tenant, integration, object, series, latency_basis, latency_bucket, latency_count, latency_on_time, within_ms, due, unobserved, start_received, updated_at,
                                                            arrayConcat(
                                                                arrayMap(s -> (s, 0), arrayFilter(s -> minute >= {to:DateTime64(3)} - toIntervalMillisecond(s)
                                                                    AND (minute >= {last:DateTime64(3)} OR minute < toStartOfHour({to:DateTime64(3)} + toIntervalMillisecond(3599999 - s), 'UTC')), {spans:Array(Int64)})),
                                                                arrayMap(s -> (-s, intDiv(toUnixTimestamp(minute), 3600)), arrayFilter(s -> minute < {to:DateTime64(3)} - toIntervalMillisecond(s)
                                                                    AND minute >= least({last:DateTime64(3)}, toStartOfHour({to:DateTime64(3)} - toIntervalMillisecond(s), 'UTC')), {spans:Array(Int64)}))),
                                                            0, 0, NULL, 0, 0
                                                        FROM kpi_minutes_raw
                                                        WHERE minute >= {since:DateTime64(3)} AND minute < {to:DateTime64(3)} AND (minute >= {last:DateTime64(3)} OR has({edges:Array(DateTime('UTC'))}, toStartOfHour(minute, 'UTC')))
                                                        LIMIT 1 BY addition_id
                                                        UNION ALL
                                                        SELECT tenant, integration, object, series, [], [age_bucket], [n], [], map(), 0, 0, 0, toDateTime64(0, 3, 'UTC'),
                                                            arrayConcat(arrayMap(s -> (s, 0), arrayFilter(s -> due_at >= {to:DateTime64(3)} - toIntervalMillisecond(s) AND due_at < {to:DateTime64(3)}, {spans:Array(Int64)})),
                                                                if(age >= 0 AND waiting > 0, [(toInt64(0), toInt64(-1))], [])),
                                                            n, if(age < target_ms, n, 0), age, waiting, 0
                                                        FROM plumbline.kpi_latency_open_at(to = {to:DateTime64(3)})
                                                        UNION ALL
                                                        SELECT tenant, integration, object, '', [], [], [], [], map(), 0, 0, 0, toDateTime64(0, 3, 'UTC'), [(toInt64(0), toInt64(-1))], 0, 0, NULL, 0, 1 FROM integrations
                                                    )
                                                ) AS e
                                                ARRAY JOIN places AS place
                                                GROUP BY key, basis, slot
                                            )
                                        )
                                        GROUP BY key
                                    )
                                    ARRAY JOIN {spans:Array(Int64)} AS span
                                    WHERE known_here OR backlog > 0 OR arrayFirst(w -> w.1 = span, wholes).4 > 0
                                )
                            )
                        )
                    )
                )
            )
        ) AS c
        LEFT JOIN kpi_settings AS s ON s.tenant = c.key.1 AND s.integration = c.key.2
    )
)
SETTINGS optimize_and_compare_chain = 0
COMMENT 'KPI 2 over windows that end together, whatever their lengths'
