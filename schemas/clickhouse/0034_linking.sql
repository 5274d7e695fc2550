-- How far the records of both systems are known to be the same: what the ledger can follow.
CREATE OR REPLACE VIEW linking
(
    tenant LowCardinality(String) COMMENT 'Whose data it is',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    as_of DateTime64(3, 'UTC') COMMENT 'When the comparison began',
    source_records Int64 COMMENT 'Records in scope that were read from the source',
    linked Int64 COMMENT 'Of these, with a copy in the target',
    missing_in_target Int64 COMMENT 'Of these, without one',
    unlinkable Int64 COMMENT 'Of these, without any key',
    duplicates Int64 COMMENT 'Records whose key matches several',
    linking Nullable(Float64) COMMENT 'The share that is linked; NULL where the source holds no record'
)
AS SELECT tenant, integration, object, l.1 AS as_of, l.2 AS source_records, l.3 AS linked, l.4 AS missing_in_target, l.5 AS unlinkable,
    l.6 AS duplicates, if(source_records > 0, toNullable(linked / source_records), NULL) AS linking
FROM
(
    SELECT tenant, integration, object, argMax(tuple(started_at, source_records, compared - missing_in_target, missing_in_target,
        unlinkable, duplicates), (started_at, version)) AS l
    FROM reconciliations
    WHERE field = '' AND state = 'complete'
    GROUP BY tenant, integration, object
)
COMMENT 'Of the source''s records in scope, the share that has its copy in the target, by the last complete comparison of each object'
