-- As 0037.
CREATE TABLE IF NOT EXISTS kpi_sync_latency_kept
(
    window String COMMENT '1h, 24h, 7d or 30d, ending at the last closed minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object String COMMENT 'Kind of record, empty = all of them',
    series String COMMENT 'Empty = live traffic; import and run stand beside it',
    window_start DateTime64(3) COMMENT 'First instant of the window',
    window_end DateTime64(3) COMMENT 'First instant after it: the minute it was counted at',
    value Nullable(Float64) COMMENT 'The KPI, null where it is not known',
    unit String COMMENT 'What value is counted in',
    numerator UInt64 COMMENT 'What value is made of',
    denominator UInt64 COMMENT 'What value is made of',
    samples UInt64 COMMENT 'How many it rests on',
    target Float64 COMMENT 'What value has to reach',
    warning Nullable(Float64) COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    basis String COMMENT 'What it was measured by',
    at_least UInt8 COMMENT 'The true value may be higher',
    start_basis String COMMENT 'event, received or mixed: where latency starts',
    resolution Int64 COMMENT 'Latencies are known to this many ms',
    on_time_share Nullable(Float64) COMMENT 'On time / measured',
    oldest_waiting Nullable(Int64) COMMENT 'Age of the oldest change that waits, ms',
    backlog UInt64 COMMENT 'Changes that wait',
    baseline Nullable(Float64) COMMENT 'What is usual at this hour of the week, ms',
    due UInt64 COMMENT 'Deliveries whose deadline passed',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
ENGINE = MergeTree
ORDER BY (tenant, integration, object, series, window)
COMMENT 'What kpi_sync_latency tells, as it was counted last: read that, it knows how old this is';

CREATE MATERIALIZED VIEW IF NOT EXISTS kpi_sync_latency_refresh
REFRESH EVERY 30 SECOND OFFSET 14 SECOND
TO kpi_sync_latency_kept EMPTY AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_latency_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), last = toDateTime64(toStartOfHour(toStartOfMinute(now('UTC')) - 3600), 3, 'UTC'),
    since = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 5011200, spans = [3600000, 86400000, 604800000, 2592000000],
    edges = [toStartOfHour(toStartOfMinute(now('UTC')) - 3600), toStartOfHour(toStartOfMinute(now('UTC')) - 86400),
        toStartOfHour(toStartOfMinute(now('UTC')) - 604800), toStartOfHour(toStartOfMinute(now('UTC')) - 2592000)])
WHERE series = ''
SETTINGS distributed_product_mode = 'global'
COMMENT 'Counts kpi_sync_latency anew';

CREATE OR REPLACE VIEW kpi_sync_latency
(
    window String COMMENT '1h, 24h, 7d or 30d, ending at the last closed minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object String COMMENT 'Kind of record, empty = all of them',
    series String COMMENT 'Empty = live traffic; import and run stand beside it',
    window_start DateTime64(3) COMMENT 'First instant of the window',
    window_end DateTime64(3) COMMENT 'First instant after it: the minute it was counted at',
    value Nullable(Float64) COMMENT 'The KPI, null where it is not known',
    unit String COMMENT 'What value is counted in',
    numerator UInt64 COMMENT 'What value is made of',
    denominator UInt64 COMMENT 'What value is made of',
    samples UInt64 COMMENT 'How many it rests on',
    target Float64 COMMENT 'What value has to reach',
    warning Nullable(Float64) COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    basis String COMMENT 'What it was measured by',
    at_least UInt8 COMMENT 'The true value may be higher',
    start_basis String COMMENT 'event, received or mixed: where latency starts',
    resolution Int64 COMMENT 'Latencies are known to this many ms',
    on_time_share Nullable(Float64) COMMENT 'On time / measured',
    oldest_waiting Nullable(Int64) COMMENT 'Age of the oldest change that waits, ms',
    backlog UInt64 COMMENT 'Changes that wait',
    baseline Nullable(Float64) COMMENT 'What is usual at this hour of the week, ms',
    due UInt64 COMMENT 'Deliveries whose deadline passed',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
AS SELECT * EXCEPT age REPLACE (
    if(age > 180, NULL, target_met) AS target_met, if(age > 180, NULL, warning_fired) AS warning_fired, if(age > 180, 'unknown', status) AS status,
    multiIf(age <= 180, severity, age >= 3600, 'ticket', '') AS severity, if(age > 180, 'blind', reason) AS reason,
    if(age > 180, concat('not counted for ', toString(intDiv(age, 60)), ' min'), detail) AS detail)
FROM (SELECT *, dateDiff('second', window_end, now64(3)) AS age FROM kpi_sync_latency_kept)
COMMENT 'KPI 2, sync latency in ms: p95 under 5 min (realtime) or 1 h (batch), warning over 3 baselines'
