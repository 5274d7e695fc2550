-- Three tiers: raw events for weeks, the ledger for a year and a month, what is
-- added up for ever. Divergences have no end: an old version must not outlive the
-- newer one that says it is resolved. Change a tier with the same statement.

ALTER TABLE changes_raw MODIFY TTL toDateTime(received_at) + INTERVAL 62 DAY;

ALTER TABLE attempts_raw MODIFY TTL toDateTime(received_at) + INTERVAL 62 DAY;

ALTER TABLE observations_raw MODIFY TTL toDateTime(received_at) + INTERVAL 62 DAY;

ALTER TABLE dead_letters_raw MODIFY TTL toDateTime(received_at) + INTERVAL 7 DAY;

ALTER TABLE signals_raw MODIFY TTL toDateTime(received_at) + INTERVAL 400 DAY;

ALTER TABLE deliveries_raw MODIFY TTL toDateTime(received_at) + INTERVAL 400 DAY;

ALTER TABLE failures_raw MODIFY TTL toDateTime(received_at) + INTERVAL 400 DAY;
