-- KPI 4: a record that differs was compared, even if it was made after the last comparison
-- of everything: it stands in both terms. Where a sync stood still, those that nobody
-- had counted were more than all others.

ALTER TABLE divergences_raw ADD COLUMN IF NOT EXISTS made_at Nullable(DateTime64(3, 'UTC'))
COMMENT 'When the record was made, where its making was followed' CODEC(ZSTD(1)) AFTER refused_field;

CREATE OR REPLACE VIEW kpi_drift_records_at AS
SELECT tenant, integration, object, record_key, min(confirmed_at) AS first_confirmed,
    max(isNull(resolved_at) OR resolved_at >= {to:DateTime64(3)}) AS is_open, min(pre_existing) AS pre_existing,
    -- Each extra duplicate counts once; every other kind is the record itself.
    greatest(1, countIf(kind = 'duplicate')) AS n, ifNull(max(made_at), toDateTime64(0, 3, 'UTC')) AS made
FROM (SELECT * FROM divergences_raw FINAL)
WHERE state IN ('confirmed', 'resolved') AND confirmed_at IS NOT NULL AND confirmed_at < {to:DateTime64(3)}
    AND (isNull(resolved_at) OR resolved_at >= {from:DateTime64(3)})
GROUP BY tenant, integration, object, record_key
COMMENT 'Records with a confirmed divergence open at any time in a window';

CREATE OR REPLACE VIEW kpi_drift_compared_at AS
SELECT tenant, integration, object, max(toUInt64(compared)) AS compared,
    argMax(toUInt64(source_records + missing_in_source), started_at) AS records, max(state = 'sampled') AS sampled,
    max(compared_through) AS through, max(started_at) AS newest
FROM reconciliations
WHERE field = '' AND state IN ('complete', 'sampled') AND started_at >= {from:DateTime64(3)} AND started_at < {to:DateTime64(3)}
GROUP BY tenant, integration, object
COMMENT 'Records that comparisons of whole sets compared at least once in a window';

CREATE OR REPLACE VIEW kpi_drift_rate_at AS
SELECT tenant, integration, object, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(denominator > 0 AND NOT unseen, least(numerator / denominator, 1), NULL) AS value, 'ratio' AS unit, numerator, denominator, denominator AS samples,
    target, 1.5 AS warning,
    if(known, value < target, NULL) AS target_met, if(known, fastest > 1.5, NULL) AS warning_fired,
    multiIf(NOT known, 'unknown', value >= target, 'breach', fastest > 1.5, 'warning', 'ok') AS status,
    multiIf(NOT known, 'ticket', fastest > 1.5, if(priority = 'P2', 'ticket', 'page'), value >= target, 'ticket', '') AS severity,
    multiIf(denominator = 0, 'no_data', share < 0.5, 'not_observed', NOT known, 'blind', '') AS reason,
    multiIf(denominator = 0, 'never compared as a whole', unseen, concat(toString(held), ' changes missed their deadline and only ',
        toString(numerator), ' records were seen to differ: readers were blind'), concat(
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
        toUInt64(d.n) AS numerator, toUInt64(c.compared + d.young) AS denominator, toUInt64(d.fresh) AS new_records, toUInt64(d.old) AS pre_existing,
        toUInt64(d.is_open) AS open_now, if(c.records > 0, least((c.compared + d.young) / (c.records + d.young), 1), 0) AS share, c.sampled AS sampled, c.through AS through,
        a.fastest AS fastest, a.signal AS signal, if(s.thresholds['drift_target'] > 0, s.thresholds['drift_target'], 0.01) AS target,
        -- Changes that did not arrive by their deadline and that nobody saw differ, since
        -- readers were as blind as the sync, would be drift: more of them than was seen, and
        -- over the target, leave no number to tell.
        toUInt64(greatest(h.held, 0)) AS held, denominator > 0 AND held > 2 * numerator AND held - numerator >= target * denominator AS unseen,
        denominator > 0 AND share >= 0.5 AND NOT unseen AS known
    FROM integrations AS k
    LEFT JOIN
    (
        SELECT r.tenant AS tenant, r.integration AS integration, arrayJoin(['', r.object]) AS object, sum(r.n) AS n, sumIf(r.n, NOT r.pre_existing) AS fresh,
            sumIf(r.n, r.pre_existing) AS old, sumIf(r.n, r.is_open) AS is_open, sumIf(r.n, w.compared > 0 AND r.made > w.newest) AS young
        FROM plumbline.kpi_drift_records_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS r
        LEFT JOIN plumbline.kpi_drift_compared_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)}) AS w
            ON w.tenant = r.tenant AND w.integration = r.integration AND w.object = r.object
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
    LEFT JOIN
    (
        SELECT tenant, integration, arrayJoin(['', m.object]) AS object, sum(m.due) - sum(m.on_time) AS held
        FROM
        (
            SELECT tenant, integration, object, due, on_time FROM kpi_hours_raw
            WHERE due != on_time AND hour >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND hour < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC')
            LIMIT 1 BY addition_id
            UNION ALL
            SELECT tenant, integration, object, due, on_time FROM kpi_minutes_raw
            WHERE due != on_time AND minute >= {from:DateTime64(3)} AND minute < {to:DateTime64(3)}
                AND (minute >= toStartOfHour({to:DateTime64(3)} - 3600, 'UTC') OR minute < {from:DateTime64(3)} + 3600)
                AND NOT (minute >= toStartOfHour({from:DateTime64(3)} + toIntervalMillisecond(3599999), 'UTC') AND minute < toStartOfHour({to:DateTime64(3)} - 3600, 'UTC'))
            LIMIT 1 BY addition_id
        ) AS m
        GROUP BY tenant, integration, object
    ) AS h ON h.tenant = k.tenant AND h.integration = k.integration AND h.object = k.object
    LEFT JOIN kpi_settings AS s ON s.tenant = k.tenant AND s.integration = k.integration
)
COMMENT 'KPI 4 over any window: kpi_drift_rate_at(from = , to = )'
