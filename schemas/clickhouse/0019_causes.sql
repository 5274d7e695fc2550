-- What made records differ: one row a cause and a field, and divergences seen through them.

ALTER TABLE divergences_raw ADD COLUMN IF NOT EXISTS source_writer String
COMMENT 'Who changed the source last: kind:id' CODEC(ZSTD(1)) AFTER target_modified_at;

ALTER TABLE divergences_raw ADD COLUMN IF NOT EXISTS began_at DateTime64(3, 'UTC')
COMMENT 'When the systems began to differ, as far as their own times tell' CODEC(ZSTD(1)) AFTER cause;

ALTER TABLE divergences_raw ADD COLUMN IF NOT EXISTS changed_by String
COMMENT 'Who made the change behind it: kind:id' CODEC(ZSTD(1)) AFTER began_at;

CREATE TABLE IF NOT EXISTS explanations_raw
(
    explanation_id String COMMENT 'Hash of integration, cause, object and field' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = several',
    field LowCardinality(String) COMMENT 'Field that differs, empty = several, or whole records',
    kind LowCardinality(String) COMMENT 'Kind of the signal, verdict, or unexplained',
    cause_id String COMMENT 'Id of the signal or verdict' CODEC(ZSTD(1)),
    cause String COMMENT 'The cause in a few words' CODEC(ZSTD(1)),
    cause_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it happened' CODEC(ZSTD(1)),
    first_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the first of the differences began' CODEC(ZSTD(1)),
    `rank` UInt32 COMMENT '1 = the likeliest' CODEC(ZSTD(1)),
    began_from DateTime64(3, 'UTC') COMMENT 'It is about differences that began at or after this' CODEC(ZSTD(1)),
    began_to Nullable(DateTime64(3, 'UTC')) COMMENT 'And before this, null while it lasts' CODEC(ZSTD(1)),
    by_kind LowCardinality(String) COMMENT 'Made by an actor of this kind, empty = by anybody',
    by_id String COMMENT 'Made by this actor' CODEC(ZSTD(1)),
    by_run String COMMENT 'In this run' CODEC(ZSTD(1)),
    divergences Int64 COMMENT 'That it explains, 0 = taken back' CODEC(ZSTD(1)),
    `of` Int64 COMMENT 'That there are in its reach, whenever they began' CODEC(ZSTD(1)),
    changes Int64 COMMENT 'Changes in its reach meanwhile' CODEC(ZSTD(1)),
    outside Int64 COMMENT 'Differences where it does not reach, or before it' CODEC(ZSTD(1)),
    outside_changes Int64 COMMENT 'Of so many changes' CODEC(ZSTD(1)),
    risk_ratio Float64 COMMENT 'Risk of a change inside its reach against outside' CODEC(ZSTD(1)),
    risk_ratio_low Float64 COMMENT 'Lower bound of its 95 % interval' CODEC(ZSTD(1)),
    risk_ratio_high Float64 COMMENT 'Upper bound of it' CODEC(ZSTD(1)),
    sentence String COMMENT 'All of it in a sentence' CODEC(ZSTD(1)),
    first_step String COMMENT 'What to do first' CODEC(ZSTD(1)),
    sql String COMMENT 'Lists the rows' CODEC(ZSTD(1)),
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
ORDER BY (tenant, integration, explanation_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'What made records differ; every version: read explanations';

CREATE OR REPLACE VIEW explanations
(
    explanation_id String COMMENT 'Hash of integration, cause, object and field',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record, empty = several',
    field LowCardinality(String) COMMENT 'Field that differs, empty = several, or whole records',
    kind LowCardinality(String) COMMENT 'Kind of the signal, verdict, or unexplained',
    cause_id String COMMENT 'Id of the signal or verdict',
    cause String COMMENT 'The cause in a few words',
    cause_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it happened',
    first_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the first of the differences began',
    `rank` UInt32 COMMENT '1 = the likeliest',
    began_from DateTime64(3, 'UTC') COMMENT 'It is about differences that began at or after this',
    began_to Nullable(DateTime64(3, 'UTC')) COMMENT 'And before this, null while it lasts',
    by_kind LowCardinality(String) COMMENT 'Made by an actor of this kind, empty = by anybody',
    by_id String COMMENT 'Made by this actor',
    by_run String COMMENT 'In this run',
    divergences Int64 COMMENT 'That it explains, 0 = taken back',
    `of` Int64 COMMENT 'That there are in its reach, whenever they began',
    changes Int64 COMMENT 'Changes in its reach meanwhile',
    outside Int64 COMMENT 'Differences where it does not reach, or before it',
    outside_changes Int64 COMMENT 'Of so many changes',
    risk_ratio Float64 COMMENT 'Risk of a change inside its reach against outside',
    risk_ratio_low Float64 COMMENT 'Lower bound of its 95 % interval',
    risk_ratio_high Float64 COMMENT 'Upper bound of it',
    sentence String COMMENT 'All of it in a sentence',
    first_step String COMMENT 'What to do first',
    sql String COMMENT 'Lists the rows',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of the row',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS SELECT
    explanation_id, tenant, integration, object, field, kind, cause_id, cause, cause_at, first_at, `rank`, began_from,
    began_to, by_kind, by_id, by_run, divergences, `of`, changes, outside, outside_changes, risk_ratio, risk_ratio_low,
    risk_ratio_high, sentence, first_step, sql, updated_at, version
FROM explanations_raw FINAL
WHERE divergences > 0
COMMENT 'What made records differ: one cause, one field of one object, the differences that began in an interval';

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
    source_writer String COMMENT 'Who changed the source last: kind:id, where it is known',
    target_writer String COMMENT 'Who wrote the target last: kind:id',
    first_seen_at DateTime64(3, 'UTC') COMMENT 'When it was first seen',
    confirmed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was confirmed',
    resolved_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was gone',
    found_by LowCardinality(String) COMMENT 'poll, readback, reconcile, echo',
    pre_existing Bool COMMENT 'Divergent at its first comparison',
    accepted_by String COMMENT 'Who accepted it',
    cause String COMMENT 'What explains it, the likeliest first, separated by semicolons; unexplained where nothing fits',
    cause_kind LowCardinality(String) COMMENT 'Kind of the likeliest: of a signal, verdict, target_edit, unexplained',
    began_at DateTime64(3, 'UTC') COMMENT 'When the systems began to differ, as far as their own times tell',
    changed_by String COMMENT 'Who made the change behind it: kind:id',
    explanation_id String COMMENT 'The explanation that covers it: see explanations',
    incident_id String COMMENT 'The incident it belongs to',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of that input',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS WITH
    -- What covers it: in time and by its maker, the likeliest first; where nothing does, what is said to be unexplained is no cause.
    arraySort(e -> (e.1, -toUnixTimestamp64Milli(e.5)), arrayFilter(e -> d.began_at >= e.5 AND (e.6 = 0 OR toUnixTimestamp64Milli(d.began_at) < e.6) AND (e.7 = '' OR e.7 = d.changed_by)
        AND (e.8 = '' OR e.8 = d.object) AND (e.9 = '' OR e.9 = d.field), x.list)) AS fits,
    d.kind = 'value_mismatch' AND startsWith(d.target_writer, 'user:') AND d.target_modified_at > ifNull(d.source_modified_at, toDateTime64(0, 3, 'UTC')) AS edited
SELECT
    d.divergence_id AS divergence_id, d.tenant AS tenant, d.integration AS integration, d.object AS object, d.record_key AS record_key,
    d.source_id AS source_id, d.target_id AS target_id, d.delivery_id AS delivery_id, d.field AS field, d.kind AS kind, d.difference AS difference,
    d.class AS class, d.state AS state, d.source_value AS source_value, d.target_value AS target_value, d.source_modified_at AS source_modified_at,
    d.target_modified_at AS target_modified_at, d.source_writer AS source_writer, d.target_writer AS target_writer, d.first_seen_at AS first_seen_at,
    d.confirmed_at AS confirmed_at, d.resolved_at AS resolved_at, d.found_by AS found_by, d.pre_existing AS pre_existing, d.accepted_by AS accepted_by,
    multiIf(state NOT IN ('confirmed', 'resolved', 'accepted') OR d.pre_existing, d.cause, notEmpty(fits), arrayStringConcat(arrayMap(e -> e.3, fits), '; '),
        edited, concat('edited in the target by ', d.target_writer), 'unexplained') AS cause,
    multiIf(state NOT IN ('confirmed', 'resolved', 'accepted') OR d.pre_existing, '', notEmpty(fits), fits[1].2, edited, 'target_edit', 'unexplained') AS cause_kind,
    d.began_at AS began_at, d.changed_by AS changed_by, if(notEmpty(fits), fits[1].4, '') AS explanation_id, d.incident_id AS incident_id,
    d.updated_at AS updated_at, d.version AS version
FROM (SELECT * FROM divergences_raw FINAL) AS d
LEFT JOIN
(
    SELECT tenant, integration, groupArray((`rank`, kind, cause, explanation_id, began_from, ifNull(toUnixTimestamp64Milli(began_to), 0),
        if(by_id = '', '', concat(by_kind, ':', by_id)), object, field)) AS list
    FROM explanations
    WHERE kind != 'unexplained'
    GROUP BY tenant, integration
) AS x ON x.tenant = d.tenant AND x.integration = d.integration
COMMENT 'Records, or fields of them, that differ between the two systems, as they now stand, with what explains them';

CREATE OR REPLACE VIEW drift_causes
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    cause String COMMENT 'What explains it best, unexplained, or pre_existing',
    cause_kind LowCardinality(String) COMMENT 'Kind of the cause',
    divergences UInt64 COMMENT 'Confirmed and open',
    records UInt64 COMMENT 'Records',
    share Float64 COMMENT 'Of the integration\'s open divergences',
    first_confirmed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Since when',
    sentence String COMMENT 'The evidence in a sentence',
    first_step String COMMENT 'What to do first',
    sql String COMMENT 'Lists the rows'
)
AS SELECT tenant, integration, object, cause, cause_kind, n AS divergences, r AS records, n / sum(n) OVER (PARTITION BY tenant, integration) AS share,
    since AS first_confirmed_at, e.sentence AS sentence, e.first_step AS first_step, e.sql AS sql
FROM
(
    SELECT tenant, integration, object, if(d.pre_existing, 'pre_existing', trimBoth(splitByChar(';', d.cause)[1])) AS cause,
        if(d.pre_existing, 'pre_existing', d.cause_kind) AS cause_kind, any(d.explanation_id) AS explanation_id, count() AS n,
        uniqExact(record_key) AS r, min(confirmed_at) AS since
    FROM divergences AS d
    WHERE state = 'confirmed'
    GROUP BY tenant, integration, object, cause, cause_kind
) AS c
LEFT JOIN explanations AS e ON e.explanation_id = c.explanation_id AND e.tenant = c.tenant AND e.integration = c.integration
COMMENT 'What open drift is attributed to, with the evidence; unexplained where nothing fits';
