-- The list costs what is wrong, not what was ever delivered: which deliveries it is about is
-- read first, and only those are looked up by their key, of each the newest version: FINAL would
-- merge every delivery there is.
CREATE OR REPLACE VIEW silent_failures
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    delivery_id String COMMENT 'The delivery that was acknowledged',
    divergence_id String COMMENT 'The difference that shows it, empty where only the delivery does',
    field LowCardinality(String) COMMENT 'The field that differs, empty = the record as a whole',
    kind LowCardinality(String) COMMENT 'not_applied, or the kind of the divergence',
    difference LowCardinality(String) COMMENT 'How it differs',
    class LowCardinality(String) COMMENT 'Inferred class of failure',
    source_value String COMMENT 'As a person may see it',
    target_value String COMMENT 'As a person may see it',
    acknowledged_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When the target\'s API said ok',
    found_at DateTime64(3, 'UTC') COMMENT 'When the difference was certain',
    actor_kind LowCardinality(String) COMMENT 'Who made the change: user, integration, agent, ...',
    actor_id String COMMENT 'Who made the change',
    incident_id String COMMENT 'The incident it belongs to'
)
AS SELECT v.tenant AS tenant, v.integration AS integration, v.object AS object, v.record_key AS record_key, v.source_id AS source_id,
    v.target_id AS target_id, v.delivery_id AS delivery_id, v.divergence_id AS divergence_id, v.field AS field, v.kind AS kind,
    v.difference AS difference, v.class AS class, v.source_value AS source_value, v.target_value AS target_value,
    d.acknowledged_at AS acknowledged_at, coalesce(v.confirmed_at, v.first_seen_at) AS found_at,
    d.actor_kind AS actor_kind, d.actor_id AS actor_id, v.incident_id AS incident_id
FROM (SELECT * FROM divergences_raw FINAL WHERE state = 'confirmed' AND delivery_id != '') AS v
INNER JOIN
(
    SELECT tenant, integration, delivery_id, acknowledged_at, actor_kind, actor_id
    FROM deliveries_raw
    WHERE (tenant, integration, delivery_id) IN (
        SELECT tenant, integration, delivery_id FROM divergences_raw WHERE state = 'confirmed' AND delivery_id != '')
    ORDER BY _rank DESC
    LIMIT 1 BY tenant, integration, delivery_id
) AS d ON d.delivery_id = v.delivery_id
WHERE d.acknowledged_at IS NOT NULL
UNION ALL
SELECT tenant, integration, object, record_key, source_id, target_id, delivery_id, '', '', 'not_applied',
    if(coerced, 'coerced', ''), '', '', '', acknowledged_at, updated_at, actor_kind, actor_id, ''
FROM
(
    SELECT * FROM deliveries_raw
    WHERE (tenant, integration, delivery_id) IN (
        SELECT tenant, integration, delivery_id FROM deliveries_raw WHERE state = 'not_applied' AND superseded_by = '')
    ORDER BY _rank DESC
    LIMIT 1 BY tenant, integration, delivery_id
)
WHERE state = 'not_applied' AND superseded_by = ''
    AND delivery_id NOT IN (SELECT delivery_id FROM divergences_raw FINAL WHERE state = 'confirmed' AND delivery_id != '')
COMMENT 'Reported as synced, yet not equal: the first number to look at'
