-- Agents as they now stand: who is stopped, by which rule, since when.

CREATE TABLE IF NOT EXISTS agent_states_raw
(
    agent_key String COMMENT 'Hash of tenant, kind and agent' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The sync where a rule was broken, empty while none is',
    kind LowCardinality(String) COMMENT 'agent or automation',
    agent String COMMENT 'Its id, as the systems name it: actor_id elsewhere' CODEC(ZSTD(1)),
    state LowCardinality(String) COMMENT 'ok or tripped',
    since DateTime64(3, 'UTC') COMMENT 'Since when it is in this state' CODEC(ZSTD(1)),
    onset_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The first of the writes that broke the rule' CODEC(ZSTD(1)),
    rule LowCardinality(String) COMMENT 'The rule that tripped it',
    reason String COMMENT 'Why, in a sentence' CODEC(ZSTD(1)),
    object LowCardinality(String) COMMENT 'Kind of record where a rule was broken',
    field LowCardinality(String) COMMENT 'Field where a rule was broken',
    run String COMMENT 'Its run at that time' CODEC(ZSTD(1)),
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    value Float64 COMMENT 'What was measured' CODEC(ZSTD(1)),
    allowed Float64 COMMENT 'What the rule allows' CODEC(ZSTD(1)),
    writes_1m Int64 COMMENT 'Writes in the minute under way' CODEC(ZSTD(1)),
    writes_1h Int64 COMMENT 'Writes in the last 60 minutes' CODEC(ZSTD(1)),
    writes_24h Int64 COMMENT 'Writes in the last 24 hours' CODEC(ZSTD(1)),
    writes_run Int64 COMMENT 'Writes of the run that broke the rule' CODEC(ZSTD(1)),
    reset_by String COMMENT 'Who let it go on' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the row' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'Offset of the last input folded into the row' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
ORDER BY (tenant, agent_key)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What each agent does and whether it is stopped; every version: read agent_states';

CREATE OR REPLACE VIEW agent_states
(
    agent_key String COMMENT 'Hash of tenant, kind and agent',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The sync where a rule was broken, empty while none is',
    kind LowCardinality(String) COMMENT 'agent or automation',
    agent String COMMENT 'Its id, as the systems name it: actor_id elsewhere',
    state LowCardinality(String) COMMENT 'ok or tripped',
    since DateTime64(3, 'UTC') COMMENT 'Since when it is in this state',
    onset_at Nullable(DateTime64(3, 'UTC')) COMMENT 'The first of the writes that broke the rule',
    rule LowCardinality(String) COMMENT 'The rule that tripped it',
    reason String COMMENT 'Why, in a sentence',
    object LowCardinality(String) COMMENT 'Kind of record where a rule was broken',
    field LowCardinality(String) COMMENT 'Field where a rule was broken',
    run String COMMENT 'Its run at that time',
    token LowCardinality(String) COMMENT 'Id of the credential used, never the credential',
    value Float64 COMMENT 'What was measured',
    allowed Float64 COMMENT 'What the rule allows',
    writes_1m Int64 COMMENT 'Writes in the minute under way',
    writes_1h Int64 COMMENT 'Writes in the last 60 minutes',
    writes_24h Int64 COMMENT 'Writes in the last 24 hours',
    writes_run Int64 COMMENT 'Writes of the run that broke the rule',
    reset_by String COMMENT 'Who let it go on',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the row',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    agent_key, tenant, integration, kind, agent, state, since, onset_at, rule, reason, object, field, run, token,
    value, allowed, writes_1m, writes_1h, writes_24h, writes_run, reset_by, updated_at, version
FROM agent_states_raw FINAL
COMMENT 'AI agents and automations as they now stand';
