-- One record is found at once. Under FINAL an index on record_key was of little use: to be exact the server
-- read every range again in which a newer version of a row could lie, and ids are hashes, so that was all of
-- them. A newer version has the same record_key, which is part of what its id is a hash of, or the same event:
-- there is nothing to read again. That is not so of due_at, whose index is left alone.

CREATE OR REPLACE VIEW changes
(
    event_id String COMMENT 'Id of the event; redeliveries share it',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    side LowCardinality(String) COMMENT 'source or target',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    account LowCardinality(String) COMMENT 'Portal or org in the system',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_id String COMMENT 'Native id of the record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    operation LowCardinality(String) COMMENT 'create, update, delete, merge, restore, associate',
    changed_at DateTime64(3, 'UTC') COMMENT 'When the record changed, by the system\'s clock',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    time_basis LowCardinality(String) COMMENT 'event: the system states when; received: it does not',
    fields Map(LowCardinality(String), String) COMMENT 'Changed fields and their values as a person may see them',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted',
    actor_run String COMMENT 'The actor\'s run, for agents and jobs',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    hook LowCardinality(String) COMMENT 'Hook or sender it came through',
    external_id String COMMENT 'The other system\'s id, where the record carries it',
    merged_into String COMMENT 'The surviving record',
    merged_ids Array(String) COMMENT 'Records that ceased to exist in a merge',
    related_id String COMMENT 'The other end of an association',
    relation LowCardinality(String) COMMENT 'Type of the association',
    removed Bool COMMENT 'The association was taken away',
    body_hash UInt64 COMMENT 'Tells two bodies with one id apart'
)
AS SELECT
    event_id, tenant, integration, side, system, account, object, record_id, record_key, operation, changed_at,
    received_at, time_basis, fields, actor_kind, actor_id, actor_run, token, hook, external_id, merged_into,
    merged_ids, related_id, relation, removed, body_hash
FROM changes_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'What changed in a system: one row a change and integration';

CREATE OR REPLACE VIEW attempts
(
    id String COMMENT 'The sender\'s id, or a hash of the canonical bytes',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When the try ended, by the sender\'s clock',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    object LowCardinality(String) COMMENT 'Kind of record',
    operation LowCardinality(String) COMMENT 'read, create, update, upsert, delete, auth_refresh, webhook',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    delivery_id String COMMENT 'The delivery it belongs to, where the change is known',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    change_id String COMMENT 'The change it carries, if the sender knows',
    call_id String COMMENT 'Elements of one batch call share it',
    try UInt32 COMMENT 'Number of the try, from the sender',
    retry_of String COMMENT 'Id of the attempt it repeats',
    idempotency_key String COMMENT 'Key that makes a repeat safe',
    granularity LowCardinality(String) COMMENT 'record or run',
    records_ok Int64 COMMENT 'Run granularity only: records written',
    records_failed Int64 COMMENT 'Run granularity only: records not written',
    status UInt16 COMMENT 'HTTP status, 0 = no answer',
    code LowCardinality(String) COMMENT 'The vendor\'s error code',
    message String COMMENT 'The vendor\'s error message',
    body String COMMENT 'Answer body, bounded at ingest',
    headers Map(LowCardinality(String), String) COMMENT 'Answer headers, names in lower case',
    duration_ms Int64 COMMENT 'How long the try took',
    outcome LowCardinality(String) COMMENT 'ok or error',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted',
    actor_run String COMMENT 'The actor\'s run, for agents and jobs',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    fields Map(LowCardinality(String), String) COMMENT 'Values written, as a person may see them',
    sender LowCardinality(String) COMMENT 'Who reported the attempt',
    body_hash UInt64 COMMENT 'Tells two bodies with one id apart'
)
AS SELECT
    id, tenant, integration, occurred_at, received_at, system, object, operation, record_key, delivery_id,
    source_id, target_id, change_id, call_id, try, retry_of, idempotency_key, granularity, records_ok,
    records_failed, status, code, message, body, headers, duration_ms, outcome, actor_kind, actor_id, actor_run,
    token, fields, sender, body_hash
FROM attempts_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'Tries to write or read one record; granularity run stands for a whole job';

CREATE OR REPLACE VIEW observations
(
    observation_id String COMMENT 'Id of the observation',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    side LowCardinality(String) COMMENT 'source or target',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    account LowCardinality(String) COMMENT 'Portal or org in the system',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_id String COMMENT 'Native id of the record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    observed_at DateTime64(3, 'UTC') COMMENT 'The answer describes the record at this instant',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    modified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The system\'s own last-modified',
    resolution_ms Int64 COMMENT 'A poll sees a change up to this much late',
    found_by LowCardinality(String) COMMENT 'poll, readback, reconcile, echo',
    whole Bool COMMENT 'All mapped fields, not only changed ones',
    missing Bool COMMENT 'The system does not hold the record',
    fields Map(LowCardinality(String), String) COMMENT 'Fields and their values as a person may see them',
    writer_kind LowCardinality(String) COMMENT 'Kind of the actor who modified it last',
    writer_id String COMMENT 'Who modified it last',
    external_id String COMMENT 'The other system\'s id, where the record carries it',
    body_hash UInt64 COMMENT 'Tells two bodies with one id apart'
)
AS SELECT
    observation_id, tenant, integration, side, system, account, object, record_id, record_key, observed_at,
    received_at, modified_at, resolution_ms, found_by, whole, missing, fields, writer_kind, writer_id,
    external_id, body_hash
FROM observations_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'What a system holds for a record as of a time';

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
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 0
COMMENT 'Classified unsuccessful attempts, and silent failures with their inferred class, as the verdicts over time see them';

CREATE OR REPLACE VIEW deliveries
(
    delivery_id String COMMENT 'Hash of integration, object, key, change id',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    change_id String COMMENT 'Event id of the change',
    operation LowCardinality(String) COMMENT 'What the change did',
    state LowCardinality(String) COMMENT 'observed, attempted, acknowledged, applied, verified, failed, stalled, not_applied, overwritten, unobserved, superseded',
    changed_at DateTime64(3, 'UTC') COMMENT 'When the source record changed',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    due_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The deadline: from then on it counts, delivered or not',
    first_attempt_at Nullable(DateTime64(3, 'UTC')) COMMENT 'First attempt that covers it',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the target\'s API said ok',
    applied_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the value was seen in the target',
    verified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When a whole-record comparison was equal',
    latency_ms Nullable(Int64) COMMENT 'Signed: skewed clocks are shown, not hidden; null until delivered',
    latency_basis LowCardinality(String) COMMENT 'applied_event, applied_poll, applied_readback, acknowledged',
    start_basis LowCardinality(String) COMMENT 'event: latency starts at the change; received: at its receipt',
    resolution_ms Int64 COMMENT 'Latency is known to this much',
    attempts UInt32 COMMENT 'Attempts seen',
    late Bool COMMENT 'Delivered after its deadline',
    coerced Bool COMMENT 'The sync user wrote another value',
    series LowCardinality(String) COMMENT 'import for announced imports and first loads',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted',
    actor_run String COMMENT 'The actor\'s run, for agents and jobs',
    superseded_by String COMMENT 'The newer change of the same field',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of that input',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    delivery_id, tenant, integration, object, record_key, source_id, target_id, change_id, operation, state,
    changed_at, received_at, due_at, first_attempt_at, acknowledged_at, applied_at, verified_at, latency_ms,
    latency_basis, start_basis, resolution_ms, attempts, late, coerced, series, actor_kind, actor_id, actor_run,
    superseded_by, updated_at, version
FROM deliveries_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1, use_skip_indexes_if_final_exact_mode = 0, ignore_data_skipping_indices = 'by_due'
COMMENT 'The passage of each change to the target, as it now stands'
