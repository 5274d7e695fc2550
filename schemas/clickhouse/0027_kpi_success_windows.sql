-- KPI 1 in one pass. The four windows end at one instant, so they are read together,
-- and each addition is given to the windows it is in. A window takes whole hours from
-- kpi_hours, and from kpi_minutes its first minutes and its last hour, which is not
-- told as an hour yet. An addition never changes, so one of its copies is enough.
--
-- It is one statement, and its sums are one array, because planning used to cost more than
-- reading: a parameterised view is analysed twice each time it is named, so
-- views inside views inside views cost eightfold.
--
-- `to` is where windows end, `last` the hour from which minutes are read, `spans` their
-- lengths in ms, `reads` the same with the day for warnings, longest first, four at
-- most, and 0, which stands for all that ever waited. -1 marks what is configured.
-- `n` holds sums in this order: 1 attempts ok, 2 ended, 3 records on time, 4 due,
-- 5 not applied, 6 unobserved, 7 tried, 8 tries, 9 first ok, 10 write failures,
-- 11 a vendor's, 12 observed, 13 waiting.
CREATE OR REPLACE VIEW kpi_success_windows_at AS
SELECT span, tenant, integration, object, series, window_start, {to:DateTime64(3)} AS window_end,
    if(known, rate, if(denominator > 0, rate, NULL)) AS value, 'ratio' AS unit, numerator, denominator, denominator AS samples, target, warning,
    if(known, NOT missed, NULL) AS target_met, if(known, warned, NULL) AS warning_fired,
    multiIf(NOT known, 'unknown', missed, 'breach', warned, 'warning', 'ok') AS status,
    multiIf(warned, if(priority = 'P2', 'ticket', 'page'), missed OR NOT known AND old, 'ticket', '') AS severity,
    reason, if(denominator > 0 AND NOT known, concat(toString(denominator - numerator), ' of ', toString(denominator), ' failed'), '') AS detail,
    basis, worst_day, record_success_rate, first_try_rate, attempts_per_record, silent_failures, vendor_outage_share, waiting_changes, data_through
FROM
(
    SELECT *, numerator / denominator AS rate, denominator >= 30 AS known, denominator >= 30 AND numerator / denominator <= target AS missed,
        denominator >= 30 AND coalesce(worst_day < warning, false) AS warned, dateDiff('second', greatest(since, window_start), {to:DateTime64(3)}) >= 3600 AS old,
        multiIf(denominator >= 30, '', denominator > 0, 'low_sample', basis = 'attempts' AND waiting_changes > 0, 'blind', basis = 'records' AND unobserved > 0, 'not_observed', 'no_data') AS reason
    FROM
    (
        SELECT span, key.1 AS tenant, key.2 AS integration, key.3 AS object, key.4 AS series, {to:DateTime64(3)} - toIntervalMillisecond(span) AS window_start, basis, priority, since,
            toUInt64(if(basis = 'records', n[3], n[1])) AS numerator, toUInt64(if(basis = 'records', n[4], n[2])) AS denominator,
            nullIf(if(basis = 'records', records_worst, attempts_worst), 2) AS worst_day,
            if(thresholds['success_target'] > 0, thresholds['success_target'], 0.99) AS target,
            if(thresholds['success_warning'] > 0, thresholds['success_warning'], 0.97) AS warning,
            n[6] AS unobserved, if(key.4 = '' AND n[4] > 0, n[3] / n[4], NULL) AS record_success_rate, if(n[7] > 0, n[9] / n[7], NULL) AS first_try_rate,
            if(n[7] > 0, n[8] / n[7], NULL) AS attempts_per_record, toUInt64(n[5]) AS silent_failures, if(n[10] > 0, n[11] / n[10], NULL) AS vendor_outage_share,
            toUInt64(waiting) AS waiting_changes, if(seen > 0, seen, NULL) AS data_through
        FROM
        (
            SELECT m.span AS span, m.key AS key, m.w.1 AS n, m.w.2 AS seen, m.waiting AS waiting, s.priority AS priority, s.since AS since, s.thresholds AS thresholds,
                multiIf(m.key.4 = 'run', 'runs', s.reports IN ('errors_only', 'none'), 'records', 'attempts') AS basis,
                least(if(m.w.1 = [], 2., m.w.3), if(m.day.1 = [], 2., m.day.4)) AS attempts_worst, least(if(m.w.1 = [], 2., m.w.5), if(m.day.1 = [], 2., m.day.6)) AS records_worst
            FROM
            (
                SELECT key, span, parts[indexOf(have, span)] AS w, parts[indexOf(have, 86400000)] AS day, parts[indexOf(have, 0)].1[13] AS waiting
                FROM
                (
                                SELECT key, groupArray(span) AS have, groupArray((n, seen, attempts_low, if(n[2] >= 30 AND (failed_n >= 3 OR key.4 = 'run'), n[1] / n[2], 2.),
                        records_low, if(n[4] >= 30 AND missed_n + n[12] >= 3, n[3] / n[4], 2.))) AS parts
                FROM
                (
                    -- The worst 24 hours that end in a window: those that end with it to the minute, which are a
                    -- window of their own, those before by the hour. Only spans with 30 samples
                    -- and three records that failed can warn.
                    SELECT key, span, sumForEach(h.n) AS n, max(h.seen) AS seen,
                        min(if(span > 86400000 AND day[2] >= 30 AND (day_failed >= 3 OR key.4 = 'run'), day[1] / day[2], 2.)) AS attempts_low,
                        min(if(span > 86400000 AND day[4] >= 30 AND day_missed + day[12] >= 3, day[3] / day[4], 2.)) AS records_low,
                        length(groupUniqArrayArray(8)(failed)) AS failed_n, length(groupUniqArrayArray(8)(missed)) AS missed_n
                    FROM
                    (
                        SELECT key, span, n, failed, missed, seen, sumForEach(n) OVER day AS day, length(groupUniqArrayArray(8)(failed) OVER day) AS day_failed,
                            length(groupUniqArrayArray(8)(missed) OVER day) AS day_missed
                        FROM (SELECT key, span, hour, n, failed, arrayFilter((r, k) -> k > 0, net.1, net.2) AS missed, seen
                        FROM
                        (
                            SELECT (tenant, integration, arrayJoin(arrayDistinct(['', a.object])), series) AS key, span, intDiv(toUnixTimestamp(at), 3600) AS hour,
                                sumForEach(a.n) AS n, groupUniqArrayArray(8)(failed_records) AS failed,
                                sumMap(missed_records, missed_counts) AS net, max(updated_at) AS seen
                            FROM
                            (
                                SELECT tenant, integration, object, series, hour AS at, [attempts_ok, attempts_ended, on_time, due, not_applied, unobserved, tried, tries, first_ok, write_failures, vendor_failures, observed, waiting] AS n, failed_records, missed_records, missed_counts, updated_at,
                                    arrayFilter(s -> if(s = 0, waiting != 0 AND series = '', hour >= {to:DateTime64(3)} - toIntervalMillisecond(s)), {reads:Array(Int64)}) AS spans_in
                                FROM kpi_hours_raw
                                WHERE hour < {last:DateTime64(3)} AND series != 'import' AND (hour >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[1]) OR waiting != 0 AND series = '')
                                LIMIT 1 BY addition_id
                                UNION ALL
                                SELECT tenant, integration, object, series, minute, [attempts_ok, attempts_ended, on_time, due, not_applied, unobserved, tried, tries, first_ok, write_failures, vendor_failures, observed, waiting], failed_records, missed_records, missed_counts, updated_at,
                                    arrayFilter(s -> if(s = 0, waiting != 0 AND series = '' AND minute >= {last:DateTime64(3)}, minute >= {to:DateTime64(3)} - toIntervalMillisecond(s)
                                        AND (minute >= {last:DateTime64(3)} OR minute < toStartOfHour({to:DateTime64(3)} + toIntervalMillisecond(3599999 - s), 'UTC'))), {reads:Array(Int64)})
                                FROM kpi_minutes_raw
                                WHERE minute < {to:DateTime64(3)} AND series != 'import' AND (minute >= {last:DateTime64(3)}
                                    OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[1]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {reads:Array(Int64)}[1])
                                    OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[2]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {reads:Array(Int64)}[2])
                                    OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[3]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {reads:Array(Int64)}[3])
                                    OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[4]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {reads:Array(Int64)}[4]))
                                LIMIT 1 BY addition_id
                                UNION ALL
                                -- A verdict says that what shows as refused tokens is the vendor's: failures it covers
                                -- are his, by the minute, whatever their own answer said.
                                SELECT f.tenant, f.integration, f.object, '', f.minute, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, f.n, 0, 0], [], [], [], toDateTime64(0, 3, 'UTC'),
                                    arrayFilter(s -> s > 0 AND f.minute >= {to:DateTime64(3)} - toIntervalMillisecond(s), {reads:Array(Int64)})
                                FROM
                                (
                                    SELECT tenant, integration, object, minute, minute + toIntervalMillisecond(59999) AS until, splitByChar('/', name) AS path,
                                        path[2] AS class, path[3] AS provider, arrayStringConcat(arraySlice(path, 4), '/') AS token, n
                                    FROM kpi_minutes_raw FINAL
                                    ARRAY JOIN mapKeys(counts) AS name, mapValues(counts) AS n
                                    WHERE minute >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[1]) AND minute < {to:DateTime64(3)} AND write_failures > 0
                                        AND startsWith(name, 'write_failures/') AND class IN ('auth', 'network', 'other')
                                        AND (tenant, integration) IN (
                                            SELECT tenant, integration FROM verdicts_raw
                                            WHERE decided AND attribution = 'vendor' AND started_at < {to:DateTime64(3)} AND coalesce(ended_at >= {to:DateTime64(3)} - toIntervalMillisecond({reads:Array(Int64)}[1]), true))
                                ) AS f
                                ASOF INNER JOIN (SELECT * FROM verdicts_raw FINAL WHERE integration != '') AS v
                                ON f.tenant = v.tenant AND f.integration = v.integration AND f.provider = v.provider AND f.token = v.token
                                    AND f.class = v.class AND f.until >= v.started_at
                                WHERE coalesce(f.minute < v.ended_at, true) AND v.decided AND v.attribution = 'vendor'
                                UNION ALL
                                SELECT tenant, integration, object, '', {to:DateTime64(3)}, emptyArrayInt64(), [], [], [], toDateTime64(0, 3, 'UTC'), [toInt64(-1)] FROM integrations
                            ) AS a
                            ARRAY JOIN spans_in AS span
                            GROUP BY key, span, hour
                        ))
                        WINDOW day AS (PARTITION BY key, span ORDER BY hour RANGE BETWEEN 23 PRECEDING AND CURRENT ROW)
                    ) AS h
                    GROUP BY key, span
                )
                    GROUP BY key
                )
                ARRAY JOIN {spans:Array(Int64)} AS span
                WHERE hasAny(have, [-1, span, 86400000]) OR waiting > 0
            ) AS m
            LEFT JOIN kpi_settings AS s ON s.tenant = m.key.1 AND s.integration = m.key.2
        )
    )
)
SETTINGS do_not_merge_across_partitions_select_final = 1, optimize_and_compare_chain = 0
COMMENT 'KPI 1 over windows that end together, whatever their lengths';

CREATE OR REPLACE VIEW kpi_sync_success_rate_at AS
SELECT * EXCEPT span
FROM plumbline.kpi_success_windows_at(to = {to:DateTime64(3)}, last = toStartOfHour({to:DateTime64(3)} - 3600, 'UTC'), spans = [dateDiff('millisecond', {from:DateTime64(3)}, {to:DateTime64(3)})],
    reads = arrayReverseSort(arrayDistinct([dateDiff('millisecond', {from:DateTime64(3)}, {to:DateTime64(3)}), 86400000, 0])))
COMMENT 'KPI 1 over any window: kpi_sync_success_rate_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_sync_success_rate_series AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_success_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), last = toDateTime64(toStartOfHour(toStartOfMinute(now('UTC')) - 3600), 3, 'UTC'),
    spans = [3600000, 86400000, 604800000, 2592000000], reads = [2592000000, 604800000, 86400000, 3600000, 0])
COMMENT 'As kpi_sync_success_rate, with run-level reports beside in a series of their own';

CREATE OR REPLACE VIEW kpi_sync_success_rate AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_success_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), last = toDateTime64(toStartOfHour(toStartOfMinute(now('UTC')) - 3600), 3, 'UTC'),
    spans = [3600000, 86400000, 604800000, 2592000000], reads = [2592000000, 604800000, 86400000, 3600000, 0])
WHERE series = ''
COMMENT 'KPI 1, sync success rate: target above 99 %, warning under 97 % over any 24 h';

DROP VIEW IF EXISTS kpi_success_measured_at;

DROP VIEW IF EXISTS kpi_success_sums_at;

DROP VIEW IF EXISTS kpi_success_hours_at;

DROP VIEW IF EXISTS kpi_success_worst_day_at;

DROP VIEW IF EXISTS kpi_success_beside_at;

DROP VIEW IF EXISTS kpi_vendor_failures_at
