-- One record's history is asked for by its key, which no sort key begins with: an index says
-- which blocks cannot hold it. Rows that are here already are indexed as they are merged.

ALTER TABLE changes_raw ADD INDEX IF NOT EXISTS by_record record_key TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE attempts_raw ADD INDEX IF NOT EXISTS by_record record_key TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE observations_raw ADD INDEX IF NOT EXISTS by_record record_key TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE failures_raw ADD INDEX IF NOT EXISTS by_record record_key TYPE bloom_filter(0.01) GRANULARITY 1;

ALTER TABLE deliveries_raw ADD INDEX IF NOT EXISTS by_record record_key TYPE bloom_filter(0.01) GRANULARITY 1
