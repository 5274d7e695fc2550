-- The public names. They count right as they stand: nobody has to write FINAL.
-- A key never spans two partitions (README), so partitions are merged apart.

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
SETTINGS do_not_merge_across_partitions_select_final = 1
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
SETTINGS do_not_merge_across_partitions_select_final = 1
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
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What a system holds for a record as of a time';

CREATE OR REPLACE VIEW signals
(
    signal_id String COMMENT 'Id of the signal',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The sync it is about, empty = every integration of the system',
    kind LowCardinality(String) COMMENT 'vendor_incident, schema_change, picklist_change, mapping_change, deploy, token_rotation, bulk_import, quota_exhaustion, agent_run, id_conflict',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    object LowCardinality(String) COMMENT 'Kind of record',
    field LowCardinality(String) COMMENT 'The field it is about',
    started_at DateTime64(3, 'UTC') COMMENT 'When it began',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, null while it lasts',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    summary String COMMENT 'In words',
    detail Map(LowCardinality(String), String) COMMENT 'What else the sender said',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted',
    actor_run String COMMENT 'The actor\'s run, for agents and jobs',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    sender LowCardinality(String) COMMENT 'Who reported it'
)
AS SELECT
    signal_id, tenant, integration, kind, system, object, field, started_at, ended_at, received_at, summary,
    detail, actor_kind, actor_id, actor_run, token, sender
FROM signals_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What may explain failures or drift';

CREATE OR REPLACE VIEW dead_letters
(
    dead_letter_id String COMMENT 'Id: the same cause gives the same id',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    origin LowCardinality(String) COMMENT 'hook:<id>, v1/attempts:<sender>, sink:<table>',
    `index` UInt32 COMMENT 'Position in its batch',
    reason String COMMENT 'In words its sender can act on',
    code LowCardinality(String) COMMENT 'One of a small fixed set, for counting',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    bytes String COMMENT 'The bytes as they came',
    sealed Bool COMMENT 'bytes are encrypted',
    key_id LowCardinality(String) COMMENT 'Key that seals them',
    batch String COMMENT 'Hash of the whole body it came in'
)
AS SELECT
    dead_letter_id, tenant, integration, origin, `index`, reason, code, received_at, bytes, sealed, key_id, batch
FROM dead_letters_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What was accepted but could not be used, with the reason';

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
    recoverability LowCardinality(String) COMMENT 'temporary or permanent',
    attribution LowCardinality(String) COMMENT 'vendor, customer, pipeline, unknown',
    confidence Float64 COMMENT '0 to 1',
    rule LowCardinality(String) COMMENT 'The rule that decided',
    evidence String COMMENT 'Why, in words',
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
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    failure_id, tenant, integration, attempt_id, delivery_id, incident_id, record_key, source_id, target_id,
    provider, object, operation, occurred_at, received_at, origin, class, recoverability, attribution, confidence,
    rule, evidence, fingerprint, classifier_version, first_step, likely_cause, collateral, status, code, message,
    actor_kind, actor_id, actor_run, token, version
FROM failures_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'Classified unsuccessful attempts, and silent failures with their inferred class';

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
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'The passage of each change to the target, as it now stands';

CREATE OR REPLACE VIEW divergences
(
    divergence_id String COMMENT 'Hash of integration, object, key, field, kind',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    delivery_id String COMMENT 'The delivery that left it behind',
    field LowCardinality(String) COMMENT 'Empty = the record as a whole',
    kind LowCardinality(String) COMMENT 'missing_in_target, missing_in_source, value_mismatch, stale, duplicate',
    difference LowCardinality(String) COMMENT 'blank_in_target, blank_in_source, truncated, format_only, picklist, coerced, owner, association, other',
    class LowCardinality(String) COMMENT 'Inferred class of failure',
    state LowCardinality(String) COMMENT 'pending, confirmed, accepted, resolved, out_of_scope',
    source_value String COMMENT 'As a person may see it',
    target_value String COMMENT 'As a person may see it',
    source_modified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last modified in the source',
    target_modified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Last modified in the target',
    target_writer String COMMENT 'Who wrote the target last: kind:id',
    first_seen_at DateTime64(3, 'UTC') COMMENT 'When it was first seen',
    confirmed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was confirmed',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was gone',
    found_by LowCardinality(String) COMMENT 'poll, readback, reconcile, echo',
    pre_existing Bool COMMENT 'Divergent at its first comparison',
    accepted_by String COMMENT 'Who accepted it',
    cause String COMMENT 'What explains it',
    incident_id String COMMENT 'The incident it belongs to',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of that input',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    divergence_id, tenant, integration, object, record_key, source_id, target_id, delivery_id, field, kind,
    difference, class, state, source_value, target_value, source_modified_at, target_modified_at, target_writer,
    first_seen_at, confirmed_at, resolved_at, found_by, pre_existing, accepted_by, cause, incident_id, updated_at,
    version
FROM divergences_raw FINAL
COMMENT 'Records, or fields of them, that differ between the two systems, as they now stand';

CREATE OR REPLACE VIEW integrations
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = the integration as a whole',
    mode LowCardinality(String) COMMENT 'realtime or batch',
    target_ms Int64 COMMENT 'Latency target of the mode',
    attempts LowCardinality(String) COMMENT 'Who reports write attempts: full, errors_only, none',
    deadline_ms Int64 COMMENT 'After this long an undelivered change is stalled',
    priority LowCardinality(String) COMMENT 'P1 or P2',
    critical Bool COMMENT 'Counts in reconciliation coverage',
    thresholds Map(String, Float64) COMMENT 'Overrides of KPI targets and warnings',
    config_hash LowCardinality(String) COMMENT 'Configuration it was read from',
    since DateTime64(3, 'UTC') COMMENT 'When it was first configured',
    updated_at DateTime64(3, 'UTC') COMMENT 'When the row was written'
)
AS SELECT
    tenant, integration, object, mode, target_ms, attempts, deadline_ms, priority, critical, thresholds,
    config_hash, since, updated_at
FROM integrations_raw FINAL
WHERE NOT removed
COMMENT 'Configured integrations and their objects';
