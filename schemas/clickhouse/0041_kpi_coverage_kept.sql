-- As 0037.
CREATE TABLE IF NOT EXISTS kpi_reconciliation_coverage_kept
(
    window String COMMENT '1h, 24h, 7d or 30d, ending at the last closed minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object String COMMENT 'Kind of record, empty = all of them',
    window_start DateTime64(3) COMMENT 'First instant of the window',
    window_end DateTime64(3) COMMENT 'First instant after it: the minute it was counted at',
    value Nullable(Float64) COMMENT 'The KPI, null where it is not known',
    unit String COMMENT 'What value is counted in',
    numerator Float64 COMMENT 'What value is made of',
    denominator Float64 COMMENT 'What value is made of',
    samples UInt64 COMMENT 'How many it rests on',
    target Float64 COMMENT 'What value has to reach',
    warning Float64 COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    records_share Nullable(Float64) COMMENT 'Share of the records that was compared in time',
    blocked_by String COMMENT 'What holds it back',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
ENGINE = MergeTree
ORDER BY (tenant, integration, object, window)
COMMENT 'What kpi_reconciliation_coverage tells, as it was counted last: read that, it knows how old this is';

CREATE MATERIALIZED VIEW IF NOT EXISTS kpi_reconciliation_coverage_refresh
REFRESH EVERY 30 SECOND OFFSET 10 SECOND
TO kpi_reconciliation_coverage_kept EMPTY AS
SELECT w.1 AS window, tenant, integration, object, window_end - w.2 AS window_start, window_end, value, unit, numerator, denominator, samples, target, warning, target_met, warning_fired, status, severity, reason, detail, records_share, blocked_by, data_through
FROM
(
    SELECT *, arrayJoin([('1h', 3600), ('24h', 86400), ('7d', 604800), ('30d', 2592000)]) AS w
    FROM plumbline.kpi_reconciliation_coverage_at(
        from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
)
SETTINGS distributed_product_mode = 'global'
COMMENT 'Counts kpi_reconciliation_coverage anew';

CREATE OR REPLACE VIEW kpi_reconciliation_coverage
(
    window String COMMENT '1h, 24h, 7d or 30d, ending at the last closed minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object String COMMENT 'Kind of record, empty = all of them',
    window_start DateTime64(3) COMMENT 'First instant of the window',
    window_end DateTime64(3) COMMENT 'First instant after it: the minute it was counted at',
    value Nullable(Float64) COMMENT 'The KPI, null where it is not known',
    unit String COMMENT 'What value is counted in',
    numerator Float64 COMMENT 'What value is made of',
    denominator Float64 COMMENT 'What value is made of',
    samples UInt64 COMMENT 'How many it rests on',
    target Float64 COMMENT 'What value has to reach',
    warning Float64 COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    records_share Nullable(Float64) COMMENT 'Share of the records that was compared in time',
    blocked_by String COMMENT 'What holds it back',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
AS SELECT * EXCEPT age REPLACE (
    if(age > 180, NULL, target_met) AS target_met, if(age > 180, NULL, warning_fired) AS warning_fired, if(age > 180, 'unknown', status) AS status,
    multiIf(age <= 180, severity, age >= 3600, 'ticket', '') AS severity, if(age > 180, 'blind', reason) AS reason,
    if(age > 180, concat('not counted for ', toString(intDiv(age, 60)), ' min'), detail) AS detail)
FROM (SELECT *, dateDiff('second', window_end, now64(3)) AS age FROM kpi_reconciliation_coverage_kept)
COMMENT 'KPI 5, reconciliation coverage: target above 95 % of critical sets, warning on any gap'
