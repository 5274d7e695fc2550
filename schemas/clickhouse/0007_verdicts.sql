-- Whose fault: verdicts over intervals, and failures seen through them. A failure
-- keeps what its own answer said (classified_*); a verdict that covers it says more,
-- also of failures from before it was reached.

CREATE TABLE IF NOT EXISTS verdicts_raw
(
    verdict_id String COMMENT 'Hash of line, class and first failure' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty for a verdict about the provider as a whole',
    provider LowCardinality(String) COMMENT 'The system that answered',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    class LowCardinality(String) COMMENT 'Class of the failures it is about',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    recoverability LowCardinality(String) COMMENT 'temporary or permanent',
    decided Bool COMMENT 'False while the evidence does not tell: nothing may be disconnected' CODEC(ZSTD(1)),
    confidence Float64 COMMENT '0 to 1' CODEC(ZSTD(1)),
    evidence String COMMENT 'In words, the strongest first' CODEC(ZSTD(1)),
    first_step String COMMENT 'What to do first' CODEC(ZSTD(1)),
    scope LowCardinality(String) COMMENT 'How far the cause reaches: provider, integration, token, endpoint',
    failures Int64 COMMENT 'Failures seen when this revision was written' CODEC(ZSTD(1)),
    started_at DateTime64(3, 'UTC') COMMENT 'The first failure' CODEC(Delta(8), ZSTD(1)),
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Behind the last failure, null while it lasts' CODEC(ZSTD(1)),
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the evidence was enough' CODEC(ZSTD(1)),
    revision UInt32 COMMENT 'Counts the changes of one verdict' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(started_at)
ORDER BY (tenant, integration, verdict_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Whose fault a run of failures is; every revision: read verdicts';

CREATE OR REPLACE VIEW verdicts
(
    verdict_id String COMMENT 'Hash of line, class and first failure',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty for a verdict about the provider as a whole',
    provider LowCardinality(String) COMMENT 'The system that answered',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    class LowCardinality(String) COMMENT 'Class of the failures it is about',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    recoverability LowCardinality(String) COMMENT 'temporary or permanent',
    decided Bool COMMENT 'False while the evidence does not tell: nothing may be disconnected',
    confidence Float64 COMMENT '0 to 1',
    headline String COMMENT 'The verdict in one line, with how long it has been open',
    evidence String COMMENT 'In words, the strongest first',
    first_step String COMMENT 'What to do first',
    scope LowCardinality(String) COMMENT 'How far the cause reaches: provider, integration, token, endpoint',
    failures Int64 COMMENT 'Failures seen when the last revision was written',
    started_at DateTime64(3, 'UTC') COMMENT 'The first failure',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Behind the last failure, null while it lasts',
    decided_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the evidence was enough',
    revision UInt32 COMMENT 'Counts the changes of one verdict',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    verdict_id, tenant, integration, provider, token, class, attribution, recoverability, decided, confidence,
    concat(
        class, multiIf(NOT decided, ', cause undecided', attribution = 'unknown', '', concat(', ', attribution)),
        if(isNull(ended_at), concat(' since ', toString(dateDiff('minute', started_at, now64(3, 'UTC'))), ' min'),
            concat(' for ', toString(dateDiff('minute', started_at, assumeNotNull(ended_at))), ' min')),
        if(class = 'auth' AND recoverability = 'temporary', ': do not disconnect', '')) AS headline,
    evidence, first_step, scope, failures, started_at, ended_at, decided_at, revision, version
FROM verdicts_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Whose fault a run of failures is, from evidence over time: one row a verdict';

CREATE OR REPLACE VIEW failures
(
    failure_id String COMMENT 'Id of the failure',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    attempt_id String COMMENT 'The attempt that failed, empty for inferred ones',
    delivery_id String COMMENT 'The delivery that suffers',
    incident_id String COMMENT 'The incident it belongs to',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    provider LowCardinality(String) COMMENT 'The system that answered',
    object LowCardinality(String) COMMENT 'Kind of record',
    operation LowCardinality(String) COMMENT 'What was tried',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it failed',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    origin LowCardinality(String) COMMENT 'error or inferred',
    class LowCardinality(String) COMMENT 'auth, schema, rate_limit, duplicate, vendor_outage, network, other',
    recoverability LowCardinality(String) COMMENT 'temporary or permanent, by the verdict that covers it where there is one',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown, by the verdict that covers it where there is one',
    confidence Float64 COMMENT '0 to 1',
    rule LowCardinality(String) COMMENT 'The rule that decided',
    evidence String COMMENT 'Why, in words: the verdict\'s first, then the answer\'s own',
    fingerprint String COMMENT 'Failures with one fingerprint are one problem',
    classifier_version LowCardinality(String) COMMENT 'Version of the rules',
    first_step String COMMENT 'What to do first',
    likely_cause String COMMENT 'In words',
    collateral Bool COMMENT 'The record was in a rolled-back batch: not written, but no failure of its own',
    status UInt16 COMMENT 'HTTP status, 0 = no answer',
    code LowCardinality(String) COMMENT 'The vendor\'s error code',
    message String COMMENT 'The vendor\'s error message',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted',
    actor_run String COMMENT 'The actor\'s run, for agents and jobs',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    version UInt64 COMMENT 'Offset of the last input folded into the row',
    verdict_id String COMMENT 'The verdict that covers it, empty where none does',
    decided Bool COMMENT 'False: the cause is still open, do not disconnect',
    classified_recoverability LowCardinality(String) COMMENT 'What its own answer said',
    classified_attribution LowCardinality(String) COMMENT 'What its own answer said'
)
AS WITH v.verdict_id != '' AND ifNull(f.occurred_at < v.ended_at, true) AS covered
SELECT
    f.failure_id, f.tenant, f.integration, f.attempt_id, f.delivery_id, f.incident_id, f.record_key, f.source_id,
    f.target_id, f.provider, f.object, f.operation, f.occurred_at, f.received_at, f.origin, f.class,
    if(covered, v.recoverability, f.recoverability) AS recoverability,
    if(covered, v.attribution, f.attribution) AS attribution,
    if(covered, v.confidence, f.confidence) AS confidence,
    f.rule, if(covered, concat(v.evidence, '; the answer: ', f.evidence), f.evidence) AS evidence,
    f.fingerprint, f.classifier_version, if(covered, v.first_step, f.first_step) AS first_step, f.likely_cause,
    f.collateral, f.status, f.code, f.message, f.actor_kind, f.actor_id, f.actor_run, f.token, f.version,
    if(covered, v.verdict_id, '') AS verdict_id, NOT covered OR v.decided AS decided,
    f.recoverability AS classified_recoverability, f.attribution AS classified_attribution
FROM (SELECT * FROM failures_raw FINAL) AS f
LEFT ASOF JOIN
(
    SELECT * FROM verdicts_raw FINAL WHERE integration != ''
) AS v
ON f.tenant = v.tenant AND f.integration = v.integration AND f.provider = v.provider AND f.token = v.token
    AND f.class = v.class AND f.occurred_at >= v.started_at
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Classified unsuccessful attempts, and silent failures with their inferred class, as the verdicts over time see them';
