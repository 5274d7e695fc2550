-- The five named views tell what changes once a minute, so it is counted once for everybody who
-- asks (adr/0016): a table that is refilled every half minute, seconds after a minute closed. The
-- five do so one after the other. A row whose minute is three minutes old is said to be unknown.
CREATE TABLE IF NOT EXISTS kpi_sync_success_rate_kept
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
    warning Float64 COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    basis String COMMENT 'What it was measured by',
    worst_day Nullable(Float64) COMMENT 'Lowest rate of any 24 h in it',
    record_success_rate Nullable(Float64) COMMENT 'Changes delivered in time / changes due',
    first_try_rate Nullable(Float64) COMMENT 'Records written with one try / records written',
    attempts_per_record Nullable(Float64) COMMENT 'Attempts / records',
    silent_failures UInt64 COMMENT 'Acknowledged and never taken',
    vendor_outage_share Nullable(Float64) COMMENT 'Share of failures during an outage of the vendor',
    waiting_changes UInt64 COMMENT 'Changes that are overdue',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
ENGINE = MergeTree
ORDER BY (tenant, integration, object, series, window)
COMMENT 'What kpi_sync_success_rate tells, as it was counted last: read that, it knows how old this is';

CREATE MATERIALIZED VIEW IF NOT EXISTS kpi_sync_success_rate_refresh
REFRESH EVERY 30 SECOND OFFSET 6 SECOND
TO kpi_sync_success_rate_kept EMPTY AS
SELECT transform(span, [3600000, 86400000, 604800000, 2592000000], ['1h', '24h', '7d', '30d'], '') AS window, * EXCEPT span
FROM plumbline.kpi_success_windows_at(to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'), last = toDateTime64(toStartOfHour(toStartOfMinute(now('UTC')) - 3600), 3, 'UTC'),
    spans = [3600000, 86400000, 604800000, 2592000000], reads = [2592000000, 604800000, 86400000, 3600000, 0])
WHERE series = ''
SETTINGS distributed_product_mode = 'global'
COMMENT 'Counts kpi_sync_success_rate anew';

CREATE OR REPLACE VIEW kpi_sync_success_rate
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
    warning Float64 COMMENT 'Where the warning begins',
    target_met Nullable(UInt8) COMMENT 'Null = not known',
    warning_fired Nullable(UInt8) COMMENT 'Null = not known',
    status String COMMENT 'ok, warning, breach or unknown',
    severity String COMMENT 'page, ticket or empty',
    reason String COMMENT 'Why it is unknown: no_data, low_sample, learning, blind, not_observed',
    detail String COMMENT 'In words',
    basis String COMMENT 'What it was measured by',
    worst_day Nullable(Float64) COMMENT 'Lowest rate of any 24 h in it',
    record_success_rate Nullable(Float64) COMMENT 'Changes delivered in time / changes due',
    first_try_rate Nullable(Float64) COMMENT 'Records written with one try / records written',
    attempts_per_record Nullable(Float64) COMMENT 'Attempts / records',
    silent_failures UInt64 COMMENT 'Acknowledged and never taken',
    vendor_outage_share Nullable(Float64) COMMENT 'Share of failures during an outage of the vendor',
    waiting_changes UInt64 COMMENT 'Changes that are overdue',
    data_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Newest that was counted'
)
AS SELECT * EXCEPT age REPLACE (
    if(age > 180, NULL, target_met) AS target_met, if(age > 180, NULL, warning_fired) AS warning_fired, if(age > 180, 'unknown', status) AS status,
    multiIf(age <= 180, severity, age >= 3600, 'ticket', '') AS severity, if(age > 180, 'blind', reason) AS reason,
    if(age > 180, concat('not counted for ', toString(intDiv(age, 60)), ' min'), detail) AS detail)
FROM (SELECT *, dateDiff('second', window_end, now64(3)) AS age FROM kpi_sync_success_rate_kept)
COMMENT 'KPI 1, sync success rate: target above 99 %, warning under 97 % over any 24 h'
