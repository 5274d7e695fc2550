-- Which failures are an incident's: those of its fingerprints from its onset to the
-- last one seen. One failure belongs to the newest incident that it fits.

ALTER TABLE incidents_raw
    ADD COLUMN IF NOT EXISTS fingerprints Array(String) COMMENT 'Fingerprints of its failures' CODEC(ZSTD(1)) AFTER steps;

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
    fingerprints Array(String) COMMENT 'Fingerprints of its failures, up to 64: failures.incident_id follows from them',
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
    records, predicate, reopened, recurrence, verdict_id, steps, fingerprints, updated_at, version,
    dateDiff('millisecond', onset_at, detected_at) AS detect_ms,
    dateDiff('millisecond', detected_at, acknowledged_at) AS acknowledge_ms,
    dateDiff('millisecond', detected_at, mitigated_at) AS fix_ms,
    dateDiff('millisecond', mitigated_at, resolved_at) AS drain_ms
FROM incidents_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What failures or divergences of one fingerprint grew into: one row an incident';

CREATE OR REPLACE VIEW failures
(
    failure_id String COMMENT 'Id of the failure',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    attempt_id String COMMENT 'The attempt that failed, empty for inferred ones',
    delivery_id String COMMENT 'The delivery that suffers',
    incident_id String COMMENT 'The incident it belongs to, once one is open: by its fingerprint and time',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    provider LowCardinality(String) COMMENT 'The system that answered',
    object LowCardinality(String) COMMENT 'Kind of record',
    operation LowCardinality(String) COMMENT 'What was tried',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When it failed',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    origin LowCardinality(String) COMMENT 'error or inferred',
    class LowCardinality(String) COMMENT 'auth, schema, rate_limit, duplicate, vendor_outage, network, other; an outage by the verdict that covers it, whatever the answer said',
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
    classified_class LowCardinality(String) COMMENT 'What its own answer said',
    classified_recoverability LowCardinality(String) COMMENT 'What its own answer said',
    classified_attribution LowCardinality(String) COMMENT 'What its own answer said'
)
AS WITH v.verdict_id != '' AND ifNull(f.occurred_at < v.ended_at, true) AS covered
SELECT
    f.failure_id AS failure_id, f.tenant AS tenant, f.integration AS integration, f.attempt_id AS attempt_id, f.delivery_id AS delivery_id,
    if(i.incident_id != '' AND f.occurred_at <= i.last_at, i.incident_id, f.incident_id) AS incident_id, f.record_key AS record_key, f.source_id AS source_id,
    f.target_id AS target_id, f.provider AS provider, f.object AS object, f.operation AS operation, f.occurred_at AS occurred_at, f.received_at AS received_at, f.origin AS origin,
    if(covered AND v.decided AND v.attribution = 'vendor' AND f.class IN ('auth', 'network', 'other'), 'vendor_outage', f.class) AS class,
    if(covered, v.recoverability, f.recoverability) AS recoverability,
    if(covered, v.attribution, f.attribution) AS attribution,
    if(covered, v.confidence, f.confidence) AS confidence,
    f.rule AS rule, if(covered, concat(v.evidence, '; the answer: ', f.evidence), f.evidence) AS evidence,
    f.fingerprint AS fingerprint, f.classifier_version AS classifier_version, if(covered, v.first_step, f.first_step) AS first_step, f.likely_cause AS likely_cause,
    f.collateral AS collateral, f.status AS status, f.code AS code, f.message AS message, f.actor_kind AS actor_kind, f.actor_id AS actor_id, f.actor_run AS actor_run, f.token AS token, f.version AS version,
    if(covered, v.verdict_id, '') AS verdict_id, NOT covered OR v.decided AS decided,
    f.class AS classified_class, f.recoverability AS classified_recoverability, f.attribution AS classified_attribution
FROM (SELECT * FROM failures_raw FINAL) AS f
LEFT ASOF JOIN
(
    SELECT * FROM verdicts_raw FINAL WHERE integration != ''
) AS v
ON f.tenant = v.tenant AND f.integration = v.integration AND f.provider = v.provider AND f.token = v.token
    AND f.class = v.class AND f.occurred_at >= v.started_at
LEFT ASOF JOIN
(
    SELECT tenant, integration, arrayJoin(fingerprints) AS fingerprint, incident_id, onset_at, last_at FROM incidents_raw FINAL
) AS i
ON f.tenant = i.tenant AND f.integration = i.integration AND f.fingerprint = i.fingerprint AND f.occurred_at >= i.onset_at
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Classified unsuccessful attempts, and silent failures with their inferred class, as the verdicts over time see them';
