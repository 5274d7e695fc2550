-- A vendor's outage is called one: what shows as refused tokens while the vendor
-- fails, decided by evidence over time, is class vendor_outage. What its own answer
-- said stays beside it (classified_class).

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
    f.failure_id, f.tenant, f.integration, f.attempt_id, f.delivery_id, f.incident_id, f.record_key, f.source_id,
    f.target_id, f.provider, f.object, f.operation, f.occurred_at, f.received_at, f.origin,
    if(covered AND v.decided AND v.attribution = 'vendor' AND f.class IN ('auth', 'network', 'other'), 'vendor_outage', f.class) AS class,
    if(covered, v.recoverability, f.recoverability) AS recoverability,
    if(covered, v.attribution, f.attribution) AS attribution,
    if(covered, v.confidence, f.confidence) AS confidence,
    f.rule, if(covered, concat(v.evidence, '; the answer: ', f.evidence), f.evidence) AS evidence,
    f.fingerprint, f.classifier_version, if(covered, v.first_step, f.first_step) AS first_step, f.likely_cause,
    f.collateral, f.status, f.code, f.message, f.actor_kind, f.actor_id, f.actor_run, f.token, f.version,
    if(covered, v.verdict_id, '') AS verdict_id, NOT covered OR v.decided AS decided,
    f.class AS classified_class, f.recoverability AS classified_recoverability, f.attribution AS classified_attribution
FROM (SELECT * FROM failures_raw FINAL) AS f
LEFT ASOF JOIN
(
    SELECT * FROM verdicts_raw FINAL WHERE integration != ''
) AS v
ON f.tenant = v.tenant AND f.integration = v.integration AND f.provider = v.provider AND f.token = v.token
    AND f.class = v.class AND f.occurred_at >= v.started_at
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Classified unsuccessful attempts, and silent failures with their inferred class, as the verdicts over time see them';
