-- Whose rows are never stored again, whatever a topic still holds of them.

CREATE TABLE IF NOT EXISTS erasures_raw
(
    digest String COMMENT 'Hash of the record key: the list does not tell who was removed',
    erased_at DateTime64(3, 'UTC') COMMENT 'When'
)
ENGINE = ReplacingMergeTree(erased_at)
ORDER BY digest
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records that were removed for good';
