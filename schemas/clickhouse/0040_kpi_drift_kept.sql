-- As 0037.
CREATE TABLE IF NOT EXISTS kpi_drift_rate_kept
(
    window String COMMENT '1h, 24h, 7d or 30d, ending at the last closed minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = all of them',
    window_start DateTime64(3) COMMENT 'First instant of the window',
    window_end DateTime64(3) COMMENT 'First instant after it: the minute it was counted at',
    value Nullable(Float64) COMMENT 'The KPI, null where it is not known',
    unit String COMMENT 'What value is counted in',
    numerator UInt64 COMMENT 'What value is made of',
    denominator UInt64 COMMENT 'What value is made of',
    samples UInt64 COMMENT 'How many it rests on',
    target Float64 COMMENT 'What value has to reach',
    warning Float64 COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    new_records UInt64 COMMENT 'Equal before, and differ',
    pre_existing UInt64 COMMENT 'Differed at their first comparison',
    open_now UInt64 COMMENT 'Differ now',
    compared_share Float64 COMMENT 'Share of the records that was compared',
    sampled UInt8 COMMENT 'Rests on a sample',
    value_low Nullable(Float64) COMMENT 'Lower bound, of a sample',
    value_high Nullable(Float64) COMMENT 'Upper bound, of a sample',
    acceleration Float64 COMMENT 'How much faster records came to differ after a schema change',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
ENGINE = MergeTree
ORDER BY (tenant, integration, object, window)
COMMENT 'What kpi_drift_rate tells, as it was counted last: read that, it knows how old this is';

CREATE MATERIALIZED VIEW IF NOT EXISTS kpi_drift_rate_refresh
REFRESH EVERY 30 SECOND OFFSET 12 SECOND
TO kpi_drift_rate_kept EMPTY AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_drift_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), spans = [3600000, 86400000, 604800000, 2592000000])
SETTINGS distributed_product_mode = 'global'
COMMENT 'Counts kpi_drift_rate anew';

CREATE OR REPLACE VIEW kpi_drift_rate
(
    window String COMMENT '1h, 24h, 7d or 30d, ending at the last closed minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = all of them',
    window_start DateTime64(3) COMMENT 'First instant of the window',
    window_end DateTime64(3) COMMENT 'First instant after it: the minute it was counted at',
    value Nullable(Float64) COMMENT 'The KPI, null where it is not known',
    unit String COMMENT 'What value is counted in',
    numerator UInt64 COMMENT 'What value is made of',
    denominator UInt64 COMMENT 'What value is made of',
    samples UInt64 COMMENT 'How many it rests on',
    target Float64 COMMENT 'What value has to reach',
    warning Float64 COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    new_records UInt64 COMMENT 'Equal before, and differ',
    pre_existing UInt64 COMMENT 'Differed at their first comparison',
    open_now UInt64 COMMENT 'Differ now',
    compared_share Float64 COMMENT 'Share of the records that was compared',
    sampled UInt8 COMMENT 'Rests on a sample',
    value_low Nullable(Float64) COMMENT 'Lower bound, of a sample',
    value_high Nullable(Float64) COMMENT 'Upper bound, of a sample',
    acceleration Float64 COMMENT 'How much faster records came to differ after a schema change',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
AS SELECT * EXCEPT age REPLACE (
    if(age > 180, NULL, target_met) AS target_met, if(age > 180, NULL, warning_fired) AS warning_fired, if(age > 180, 'unknown', status) AS status,
    multiIf(age <= 180, severity, age >= 3600, 'ticket', '') AS severity, if(age > 180, 'blind', reason) AS reason,
    if(age > 180, concat('not counted for ', toString(intDiv(age, 60)), ' min'), detail) AS detail)
FROM (SELECT *, dateDiff('second', window_end, now64(3)) AS age FROM kpi_drift_rate_kept)
COMMENT 'KPI 4, data drift rate: under 1 % a month, warning when it accelerates after a schema change'
