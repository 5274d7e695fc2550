-- The additions that views 1 and 2 are sums of: everything they show has a column,
-- and hours hold what minutes hold, for whatever is read over weeks.

ALTER TABLE kpi_minutes_raw
    ADD COLUMN IF NOT EXISTS series LowCardinality(String) COMMENT '"" is live traffic; import: announced imports and first loads; run: reports of whole jobs, weighted by records' AFTER object,
    ADD COLUMN IF NOT EXISTS write_failures Int64 COMMENT 'Failed record writes, but for collateral ones' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS vendor_failures Int64 COMMENT 'Of those, a vendor outage by their own answer' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS waiting Int64 COMMENT 'Deliveries due in the minute that wait: observed, attempted, stalled, failed' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS observed Int64 COMMENT 'Of those, the observed ones: once overdue they are stalled with the next tick' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS not_applied Int64 COMMENT 'Deliveries due in the minute that were acknowledged and never taken' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS unobserved Int64 COMMENT 'Deliveries due in the minute that were acknowledged and that nobody saw' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS start_received Int64 COMMENT 'Deliveries due in the minute whose latency starts at receipt' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS tried Int64 COMMENT 'Deliveries due in the minute with an attempt' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS tries Int64 COMMENT 'Their attempts' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS first_ok Int64 COMMENT 'Of those, acknowledged with one attempt' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS failed_records Array(UInt64) COMMENT 'Hashes of records with a failure of their own, up to eight an addition' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS missed_records Array(UInt64) COMMENT 'Hashes of records that became misses, or are none any more' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS missed_counts Array(Int64) COMMENT 'Beside each of missed_records: +1 or -1' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS latency_basis Array(LowCardinality(String)) COMMENT 'Histogram of latencies: basis of each entry' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS latency_bucket Array(Int64) COMMENT 'Bucket of each entry: sign(ms) * ceil(log(abs(ms)) / log(1.02) + 1)' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS latency_count Array(Int64) COMMENT 'Deliveries of each entry, net' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS latency_on_time Array(Int64) COMMENT 'Deliveries under the latency target, an entry a basis' CODEC(ZSTD(1)),
    ADD COLUMN IF NOT EXISTS within_ms Map(LowCardinality(String), Int64) COMMENT 'How far latencies of a basis are known, in ms, at worst' CODEC(ZSTD(1));

CREATE TABLE IF NOT EXISTS kpi_hours_raw
(
    addition_id String COMMENT 'Id of the addition' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    series LowCardinality(String) COMMENT '"" is live traffic; import: announced imports and first loads; run: reports of whole jobs, weighted by records',
    hour DateTime64(3, 'UTC') COMMENT 'The hour added to: of the attempt, or of the deadline of the delivery' CODEC(Delta(8), ZSTD(1)),
    counts Map(LowCardinality(String), Int64) COMMENT 'Named sums: attempts/OPERATION/OUTCOME, deliveries/STATE, failures/CLASS/ATTRIBUTION, ...' CODEC(ZSTD(1)),
    attempts_ok Int64 COMMENT 'Write attempts that succeeded' CODEC(ZSTD(1)),
    attempts_ended Int64 COMMENT 'Write attempts that ended' CODEC(ZSTD(1)),
    due Int64 COMMENT 'Deliveries due in the hour' CODEC(ZSTD(1)),
    on_time Int64 COMMENT 'Of those, applied in time' CODEC(ZSTD(1)),
    missed Int64 COMMENT 'Of those, held up or wrong' CODEC(ZSTD(1)),
    write_failures Int64 COMMENT 'Failed record writes, but for collateral ones' CODEC(ZSTD(1)),
    vendor_failures Int64 COMMENT 'Of those, a vendor outage by their own answer' CODEC(ZSTD(1)),
    waiting Int64 COMMENT 'Deliveries due in the hour that wait: observed, attempted, stalled, failed' CODEC(ZSTD(1)),
    observed Int64 COMMENT 'Of those, the observed ones: once overdue they are stalled with the next tick' CODEC(ZSTD(1)),
    not_applied Int64 COMMENT 'Deliveries due in the hour that were acknowledged and never taken' CODEC(ZSTD(1)),
    unobserved Int64 COMMENT 'Deliveries due in the hour that were acknowledged and that nobody saw' CODEC(ZSTD(1)),
    start_received Int64 COMMENT 'Deliveries due in the hour whose latency starts at receipt' CODEC(ZSTD(1)),
    tried Int64 COMMENT 'Deliveries due in the hour with an attempt' CODEC(ZSTD(1)),
    tries Int64 COMMENT 'Their attempts' CODEC(ZSTD(1)),
    first_ok Int64 COMMENT 'Of those, acknowledged with one attempt' CODEC(ZSTD(1)),
    failed_records Array(UInt64) COMMENT 'Hashes of records with a failure of their own, up to eight an addition' CODEC(ZSTD(1)),
    missed_records Array(UInt64) COMMENT 'Hashes of records that became misses, or are none any more' CODEC(ZSTD(1)),
    missed_counts Array(Int64) COMMENT 'Beside each of missed_records: +1 or -1' CODEC(ZSTD(1)),
    latency_basis Array(LowCardinality(String)) COMMENT 'Histogram of latencies: basis of each entry' CODEC(ZSTD(1)),
    latency_bucket Array(Int64) COMMENT 'Bucket of each entry: sign(ms) * ceil(log(abs(ms)) / log(1.02) + 1)' CODEC(ZSTD(1)),
    latency_count Array(Int64) COMMENT 'Deliveries of each entry, net' CODEC(ZSTD(1)),
    latency_on_time Array(Int64) COMMENT 'Deliveries under the latency target, an entry a basis' CODEC(ZSTD(1)),
    within_ms Map(LowCardinality(String), Int64) COMMENT 'How far latencies of a basis are known, in ms, at worst' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the addition' CODEC(Delta(8), ZSTD(1)),
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(hour)
ORDER BY (tenant, integration, object, hour, addition_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Additions to hours, the same sums as in kpi_minutes; every copy: read kpi_hours';

CREATE OR REPLACE VIEW kpi_minutes
(
    addition_id String COMMENT 'Id of the addition',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    series LowCardinality(String) COMMENT '"" is live traffic; import: announced imports and first loads; run: reports of whole jobs, weighted by records',
    minute DateTime64(3, 'UTC') COMMENT 'The minute added to: of the attempt, or of the deadline of the delivery',
    counts Map(LowCardinality(String), Int64) COMMENT 'Named sums: attempts/OPERATION/OUTCOME, deliveries/STATE, failures/CLASS/ATTRIBUTION, ...',
    attempts_ok Int64 COMMENT 'Write attempts that succeeded',
    attempts_ended Int64 COMMENT 'Write attempts that ended',
    due Int64 COMMENT 'Deliveries due in the minute',
    on_time Int64 COMMENT 'Of those, applied in time',
    missed Int64 COMMENT 'Of those, held up or wrong',
    write_failures Int64 COMMENT 'Failed record writes, but for collateral ones',
    vendor_failures Int64 COMMENT 'Of those, a vendor outage by their own answer',
    waiting Int64 COMMENT 'Deliveries due in the minute that wait: observed, attempted, stalled, failed',
    observed Int64 COMMENT 'Of those, the observed ones: once overdue they are stalled with the next tick',
    not_applied Int64 COMMENT 'Deliveries due in the minute that were acknowledged and never taken',
    unobserved Int64 COMMENT 'Deliveries due in the minute that were acknowledged and that nobody saw',
    start_received Int64 COMMENT 'Deliveries due in the minute whose latency starts at receipt',
    tried Int64 COMMENT 'Deliveries due in the minute with an attempt',
    tries Int64 COMMENT 'Their attempts',
    first_ok Int64 COMMENT 'Of those, acknowledged with one attempt',
    failed_records Array(UInt64) COMMENT 'Hashes of records with a failure of their own, up to eight an addition',
    missed_records Array(UInt64) COMMENT 'Hashes of records that became misses, or are none any more',
    missed_counts Array(Int64) COMMENT 'Beside each of missed_records: +1 or -1',
    latency_basis Array(LowCardinality(String)) COMMENT 'Histogram of latencies: basis of each entry',
    latency_bucket Array(Int64) COMMENT 'Bucket of each entry: sign(ms) * ceil(log(abs(ms)) / log(1.02) + 1)',
    latency_count Array(Int64) COMMENT 'Deliveries of each entry, net',
    latency_on_time Array(Int64) COMMENT 'Deliveries under the latency target, an entry a basis',
    within_ms Map(LowCardinality(String), Int64) COMMENT 'How far latencies of a basis are known, in ms, at worst',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the addition',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    addition_id, tenant, integration, object, series, minute, counts, attempts_ok, attempts_ended, due, on_time,
    missed, write_failures, vendor_failures, waiting, observed, not_applied, unobserved, start_received, tried,
    tries, first_ok, failed_records, missed_records, missed_counts, latency_basis, latency_bucket, latency_count,
    latency_on_time, within_ms, updated_at, version
FROM kpi_minutes_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Additions to minutes: sum the rows of a minute, whatever number there are';

CREATE OR REPLACE VIEW kpi_hours
(
    addition_id String COMMENT 'Id of the addition',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    series LowCardinality(String) COMMENT '"" is live traffic; import: announced imports and first loads; run: reports of whole jobs, weighted by records',
    hour DateTime64(3, 'UTC') COMMENT 'The hour added to: of the attempt, or of the deadline of the delivery',
    counts Map(LowCardinality(String), Int64) COMMENT 'Named sums: attempts/OPERATION/OUTCOME, deliveries/STATE, failures/CLASS/ATTRIBUTION, ...',
    attempts_ok Int64 COMMENT 'Write attempts that succeeded',
    attempts_ended Int64 COMMENT 'Write attempts that ended',
    due Int64 COMMENT 'Deliveries due in the hour',
    on_time Int64 COMMENT 'Of those, applied in time',
    missed Int64 COMMENT 'Of those, held up or wrong',
    write_failures Int64 COMMENT 'Failed record writes, but for collateral ones',
    vendor_failures Int64 COMMENT 'Of those, a vendor outage by their own answer',
    waiting Int64 COMMENT 'Deliveries due in the hour that wait: observed, attempted, stalled, failed',
    observed Int64 COMMENT 'Of those, the observed ones: once overdue they are stalled with the next tick',
    not_applied Int64 COMMENT 'Deliveries due in the hour that were acknowledged and never taken',
    unobserved Int64 COMMENT 'Deliveries due in the hour that were acknowledged and that nobody saw',
    start_received Int64 COMMENT 'Deliveries due in the hour whose latency starts at receipt',
    tried Int64 COMMENT 'Deliveries due in the hour with an attempt',
    tries Int64 COMMENT 'Their attempts',
    first_ok Int64 COMMENT 'Of those, acknowledged with one attempt',
    failed_records Array(UInt64) COMMENT 'Hashes of records with a failure of their own, up to eight an addition',
    missed_records Array(UInt64) COMMENT 'Hashes of records that became misses, or are none any more',
    missed_counts Array(Int64) COMMENT 'Beside each of missed_records: +1 or -1',
    latency_basis Array(LowCardinality(String)) COMMENT 'Histogram of latencies: basis of each entry',
    latency_bucket Array(Int64) COMMENT 'Bucket of each entry: sign(ms) * ceil(log(abs(ms)) / log(1.02) + 1)',
    latency_count Array(Int64) COMMENT 'Deliveries of each entry, net',
    latency_on_time Array(Int64) COMMENT 'Deliveries under the latency target, an entry a basis',
    within_ms Map(LowCardinality(String), Int64) COMMENT 'How far latencies of a basis are known, in ms, at worst',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the addition',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    addition_id, tenant, integration, object, series, hour, counts, attempts_ok, attempts_ended, due, on_time,
    missed, write_failures, vendor_failures, waiting, observed, not_applied, unobserved, start_received, tried,
    tries, first_ok, failed_records, missed_records, missed_counts, latency_basis, latency_bucket, latency_count,
    latency_on_time, within_ms, updated_at, version
FROM kpi_hours_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Additions to hours, the same sums as in kpi_minutes';
