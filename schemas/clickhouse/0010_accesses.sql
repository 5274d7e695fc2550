-- What systems' own logs say of credentials.

CREATE TABLE IF NOT EXISTS accesses_raw
(
    access_id String COMMENT 'Id of the line' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'Empty: a credential may serve several',
    system LowCardinality(String) COMMENT 'The system whose log it is',
    account LowCardinality(String) COMMENT 'Portal or org in the system',
    token LowCardinality(String) COMMENT 'Id of the credential or connected app, never the credential',
    `at` DateTime64(3, 'UTC') COMMENT 'When, by the system\'s clock' CODEC(Delta(8), ZSTD(1)),
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row' CODEC(Delta(8), ZSTD(1)),
    operation LowCardinality(String) COMMENT 'login, refresh, query, read, export, write, delete, job_delete, admin',
    object LowCardinality(String) COMMENT 'Kind of record',
    `rows` Int64 COMMENT 'Records it returned or changed' CODEC(ZSTD(1)),
    calls Int64 COMMENT 'Calls the line stands for' CODEC(ZSTD(1)),
    network LowCardinality(String) COMMENT 'Where from, no finer than a /24 or /48',
    user_agent LowCardinality(String) COMMENT 'The program that called',
    failed Bool COMMENT 'It was refused' CODEC(ZSTD(1)),
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted' CODEC(ZSTD(1)),
    actor_run String COMMENT 'The actor\'s run, for agents and jobs' CODEC(ZSTD(1)),
    sender LowCardinality(String) COMMENT 'Who forwarded the log',
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, integration, system, token, access_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Lines of systems\' access logs; every copy: read accesses';

CREATE OR REPLACE VIEW accesses
(
    access_id String COMMENT 'Id of the line',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'Empty: a credential may serve several',
    system LowCardinality(String) COMMENT 'The system whose log it is',
    account LowCardinality(String) COMMENT 'Portal or org in the system',
    token LowCardinality(String) COMMENT 'Id of the credential or connected app, never the credential',
    `at` DateTime64(3, 'UTC') COMMENT 'When, by the system\'s clock',
    received_at DateTime64(3, 'UTC') COMMENT 'When Plumbline accepted the event; the same for every copy and version of the row',
    operation LowCardinality(String) COMMENT 'login, refresh, query, read, export, write, delete, job_delete, admin',
    object LowCardinality(String) COMMENT 'Kind of record',
    `rows` Int64 COMMENT 'Records it returned or changed',
    calls Int64 COMMENT 'Calls the line stands for',
    network LowCardinality(String) COMMENT 'Where from, no finer than a /24 or /48',
    user_agent LowCardinality(String) COMMENT 'The program that called',
    failed Bool COMMENT 'It was refused',
    actor_kind LowCardinality(String) COMMENT 'user, integration, agent, automation, import, unknown',
    actor_id String COMMENT 'Who acted',
    actor_run String COMMENT 'The actor\'s run, for agents and jobs',
    sender LowCardinality(String) COMMENT 'Who forwarded the log'
)
AS SELECT
    access_id, tenant, integration, system, account, token, `at`, received_at, operation, object, `rows`, calls, network, user_agent, failed, actor_kind, actor_id, actor_run, sender
FROM accesses_raw FINAL
SETTINGS do_not_merge_across_partitions_select_final = 1
COMMENT 'What each credential was used for, by the systems\' own logs';
