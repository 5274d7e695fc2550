-- What Plumbline made of it. A row replaces the one before it with a smaller
-- _rank; divergences are not partitioned, because one that comes back keeps its id
-- and starts anew.

CREATE TABLE IF NOT EXISTS failures_raw
(
    failure_id String COMMENT 'Id of the failure' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    attempt_id String COMMENT 'The attempt that failed, empty for inferred ones' CODEC(ZSTD(1)),
    delivery_id String COMMENT 'The delivery that suffers' CODEC(ZSTD(1)),
    incident_id String COMMENT 'The incident it belongs to' CODEC(ZSTD(1)),
    record_key String COMMENT 'Canonical record: integration/object/source id' CODEC(ZSTD(1)),
    source_id String COMMENT 'Native id in the source system' CODEC(ZSTD(1)),
    target_id String COMMENT 'Native id in the target system' CODEC(ZSTD(1)),
    provider LowCardinality(String) COMMENT 'The system that answered',
    object LowCardinality(String) COMMENT 'Kind of record',
    operation LowCardinality(String) COMMENT 'What was tried',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it failed' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    origin LowCardinality(String) COMMENT 'error or inferred',
    class LowCardinality(String) COMMENT 'auth, schema, rate_limit, duplicate, vendor_outage, network, other',
    recoverability LowCardinality(String) COMMENT 'temporary or permanent',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    confidence Float64 COMMENT '0 to 1' CODEC(ZSTD(1)),
    rule LowCardinality(String) COMMENT 'The rule that decided',
    evidence String COMMENT 'Why, in words' CODEC(ZSTD(1)),
    fingerprint String COMMENT 'Failures with one fingerprint are one problem' CODEC(ZSTD(1)),
    classifier_version LowCardinality(String) COMMENT 'Version of the rules',
    first_step String COMMENT 'What to do first' CODEC(ZSTD(1)),
    likely_cause String COMMENT 'In words' CODEC(ZSTD(1)),
    collateral Bool COMMENT 'The record was in a rolled-back batch: not written, but no failure of its own' CODEC(ZSTD(1)),
    status UInt16 COMMENT 'HTTP status, 0 = no answer' CODEC(ZSTD(1)),
    code LowCardinality(String) COMMENT 'The vendor\'s error code',
    message String COMMENT 'The vendor\'s error message' CODEC(ZSTD(1)),
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_run String COMMENT 'The actor\'s run, for agents and jobs' CODEC(ZSTD(1)),
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, failure_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Classified unsuccessful attempts, and silent failures with their inferred class; every copy: read failures';

CREATE TABLE IF NOT EXISTS deliveries_raw
(
    delivery_id String COMMENT 'Hash of integration, object, key, change id' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id' CODEC(ZSTD(1)),
    source_id String COMMENT 'Native id in the source system' CODEC(ZSTD(1)),
    target_id String COMMENT 'Native id in the target system' CODEC(ZSTD(1)),
    change_id String COMMENT 'Event id of the change' CODEC(ZSTD(1)),
    operation LowCardinality(String) COMMENT 'What the change did',
    state LowCardinality(String) COMMENT 'observed, attempted, acknowledged, applied, verified, failed, stalled, not_applied, overwritten, unobserved, superseded',
    changed_at DateTime64(3, 'UTC') COMMENT 'When the source record changed' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The deadline: from then on it counts, delivered or not' CODEC(ZSTD(1)),
    first_attempt_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First attempt that covers it' CODEC(ZSTD(1)),
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the target\'s API said ok' CODEC(ZSTD(1)),
    applied_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the value was seen in the target' CODEC(ZSTD(1)),
    verified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When a whole-record comparison was equal' CODEC(ZSTD(1)),
    latency_ms Nullable(Int64) COMMENT 'Signed: skewed clocks are shown, not hidden; null until delivered' CODEC(ZSTD(1)),
    latency_basis LowCardinality(String) COMMENT 'applied_event, applied_poll, applied_readback, acknowledged',
    start_basis LowCardinality(String) COMMENT 'event: latency starts at the change; received: at its receipt',
    resolution_ms Int64 COMMENT 'Latency is known to this much' CODEC(ZSTD(1)),
    attempts UInt32 COMMENT 'Attempts seen' CODEC(ZSTD(1)),
    late Bool COMMENT 'Delivered after its deadline' CODEC(ZSTD(1)),
    coerced Bool COMMENT 'The sync user wrote another value' CODEC(ZSTD(1)),
    series LowCardinality(String) COMMENT 'import for announced imports and first loads',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_run String COMMENT 'The actor\'s run, for agents and jobs' CODEC(ZSTD(1)),
    superseded_by String COMMENT 'The newer change of the same field' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of that input' CODEC(Delta(8), ZSTD(1)),
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1,
    INDEX by_due due_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, delivery_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The passage of each change to the target, as it now stands; every copy: read deliveries';

CREATE TABLE IF NOT EXISTS divergences_raw
(
    divergence_id String COMMENT 'Hash of integration, object, key, field, kind' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id' CODEC(ZSTD(1)),
    source_id String COMMENT 'Native id in the source system' CODEC(ZSTD(1)),
    target_id String COMMENT 'Native id in the target system' CODEC(ZSTD(1)),
    delivery_id String COMMENT 'The delivery that left it behind' CODEC(ZSTD(1)),
    field LowCardinality(String) COMMENT 'Empty = the record as a whole',
    kind LowCardinality(String) COMMENT 'missing_in_target, missing_in_source, value_mismatch, stale, duplicate',
    difference LowCardinality(String) COMMENT 'blank_in_target, blank_in_source, truncated, format_only, picklist, coerced, owner, association, other',
    class LowCardinality(String) COMMENT 'Inferred class of failure',
    state LowCardinality(String) COMMENT 'pending, confirmed, accepted, resolved, out_of_scope',
    source_value String COMMENT 'As a person may see it' CODEC(ZSTD(1)),
    target_value String COMMENT 'As a person may see it' CODEC(ZSTD(1)),
    source_modified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last modified in the source' CODEC(ZSTD(1)),
    target_modified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last modified in the target' CODEC(ZSTD(1)),
    target_writer String COMMENT 'Who wrote the target last: kind:id' CODEC(ZSTD(1)),
    first_seen_at DateTime64(3, 'UTC') COMMENT 'When it was first seen' CODEC(Delta(8), ZSTD(1)),
    confirmed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was confirmed' CODEC(ZSTD(1)),
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was gone' CODEC(ZSTD(1)),
    found_by LowCardinality(String) COMMENT 'poll, readback, reconcile, echo',
    pre_existing Bool COMMENT 'Divergent at its first comparison' CODEC(ZSTD(1)),
    accepted_by String COMMENT 'Who accepted it' CODEC(ZSTD(1)),
    cause String COMMENT 'What explains it' CODEC(ZSTD(1)),
    incident_id String COMMENT 'The incident it belongs to' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of that input' CODEC(Delta(8), ZSTD(1)),
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
ORDER BY (tenant, integration, divergence_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records, or fields of them, that differ between the two systems, as they now stand; every copy: read divergences';
