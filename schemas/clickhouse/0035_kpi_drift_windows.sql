-- KPI 4 of windows that end together in one pass, as the others since 0027, 0031 and 0032: it was
-- four plans, each with the differences read four times.
--
-- A difference is given to the windows it was open in (their length in ms), and, where a
-- schema signal was told, once more to those it was open in or in the week before (the length
-- negated): what is new after a signal is held against what was new before it.
-- `spans` are the lengths of the windows in ms, four at most.
CREATE OR REPLACE VIEW kpi_drift_windows_at AS
SELECT span, tenant, integration, object, {to:DateTime64(3)} - toIntervalMillisecond(span) AS window_start, {to:DateTime64(3)} AS window_end,
    if(denominator > 0 AND NOT unseen, least(numerator / denominator, 1), NULL) AS value, 'ratio' AS unit, numerator, denominator, denominator AS samples,
    target, 1.5 AS warning,
    if(known, value < target, NULL) AS target_met, if(known, fastest > 1.5, NULL) AS warning_fired,
    multiIf(NOT known, 'unknown', value >= target, 'breach', fastest > 1.5, 'warning', 'ok') AS status,
    multiIf(NOT known, 'ticket', fastest > 1.5, if(priority = 'P2', 'ticket', 'page'), value >= target, 'ticket', '') AS severity,
    multiIf(denominator = 0, 'no_data', share < 0.5, 'not_observed', NOT known, 'blind', '') AS reason,
    multiIf(denominator = 0, 'never compared as a whole', unseen, concat(toString(held), ' changes missed their deadline and only ',
        toString(numerator), ' records were seen to differ: readers were blind'), concat(
        toString(round(100 * new_records / denominator, 2)), ' % new, ', toString(round(100 * pre_existing / denominator, 2)), ' % already there; measured on ',
        toString(round(100 * share)), ' % of records', if(fastest > 1.5, concat('; faster since ', faster[-1].2), ''))) AS detail,
    new_records, pre_existing, open_now, share AS compared_share, sampled,
    -- Wilson's interval, where only a sample was compared.
    if(sampled, (value + 1.92 / denominator - 1.96 * sqrt((value * (1 - value) + 0.96 / denominator) / denominator)) / (1 + 3.84 / denominator), NULL) AS value_low,
    if(sampled, (value + 1.92 / denominator + 1.96 * sqrt((value * (1 - value) + 0.96 / denominator) / denominator)) / (1 + 3.84 / denominator), NULL) AS value_high,
    fastest AS acceleration, if(denominator > 0, through, NULL) AS data_through
FROM
(
    SELECT k.span AS span, k.tenant AS tenant, k.integration AS integration, k.object AS object, s.priority AS priority,
        toUInt64(d.n) AS numerator, toUInt64(c.compared + d.young) AS denominator, toUInt64(d.fresh) AS new_records, toUInt64(d.old) AS pre_existing,
        toUInt64(d.is_open) AS open_now, if(c.records > 0, least((c.compared + d.young) / (c.records + d.young), 1), 0) AS share, c.sampled AS sampled, c.through AS through,
        -- Does drift run faster after a schema signal? New differences in the day and in the week
        -- after it, against the seven days before: the lower 95 % bound of the ratio.
        arraySort(arrayMap(x -> (exp(log((x.4 / x.2) / (greatest(x.3, 0.5) / 7)) - 1.96 * sqrt(1 / greatest(x.4, 0.5) + 1 / greatest(x.3, 0.5))), x.1),
            arrayFilter(x -> x.4 >= 10, arrayFlatten(arrayMap(g -> arrayMap(days -> (g.2, days,
                    toFloat64(g.3 * arrayCount(at -> at < g.1 AND at >= g.1 - 604800, d.confirmed)), toFloat64(g.3 * arrayCount(at -> at >= g.1 AND at < g.1 + 86400 * days, d.confirmed))), [1, 7]),
                arrayFilter(g -> g.1 >= {to:DateTime64(3)} - toIntervalMillisecond(k.span), t.told)))))) AS faster,
        if(empty(faster), 0., faster[-1].1) AS fastest, if(s.thresholds['drift_target'] > 0, s.thresholds['drift_target'], 0.01) AS target,
        -- Changes that did not arrive by their deadline and that nobody saw differ, since
        -- readers were as blind as the sync, would be drift: more of them than was seen, and
        -- over the target, leave no number to tell.
        toUInt64(greatest(h.held, 0)) AS held, denominator > 0 AND held > 2 * numerator AND held - numerator >= target * denominator AS unseen,
        denominator > 0 AND share >= 0.5 AND NOT unseen AS known
    FROM (SELECT tenant, integration, object, arrayJoin({spans:Array(Int64)}) AS span FROM integrations) AS k
    LEFT JOIN
    (
        SELECT r.tenant AS tenant, r.integration AS integration, arrayJoin(['', r.object]) AS object, toInt64(abs(r.slot)) AS span, sumIf(r.n, r.slot > 0) AS n,
            sumIf(r.n, r.slot > 0 AND NOT r.pre_existing) AS fresh, sumIf(r.n, r.slot > 0 AND r.pre_existing) AS old, sumIf(r.n, r.slot > 0 AND r.is_open) AS is_open,
            sumIf(r.n, w.compared > 0 AND r.made > w.newest) AS young, groupArrayIf(r.first_confirmed, r.slot < 0 AND NOT r.pre_existing) AS confirmed
        FROM
        (
            SELECT tenant, integration, object, record_key, slot, assumeNotNull(min(confirmed_at)) AS first_confirmed,
                max(isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)}) AS is_open, min(pre_existing) AS pre_existing,
                -- Each extra duplicate counts once; every other kind is the record itself.
                greatest(1, countIf(kind = 'duplicate')) AS n, ifNull(max(made_at), toDateTime64(0, 3, 'UTC')) AS made
            FROM (SELECT * FROM divergences_raw FINAL)
            ARRAY JOIN arrayConcat(
                arrayFilter(s -> isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} - toIntervalMillisecond(s), {spans:Array(Int64)}),
                if((tenant, integration) IN (SELECT tenant, integration FROM signals_raw WHERE kind IN ('schema_change', 'picklist_change', 'mapping_change')
                        AND started_at < {to:DateTime64(3)} AND started_at >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)}))),
                    arrayMap(s -> -s, arrayFilter(s -> isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} - toIntervalMillisecond(s + 604800000), {spans:Array(Int64)})), [])) AS slot
            WHERE state IN ('confirmed', 'resolved') AND confirmed_at IS NOT NULL AND confirmed_at < {to:DateTime64(3)}
                AND (isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)}) + 604800000))
            GROUP BY tenant, integration, object, record_key, slot
        ) AS r
        LEFT JOIN
        (
            SELECT tenant, integration, object, arrayJoin({spans:Array(Int64)}) AS span, maxIf(toUInt64(compared), started_at >= {to:DateTime64(3)} - toIntervalMillisecond(span)) AS compared,
                maxIf(started_at, started_at >= {to:DateTime64(3)} - toIntervalMillisecond(span)) AS newest
            FROM reconciliations
            WHERE field = '' AND state IN ('complete', 'sampled') AND started_at < {to:DateTime64(3)} AND started_at >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)}))
            GROUP BY tenant, integration, object, span
        ) AS w ON w.tenant = r.tenant AND w.integration = r.integration AND w.object = r.object AND w.span = r.slot
        GROUP BY tenant, integration, object, span
    ) AS d ON d.tenant = k.tenant AND d.integration = k.integration AND d.object = k.object AND d.span = k.span
    LEFT JOIN
    (
        SELECT tenant, integration, arrayJoin(['', c.object]) AS object, span, sum(c.compared) AS compared, sum(c.records) AS records,
            max(c.sampled) AS sampled, min(c.through) AS through
        FROM
        (
            SELECT tenant, integration, object, span, max(toUInt64(compared)) AS compared,
                argMax(toUInt64(source_records + missing_in_source), started_at) AS records, max(state = 'sampled') AS sampled, max(compared_through) AS through
            FROM reconciliations
            ARRAY JOIN arrayFilter(s -> started_at >= {to:DateTime64(3)} - toIntervalMillisecond(s), {spans:Array(Int64)}) AS span
            WHERE field = '' AND state IN ('complete', 'sampled') AND started_at < {to:DateTime64(3)} AND started_at >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)}))
            GROUP BY tenant, integration, object, span
        ) AS c
        GROUP BY tenant, integration, object, span
    ) AS c ON c.tenant = k.tenant AND c.integration = k.integration AND c.object = k.object AND c.span = k.span
    LEFT JOIN
    (
        SELECT tenant, integration, groupArray((started_at, summary, n)) AS told
        FROM
        (
            SELECT tenant, integration, started_at, any(summary) AS summary, count() AS n
            FROM signals
            WHERE kind IN ('schema_change', 'picklist_change', 'mapping_change')
                AND started_at < {to:DateTime64(3)} AND started_at >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)}))
            GROUP BY tenant, integration, started_at
        )
        GROUP BY tenant, integration
    ) AS t ON t.tenant = k.tenant AND t.integration = k.integration
    LEFT JOIN
    (
        SELECT tenant, integration, arrayJoin(['', m.object]) AS object, span, sum(m.due) - sum(m.on_time) AS held
        FROM
        (
            SELECT tenant, integration, object, due, on_time,
                arrayFilter(s -> hour >= toStartOfHour({to:DateTime64(3)} + toIntervalMillisecond(3599999 - s), 'UTC'), {spans:Array(Int64)}) AS within
            FROM kpi_hours_raw
            WHERE due != on_time AND hour < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC') AND hour >= {to:DateTime64(3)} - toIntervalMillisecond(arrayMax({spans:Array(Int64)}))
            LIMIT 1 BY addition_id
            UNION ALL
            SELECT tenant, integration, object, due, on_time,
                arrayFilter(s -> minute >= {to:DateTime64(3)} - toIntervalMillisecond(s) AND (minute >= toStartOfHour({to:DateTime64(3)} - 3600, 'UTC')
                    OR minute < toStartOfHour({to:DateTime64(3)} + toIntervalMillisecond(3599999 - s), 'UTC')), {spans:Array(Int64)})
            FROM kpi_minutes_raw
            WHERE due != on_time AND minute < {to:DateTime64(3)} AND (minute >= toStartOfHour({to:DateTime64(3)} - 3600, 'UTC')
                OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({spans:Array(Int64)}[1]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {spans:Array(Int64)}[1])
                OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({spans:Array(Int64)}[2]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {spans:Array(Int64)}[2])
                OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({spans:Array(Int64)}[3]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {spans:Array(Int64)}[3])
                OR minute >= {to:DateTime64(3)} - toIntervalMillisecond({spans:Array(Int64)}[4]) AND minute < {to:DateTime64(3)} + toIntervalMillisecond(3600000 - {spans:Array(Int64)}[4]))
            LIMIT 1 BY addition_id
        ) AS m
        ARRAY JOIN within AS span
        GROUP BY tenant, integration, object, span
    ) AS h ON h.tenant = k.tenant AND h.integration = k.integration AND h.object = k.object AND h.span = k.span
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
)
COMMENT 'KPI 4 over windows that end together, whatever their lengths';

CREATE OR REPLACE VIEW kpi_drift_rate_at AS
SELECT * EXCEPT span
FROM plumbline.kpi_drift_windows_at(to = {to:DateTime64(3)}, spans = [dateDiff('millisecond', {from:DateTime64(3)}, {to:DateTime64(3)})])
COMMENT 'KPI 4 over any window: kpi_drift_rate_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_drift_rate AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_drift_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), spans = [3600000, 86400000, 604800000, 2592000000])
COMMENT 'KPI 4, data drift rate: under 1 % a month, warning when it accelerates after a schema change';

DROP VIEW IF EXISTS kpi_drift_acceleration_at;

DROP VIEW IF EXISTS kpi_drift_records_at;

DROP VIEW IF EXISTS kpi_drift_compared_at
