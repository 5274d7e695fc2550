CREATE TABLE IF NOT EXISTS schema_version
(
    version UInt32 COMMENT 'Number of the file',
    name LowCardinality(String) COMMENT 'Name of the file',
    checksum String COMMENT 'SHA-256 of the file as it was applied',
    applied_at DateTime64(3, 'UTC') COMMENT 'When'
)
ENGINE = ReplacingMergeTree(applied_at)
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The schema files applied here, in order';

-- What happened, as it was read from Kafka. Rows never change: a second row with
-- the same key is a copy, and the public view shows one of them.

CREATE TABLE IF NOT EXISTS changes_raw
(
    event_id String COMMENT 'Id of the event; redeliveries share it' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    side LowCardinality(String) COMMENT 'source or target',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    account LowCardinality(String) COMMENT 'Portal or org in the system',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_id String COMMENT 'Native id of the record' CODEC(ZSTD(1)),
    record_key String COMMENT 'Canonical record: integration/object/source id' CODEC(ZSTD(1)),
    operation LowCardinality(String) COMMENT 'create, update, delete, merge, restore, associate',
    changed_at DateTime64(3, 'UTC') COMMENT 'When the record changed, by the system\'s clock' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    time_basis LowCardinality(String) COMMENT 'event: the system states when; received: it does not',
    fields Map(LowCardinality(String), String) COMMENT 'Changed fields and their values as a person may see them' CODEC(ZSTD(1)),
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_run String COMMENT 'The actor\'s run, for agents and jobs' CODEC(ZSTD(1)),
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    hook LowCardinality(String) COMMENT 'Hook or sender it came through',
    external_id String COMMENT 'The other system\'s id, where the record carries it' CODEC(ZSTD(1)),
    merged_into String COMMENT 'The surviving record' CODEC(ZSTD(1)),
    merged_ids Array(String) COMMENT 'Records that ceased to exist in a merge' CODEC(ZSTD(1)),
    related_id String COMMENT 'The other end of an association' CODEC(ZSTD(1)),
    relation LowCardinality(String) COMMENT 'Type of the association',
    removed Bool COMMENT 'The association was taken away' CODEC(ZSTD(1)),
    body_hash UInt64 COMMENT 'Tells two bodies with one id apart' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, event_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What changed in a system: one row a change and integration; every copy: read changes';

CREATE TABLE IF NOT EXISTS attempts_raw
(
    id String COMMENT 'The sender\'s id, or a hash of the canonical bytes' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    occurred_at DateTime64(3, 'UTC') COMMENT 'When the try ended, by the sender\'s clock' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    object LowCardinality(String) COMMENT 'Kind of record',
    operation LowCardinality(String) COMMENT 'read, create, update, upsert, delete, auth_refresh, webhook',
    record_key String COMMENT 'Canonical record: integration/object/source id' CODEC(ZSTD(1)),
    delivery_id String COMMENT 'The delivery it belongs to, where the change is known' CODEC(ZSTD(1)),
    source_id String COMMENT 'Native id in the source system' CODEC(ZSTD(1)),
    target_id String COMMENT 'Native id in the target system' CODEC(ZSTD(1)),
    change_id String COMMENT 'The change it carries, if the sender knows' CODEC(ZSTD(1)),
    call_id String COMMENT 'Elements of one batch call share it' CODEC(ZSTD(1)),
    try UInt32 COMMENT 'Number of the try, from the sender' CODEC(ZSTD(1)),
    retry_of String COMMENT 'Id of the attempt it repeats' CODEC(ZSTD(1)),
    idempotency_key String COMMENT 'Key that makes a repeat safe' CODEC(ZSTD(1)),
    granularity LowCardinality(String) COMMENT 'record or run',
    records_ok Int64 COMMENT 'Run granularity only: records written' CODEC(ZSTD(1)),
    records_failed Int64 COMMENT 'Run granularity only: records not written' CODEC(ZSTD(1)),
    status UInt16 COMMENT 'HTTP status, 0 = no answer' CODEC(ZSTD(1)),
    code LowCardinality(String) COMMENT 'The vendor\'s error code',
    message String COMMENT 'The vendor\'s error message' CODEC(ZSTD(1)),
    body String COMMENT 'Answer body, bounded at ingest' CODEC(ZSTD(1)),
    headers Map(LowCardinality(String), String) COMMENT 'Answer headers, names in lower case' CODEC(ZSTD(1)),
    duration_ms Int64 COMMENT 'How long the try took' CODEC(ZSTD(1)),
    outcome LowCardinality(String) COMMENT 'ok or error',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_run String COMMENT 'The actor\'s run, for agents and jobs' CODEC(ZSTD(1)),
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    fields Map(LowCardinality(String), String) COMMENT 'Values written, as a person may see them' CODEC(ZSTD(1)),
    sender LowCardinality(String) COMMENT 'Who reported the attempt',
    body_hash UInt64 COMMENT 'Tells two bodies with one id apart' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, toStartOfHour(occurred_at), id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Tries to write or read one record; granularity run stands for a whole job; every copy: read attempts';

CREATE TABLE IF NOT EXISTS observations_raw
(
    observation_id String COMMENT 'Id of the observation' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    side LowCardinality(String) COMMENT 'source or target',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    account LowCardinality(String) COMMENT 'Portal or org in the system',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_id String COMMENT 'Native id of the record' CODEC(ZSTD(1)),
    record_key String COMMENT 'Canonical record: integration/object/source id' CODEC(ZSTD(1)),
    observed_at DateTime64(3, 'UTC') COMMENT 'The answer describes the record at this instant' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    modified_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The system\'s own last-modified' CODEC(ZSTD(1)),
    resolution_ms Int64 COMMENT 'A poll sees a change up to this much late' CODEC(ZSTD(1)),
    found_by LowCardinality(String) COMMENT 'poll, readback, reconcile, echo',
    whole Bool COMMENT 'All mapped fields, not only changed ones' CODEC(ZSTD(1)),
    missing Bool COMMENT 'The system does not hold the record' CODEC(ZSTD(1)),
    fields Map(LowCardinality(String), String) COMMENT 'Fields and their values as a person may see them' CODEC(ZSTD(1)),
    writer_kind LowCardinality(String) COMMENT 'Kind of the actor who modified it last',
    writer_id String COMMENT 'Who modified it last' CODEC(ZSTD(1)),
    external_id String COMMENT 'The other system\'s id, where the record carries it' CODEC(ZSTD(1)),
    body_hash UInt64 COMMENT 'Tells two bodies with one id apart' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, observation_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What a system holds for a record as of a time; every copy: read observations';

CREATE TABLE IF NOT EXISTS signals_raw
(
    signal_id String COMMENT 'Id of the signal' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The sync it is about, empty = every integration of the system',
    kind LowCardinality(String) COMMENT 'vendor_incident, schema_change, picklist_change, mapping_change, deploy, token_rotation, bulk_import, quota_exhaustion, agent_run, id_conflict',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    object LowCardinality(String) COMMENT 'Kind of record',
    field LowCardinality(String) COMMENT 'The field it is about',
    started_at DateTime64(3, 'UTC') COMMENT 'When it began' CODEC(Delta(8), ZSTD(1)),
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended, null while it lasts' CODEC(ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    summary String COMMENT 'In words' CODEC(ZSTD(1)),
    detail Map(LowCardinality(String), String) COMMENT 'What else the sender said' CODEC(ZSTD(1)),
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_run String COMMENT 'The actor\'s run, for agents and jobs' CODEC(ZSTD(1)),
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    sender LowCardinality(String) COMMENT 'Who reported it',
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, signal_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What may explain failures or drift; every copy: read signals';

CREATE TABLE IF NOT EXISTS dead_letters_raw
(
    dead_letter_id String COMMENT 'Id: the same cause gives the same id' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync, empty where none is known',
    origin LowCardinality(String) COMMENT 'hook:<id>, v1/attempts:<sender>, sink:<table>',
    `index` UInt32 COMMENT 'Position in its batch' CODEC(ZSTD(1)),
    reason String COMMENT 'In words its sender can act on' CODEC(ZSTD(1)),
    code LowCardinality(String) COMMENT 'One of a small fixed set, for counting',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    bytes String COMMENT 'The bytes as they came' CODEC(ZSTD(1)),
    sealed Bool COMMENT 'bytes are encrypted' CODEC(ZSTD(1)),
    key_id LowCardinality(String) COMMENT 'Key that seals them',
    batch String COMMENT 'Hash of the whole body it came in' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, dead_letter_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What was accepted but could not be used, with the reason; every copy: read dead_letters';

CREATE TABLE IF NOT EXISTS integrations_raw
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
    updated_at DateTime64(3, 'UTC') COMMENT 'When the row was written',
    removed Bool COMMENT 'No longer configured'
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (tenant, integration, object)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Configured integrations and their objects, written at every start; every copy: read integrations';
