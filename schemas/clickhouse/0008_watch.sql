-- What watch makes of partials: minutes that add up, incidents and alerts.

CREATE TABLE IF NOT EXISTS incidents_raw
(
    incident_id String COMMENT 'Hash of integration, fingerprint and first minute' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = several',
    fingerprint String COMMENT 'What its failures have in common' CODEC(ZSTD(1)),
    kind LowCardinality(String) COMMENT 'failures, silent, stalled, divergence',
    state LowCardinality(String) COMMENT 'open, acknowledged, mitigated, resolved',
    priority LowCardinality(String) COMMENT 'P1 or P2',
    class LowCardinality(String) COMMENT 'auth, schema, rate_limit, duplicate, vendor_outage, network, other',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    recoverability LowCardinality(String) COMMENT 'temporary or permanent',
    confidence Float64 COMMENT '0 to 1' CODEC(ZSTD(1)),
    provider LowCardinality(String) COMMENT 'The system that answered',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    title String COMMENT 'What broke' CODEC(ZSTD(1)),
    evidence String COMMENT 'Why, in words' CODEC(ZSTD(1)),
    first_step String COMMENT 'What to do first' CODEC(ZSTD(1)),
    onset_at DateTime64(3, 'UTC') COMMENT 'First affected change' CODEC(Delta(8), ZSTD(1)),
    detected_at DateTime64(3, 'UTC') COMMENT 'First classified failure or confirmed divergence' CODEC(Delta(8), ZSTD(1)),
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'A person took it' CODEC(ZSTD(1)),
    acknowledged_by String COMMENT 'Who' CODEC(ZSTD(1)),
    mitigated_at Nullable(DateTime64(3, 'UTC')) COMMENT 'It no longer grew' CODEC(ZSTD(1)),
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Every affected record was right again, or waived by name' CODEC(ZSTD(1)),
    resolved_by String COMMENT 'Who closed it, empty where the records themselves did' CODEC(ZSTD(1)),
    last_at DateTime64(3, 'UTC') COMMENT 'The last failure' CODEC(Delta(8), ZSTD(1)),
    failures Int64 COMMENT 'Failures seen' CODEC(ZSTD(1)),
    affected Int64 COMMENT 'Records affected, ever' CODEC(ZSTD(1)),
    open Int64 COMMENT 'Records not right yet' CODEC(ZSTD(1)),
    unverified Int64 COMMENT 'Records taken on the target\'s word' CODEC(ZSTD(1)),
    waived Int64 COMMENT 'Records waived by name' CODEC(ZSTD(1)),
    records Array(String) COMMENT 'Some of the affected records' CODEC(ZSTD(1)),
    predicate String COMMENT 'SQL that selects them all' CODEC(ZSTD(1)),
    reopened UInt32 COMMENT 'How often it came back within the flap hold' CODEC(ZSTD(1)),
    recurrence UInt32 COMMENT 'Which one of its fingerprint in 30 days' CODEC(ZSTD(1)),
    verdict_id String COMMENT 'The verdict that explains it' CODEC(ZSTD(1)),
    steps Array(String) COMMENT 'What people did: time, who, step, result' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the row' CODEC(Delta(8), ZSTD(1)),
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(detected_at)
ORDER BY (tenant, integration, incident_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What failures or divergences of one fingerprint grew into: one row an incident; every copy: read incidents';

CREATE OR REPLACE VIEW incidents
(
    incident_id String COMMENT 'Hash of integration, fingerprint and first minute',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = several',
    fingerprint String COMMENT 'What its failures have in common',
    kind LowCardinality(String) COMMENT 'failures, silent, stalled, divergence',
    state LowCardinality(String) COMMENT 'open, acknowledged, mitigated, resolved',
    priority LowCardinality(String) COMMENT 'P1 or P2',
    class LowCardinality(String) COMMENT 'auth, schema, rate_limit, duplicate, vendor_outage, network, other',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    recoverability LowCardinality(String) COMMENT 'temporary or permanent',
    confidence Float64 COMMENT '0 to 1',
    provider LowCardinality(String) COMMENT 'The system that answered',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    title String COMMENT 'What broke',
    evidence String COMMENT 'Why, in words',
    first_step String COMMENT 'What to do first',
    onset_at DateTime64(3, 'UTC') COMMENT 'First affected change',
    detected_at DateTime64(3, 'UTC') COMMENT 'First classified failure or confirmed divergence',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'A person took it',
    acknowledged_by String COMMENT 'Who',
    mitigated_at Nullable(DateTime64(3, 'UTC')) COMMENT 'It no longer grew',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Every affected record was right again, or waived by name',
    resolved_by String COMMENT 'Who closed it, empty where the records themselves did',
    last_at DateTime64(3, 'UTC') COMMENT 'The last failure',
    failures Int64 COMMENT 'Failures seen',
    affected Int64 COMMENT 'Records affected, ever',
    open Int64 COMMENT 'Records not right yet',
    unverified Int64 COMMENT 'Records taken on the target\'s word',
    waived Int64 COMMENT 'Records waived by name',
    records Array(String) COMMENT 'Some of the affected records',
    predicate String COMMENT 'SQL that selects them all',
    reopened UInt32 COMMENT 'How often it came back within the flap hold',
    recurrence UInt32 COMMENT 'Which one of its fingerprint in 30 days',
    verdict_id String COMMENT 'The verdict that explains it',
    steps Array(String) COMMENT 'What people did: time, who, step, result',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the row',
    version UInt64 COMMENT 'Offset of the last input folded into the row',
    detect_ms Int64 COMMENT 'From the first affected change to detection',
    acknowledge_ms Nullable(Int64) COMMENT 'From detection to acknowledgement',
    fix_ms Nullable(Int64) COMMENT 'From detection until it no longer grew',
    drain_ms Nullable(Int64) COMMENT 'From then until every record was right'
)
AS SELECT
    incident_id, tenant, integration, object, fingerprint, kind, state, priority, class, attribution, recoverability,
    confidence, provider, token, title, evidence, first_step, onset_at, detected_at, acknowledged_at,
    acknowledged_by, mitigated_at, resolved_at, resolved_by, last_at, failures, affected, open, unverified, waived,
    records, predicate, reopened, recurrence, verdict_id, steps, updated_at, version,
    dateDiff('millisecond', onset_at, detected_at) AS detect_ms,
    dateDiff('millisecond', detected_at, acknowledged_at) AS acknowledge_ms,
    dateDiff('millisecond', detected_at, mitigated_at) AS fix_ms,
    dateDiff('millisecond', mitigated_at, resolved_at) AS drain_ms
FROM incidents_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What failures or divergences of one fingerprint grew into: one row an incident';

CREATE TABLE IF NOT EXISTS kpi_minutes_raw
(
    addition_id String COMMENT 'Id of the addition' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    minute DateTime64(3, 'UTC') COMMENT 'The minute added to: of the attempt, or of the deadline of the delivery' CODEC(Delta(8), ZSTD(1)),
    counts Map(LowCardinality(String), Int64) COMMENT 'Named sums: attempts/OPERATION/OUTCOME, deliveries/STATE, latency/BASIS/BUCKET, ...' CODEC(ZSTD(1)),
    attempts_ok Int64 COMMENT 'Write attempts that succeeded' CODEC(ZSTD(1)),
    attempts_ended Int64 COMMENT 'Write attempts that ended' CODEC(ZSTD(1)),
    due Int64 COMMENT 'Deliveries due in the minute' CODEC(ZSTD(1)),
    on_time Int64 COMMENT 'Of those, applied in time' CODEC(ZSTD(1)),
    missed Int64 COMMENT 'Of those, held up or wrong' CODEC(ZSTD(1)),
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
PARTITION BY toYYYYMM(minute)
ORDER BY (tenant, integration, object, minute, addition_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Additions to minutes: sum the rows of a minute, whatever number there are; every copy: read kpi_minutes';

CREATE OR REPLACE VIEW kpi_minutes
(
    addition_id String COMMENT 'Id of the addition',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    minute DateTime64(3, 'UTC') COMMENT 'The minute added to: of the attempt, or of the deadline of the delivery',
    counts Map(LowCardinality(String), Int64) COMMENT 'Named sums: attempts/OPERATION/OUTCOME, deliveries/STATE, latency/BASIS/BUCKET, ...',
    attempts_ok Int64 COMMENT 'Write attempts that succeeded',
    attempts_ended Int64 COMMENT 'Write attempts that ended',
    due Int64 COMMENT 'Deliveries due in the minute',
    on_time Int64 COMMENT 'Of those, applied in time',
    missed Int64 COMMENT 'Of those, held up or wrong',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the addition',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    addition_id, tenant, integration, object, minute, counts, attempts_ok, attempts_ended, due, on_time, missed,
    updated_at, version
FROM kpi_minutes_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Additions to minutes: sum the rows of a minute, whatever number there are';

CREATE TABLE IF NOT EXISTS alerts_raw
(
    alert_id String COMMENT 'Hash of rule and subject' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    seq Int64 COMMENT 'Number of the change in its tenant: a gap is a missed alert' CODEC(ZSTD(1)),
    status LowCardinality(String) COMMENT 'firing, acknowledged, resolved, unknown',
    severity LowCardinality(String) COMMENT 'page, ticket, info',
    priority LowCardinality(String) COMMENT 'P1 or P2',
    rule LowCardinality(String) COMMENT 'What was found',
    object LowCardinality(String) COMMENT 'Kind of record',
    subject String COMMENT 'What it is about' CODEC(ZSTD(1)),
    since Nullable(DateTime64(3, 'UTC')) COMMENT 'When it broke' CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') COMMENT 'Stream time of this change' CODEC(Delta(8), ZSTD(1)),
    records_affected Int64 COMMENT 'Records affected' CODEC(ZSTD(1)),
    value Nullable(Float64) COMMENT 'What was measured' CODEC(ZSTD(1)),
    target Nullable(Float64) COMMENT 'What was wanted' CODEC(ZSTD(1)),
    numerator Int64 COMMENT 'Of the value' CODEC(ZSTD(1)),
    denominator Int64 COMMENT 'Of the value' CODEC(ZSTD(1)),
    unit LowCardinality(String) COMMENT 'ratio or ms',
    window LowCardinality(String) COMMENT '1h or 24h',
    reason LowCardinality(String) COMMENT 'Why it is unknown',
    class LowCardinality(String) COMMENT 'Class of failure',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    confidence Float64 COMMENT '0 to 1' CODEC(ZSTD(1)),
    provider LowCardinality(String) COMMENT 'The system concerned',
    summary String COMMENT 'In one line' CODEC(ZSTD(1)),
    first_step String COMMENT 'What to do first' CODEC(ZSTD(1)),
    incident_id String COMMENT 'The incident it tells of' CODEC(ZSTD(1)),
    caused_by String COMMENT 'The alert that explains it' CODEC(ZSTD(1)),
    acknowledged_by String COMMENT 'Who took it' CODEC(ZSTD(1)),
    silenced_until Nullable(DateTime64(3, 'UTC')) COMMENT 'Nobody is told before' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(observed_at)
ORDER BY (tenant, integration, alert_id, seq)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Every change of every alert, watchdogs included; every copy: read alerts';

CREATE OR REPLACE VIEW alerts
(
    alert_id String COMMENT 'Hash of rule and subject',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    seq Int64 COMMENT 'Number of the change in its tenant: a gap is a missed alert',
    status LowCardinality(String) COMMENT 'firing, acknowledged, resolved, unknown',
    severity LowCardinality(String) COMMENT 'page, ticket, info',
    priority LowCardinality(String) COMMENT 'P1 or P2',
    rule LowCardinality(String) COMMENT 'What was found',
    object LowCardinality(String) COMMENT 'Kind of record',
    subject String COMMENT 'What it is about',
    since Nullable(DateTime64(3, 'UTC')) COMMENT 'When it broke',
    observed_at DateTime64(3, 'UTC') COMMENT 'Stream time of this change',
    records_affected Int64 COMMENT 'Records affected',
    value Nullable(Float64) COMMENT 'What was measured',
    target Nullable(Float64) COMMENT 'What was wanted',
    numerator Int64 COMMENT 'Of the value',
    denominator Int64 COMMENT 'Of the value',
    unit LowCardinality(String) COMMENT 'ratio or ms',
    window LowCardinality(String) COMMENT '1h or 24h',
    reason LowCardinality(String) COMMENT 'Why it is unknown',
    class LowCardinality(String) COMMENT 'Class of failure',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    confidence Float64 COMMENT '0 to 1',
    provider LowCardinality(String) COMMENT 'The system concerned',
    summary String COMMENT 'In one line',
    first_step String COMMENT 'What to do first',
    incident_id String COMMENT 'The incident it tells of',
    caused_by String COMMENT 'The alert that explains it',
    acknowledged_by String COMMENT 'Who took it',
    silenced_until Nullable(DateTime64(3, 'UTC')) COMMENT 'Nobody is told before'
)
AS SELECT
    alert_id, tenant, integration, seq, status, severity, priority, rule, object, subject, since, observed_at,
    records_affected, value, target, numerator, denominator, unit, window, reason, class, attribution, confidence,
    provider, summary, first_step, incident_id, caused_by, acknowledged_by, silenced_until
FROM alerts_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Every change of every alert, watchdogs included';
