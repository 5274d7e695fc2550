-- What the target said to the write that failed explains what differs: also the other fields that were refused with it.

ALTER TABLE divergences_raw ADD COLUMN IF NOT EXISTS refused_code String
COMMENT 'What the target answered to the last write that failed: its code, else its class' CODEC(ZSTD(1)) AFTER changed_by;

ALTER TABLE divergences_raw ADD COLUMN IF NOT EXISTS refused_field LowCardinality(String)
COMMENT 'The field that the answer names: the write was refused as a whole' AFTER refused_code;

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
    cause_kind LowCardinality(String) COMMENT 'Kind of the likeliest: of a signal, verdict, target_edit, refused, unexplained',
    began_at DateTime64(3, 'UTC') COMMENT 'When the systems began to differ, as far as their own times tell',
    changed_by String COMMENT 'Who made the change behind it: kind:id',
    refused_code String COMMENT 'What the target answered to the last write that failed: its code, else its class',
    refused_field LowCardinality(String) COMMENT 'The field that the answer names: the write was refused as a whole',
    explanation_id String COMMENT 'The explanation that covers it: see explanations',
    incident_id String COMMENT 'The incident it belongs to',
    updated_at DateTime64(3, 'UTC') COMMENT 'Stream time of that input',
    version UInt64 COMMENT 'Offset of the last input folded into the row'
)
AS WITH
    -- What covers it: in time and by its maker, the likeliest first; where nothing does, what is said to be unexplained is no cause.
    arraySort(e -> (e.1, -toUnixTimestamp64Milli(e.5)), arrayFilter(e -> d.began_at >= e.5 AND (e.6 = 0 OR toUnixTimestamp64Milli(d.began_at) < e.6) AND (e.7 = '' OR e.7 = d.changed_by)
        AND (e.8 = '' OR e.8 = d.object) AND (e.9 = '' OR e.9 = d.field OR e.9 = d.refused_field), x.list)) AS fits,
    startsWith(d.target_writer, 'user:') OR startsWith(d.target_writer, 'unknown:') AS by_a_person,
    -- Later than the value of the source. What the source says of a time after the first sight is of a later write, perhaps of another field.
    multiIf(by_a_person AND d.kind = 'value_mismatch'
            AND (d.target_modified_at > ifNull(d.source_modified_at, toDateTime64(0, 3, 'UTC')) OR d.source_modified_at > d.first_seen_at),
        concat('edited in the target by ', d.target_writer), by_a_person AND d.kind = 'missing_in_source' AND d.source_id = '',
        concat('created in the target by ', d.target_writer), '') AS edited,
    if(d.refused_code = '', '', concat('refused by the target: ', d.refused_code, if(d.refused_field = '', '', concat(' (', d.refused_field, ')')))) AS refused,
    state IN ('confirmed', 'resolved', 'accepted') AND d.confirmed_at IS NOT NULL AND NOT d.pre_existing AS judged
SELECT
    d.divergence_id AS divergence_id, d.tenant AS tenant, d.integration AS integration, d.object AS object, d.record_key AS record_key,
    d.source_id AS source_id, d.target_id AS target_id, d.delivery_id AS delivery_id, d.field AS field, d.kind AS kind, d.difference AS difference,
    d.class AS class, d.state AS state, d.source_value AS source_value, d.target_value AS target_value, d.source_modified_at AS source_modified_at,
    d.target_modified_at AS target_modified_at, d.source_writer AS source_writer, d.target_writer AS target_writer, d.first_seen_at AS first_seen_at,
    d.confirmed_at AS confirmed_at, d.resolved_at AS resolved_at, d.found_by AS found_by, d.pre_existing AS pre_existing, d.accepted_by AS accepted_by,
    -- What is known of the very record goes first where somebody edited it; that a write was refused says what, and a cause says why.
    multiIf(NOT judged, d.cause, edited != '', edited, notEmpty(fits), arrayStringConcat(arrayMap(e -> e.3, fits), '; '), refused != '', refused, 'unexplained') AS cause,
    multiIf(NOT judged, '', edited != '', 'target_edit', notEmpty(fits), fits[1].2, refused != '', 'refused', 'unexplained') AS cause_kind,
    d.began_at AS began_at, d.changed_by AS changed_by, d.refused_code AS refused_code, d.refused_field AS refused_field, if(notEmpty(fits) AND edited = '', fits[1].4, '') AS explanation_id, d.incident_id AS incident_id,
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
