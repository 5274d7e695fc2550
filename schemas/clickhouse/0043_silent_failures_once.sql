-- As 0030, for a quarter of the time: deliveries are looked up once, not once for what differs and once for
-- what was not applied, and by two conditions, since a tuple of LowCardinality columns is made into strings for every
-- row it is compared with. An id names its integration, so the two conditions let in nothing else.
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
AS SELECT d.tenant AS tenant, d.integration AS integration, if(differs, v.object, d.object) AS object, if(differs, v.record_key, d.record_key) AS record_key,
    if(differs, v.source_id, d.source_id) AS source_id, if(differs, v.target_id, d.target_id) AS target_id, d.delivery_id AS delivery_id,
    v.divergence_id AS divergence_id, v.field AS field, if(differs, v.kind, 'not_applied') AS kind,
    multiIf(differs, v.difference, d.coerced, 'coerced', '') AS difference, v.class AS class, v.source_value AS source_value,
    v.target_value AS target_value, d.acknowledged_at AS acknowledged_at,
    if(differs, coalesce(v.confirmed_at, v.first_seen_at), d.updated_at) AS found_at, d.actor_kind AS actor_kind, d.actor_id AS actor_id,
    v.incident_id AS incident_id
FROM
(
    SELECT tenant, integration, object, record_key, source_id, target_id, delivery_id, state, superseded_by, coerced, acknowledged_at, updated_at, actor_kind, actor_id
    FROM deliveries_raw
    WHERE (tenant, integration) IN (
            SELECT tenant, integration FROM divergences_raw WHERE state = 'confirmed' AND delivery_id != ''
            UNION ALL SELECT tenant, integration FROM deliveries_raw WHERE state = 'not_applied' AND superseded_by = '')
        AND delivery_id IN (
            SELECT delivery_id FROM divergences_raw WHERE state = 'confirmed' AND delivery_id != ''
            UNION ALL SELECT delivery_id FROM deliveries_raw WHERE state = 'not_applied' AND superseded_by = '')
    ORDER BY _rank DESC
    LIMIT 1 BY tenant, integration, delivery_id
) AS d
LEFT JOIN (SELECT *, true AS differs FROM divergences_raw FINAL WHERE state = 'confirmed' AND delivery_id != '') AS v ON v.delivery_id = d.delivery_id
WHERE if(differs, d.acknowledged_at IS NOT NULL, d.state = 'not_applied' AND d.superseded_by = '')
SETTINGS join_use_nulls = 0
COMMENT 'Reported as synced, yet not equal: the first number to look at'
