-- What differs, in money: the value of the records that differ, as far as it is known.

ALTER TABLE integrations_raw ADD COLUMN IF NOT EXISTS impact_field String
COMMENT 'Field that says what a record is worth, empty = none is named' AFTER thresholds;

ALTER TABLE integrations_raw ADD COLUMN IF NOT EXISTS impact_when LowCardinality(String)
COMMENT 'Which records count: open, or empty = all' AFTER impact_field;

ALTER TABLE integrations_raw ADD COLUMN IF NOT EXISTS impact_currency LowCardinality(String)
COMMENT 'Currency of all records, empty = in a field of its own, or not told' AFTER impact_when;

ALTER TABLE integrations_raw ADD COLUMN IF NOT EXISTS impact_at Array(UInt16)
COMMENT 'Positions of value, stage and currency among the mapped fields, 0 = not mapped or hidden' AFTER impact_currency;

CREATE OR REPLACE VIEW impact_records
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    fields Array(String) COMMENT 'Fields that differ, empty = the record as a whole',
    since DateTime64(3, 'UTC') COMMENT 'When the first of them was confirmed',
    amount Nullable(Float64) COMMENT 'What the source was last seen to hold, else the target; null = nobody read it',
    currency LowCardinality(String) COMMENT 'Empty = not told',
    stage String COMMENT 'Normal form of the stage, where one is mapped'
)
AS WITH
    if(notEmpty(s.norms), s.norms, t.norms) AS norms,
    if(i.impact_at[1] = 0, NULL, toFloat64OrNull(norms[i.impact_at[1]])) AS worth,
    if(i.impact_at[2] = 0, '', norms[i.impact_at[2]]) AS standing
SELECT d.tenant AS tenant, d.integration AS integration, d.object AS object, d.record_key AS record_key, d.source_id AS source_id,
    d.target_id AS target_id, d.fields AS fields, d.since AS since, worth AS amount,
    multiIf(worth IS NULL, '', i.impact_currency != '', i.impact_currency, i.impact_at[3] = 0, '', upper(norms[i.impact_at[3]])) AS currency, standing AS stage
FROM
(
    SELECT tenant, integration, object, record_key, any(source_id) AS source_id, any(target_id) AS target_id,
        arraySort(groupUniqArrayIf(field, field != '')) AS fields, ifNull(min(confirmed_at), min(first_seen_at)) AS since
    FROM divergences_raw FINAL
    WHERE state = 'confirmed' AND (tenant, integration, object) IN (
        SELECT tenant, integration, object FROM integrations_raw FINAL WHERE NOT removed AND impact_field != '')
    GROUP BY tenant, integration, object, record_key
) AS d
INNER JOIN (SELECT * FROM integrations_raw FINAL WHERE NOT removed AND impact_field != '') AS i
    ON i.tenant = d.tenant AND i.integration = d.integration AND i.object = d.object
LEFT JOIN
(
    SELECT tenant, integration, object, record_id, norms
    FROM crm_records FINAL
    WHERE side = 'source' AND NOT deleted AND (tenant, integration, object, record_id) IN (
        SELECT tenant, integration, object, source_id FROM divergences_raw FINAL WHERE state = 'confirmed' AND source_id != '')
) AS s ON s.tenant = d.tenant AND s.integration = d.integration AND s.object = d.object AND s.record_id = d.source_id
LEFT JOIN
(
    SELECT tenant, integration, object, record_id, norms
    FROM crm_records FINAL
    WHERE side = 'target' AND NOT deleted AND (tenant, integration, object, record_id) IN (
        SELECT tenant, integration, object, target_id FROM divergences_raw FINAL WHERE state = 'confirmed' AND target_id != '')
) AS t ON t.tenant = d.tenant AND t.integration = d.integration AND t.object = d.object AND t.record_id = d.target_id
WHERE i.impact_when != 'open' OR NOT startsWith(lower(standing), 'closed')
COMMENT 'Records that differ and what each is worth, where the configuration names a field for it';

CREATE OR REPLACE VIEW impact
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    currency LowCardinality(String) COMMENT 'Currencies are never added to one another; empty = not told, or no value is known',
    amount Float64 COMMENT 'Sum over the records of which the value is known',
    records UInt64 COMMENT 'Records that differ and are known to be worth something in this currency',
    all_records UInt64 COMMENT 'Records of the object that differ and count, valued or not',
    fields Array(String) COMMENT 'Fields that differ in them',
    sentence String COMMENT 'All of it in a sentence'
)
AS WITH
    multiIf(sum >= 1e6, concat(toString(round(sum / 1e6, 1)), ' m'), sum >= 1e4, concat(toString(round(sum / 1e3)), ' k'), toString(round(sum, 2))) AS rounded,
    if(length(v.fields) = 0, 'that are not on both sides',
        concat('whose ', arrayStringConcat(arraySlice(v.fields, 1, 4), ', '), if(length(v.fields) > 4, ' and others', ''), if(length(v.fields) = 1, ' differs', ' differ'))) AS which
SELECT v.tenant AS tenant, v.integration AS integration, v.object AS object, v.currency AS currency, v.sum AS amount, v.known AS records, v.total AS all_records,
    v.fields AS fields, if(v.known = 0, concat('the value of ', toString(v.total), ' ', v.object, ' records ', which, ' is not known'),
        concat(rounded, if(v.currency = '', '', concat(' ', v.currency)), if(v.open, ' open', ''), ' on ', toString(v.known), ' ', v.object, ' records ', which,
            '; known on ', toString(v.priced), ' of ', toString(v.total))) AS sentence
FROM
(
    SELECT g.*, sum(g.n) OVER (PARTITION BY tenant, integration, object) AS total, sum(g.known) OVER (PARTITION BY tenant, integration, object) AS priced
    FROM
    (
        SELECT r.tenant AS tenant, r.integration AS integration, r.object AS object, r.currency AS currency, ifNull(sum(r.amount), 0) AS sum, count() AS n,
            countIf(r.amount IS NOT NULL) AS known, arraySort(groupUniqArrayArray(r.fields)) AS fields, any(i.impact_when = 'open') AS open
        FROM impact_records AS r
        INNER JOIN (SELECT tenant, integration, object, impact_when FROM integrations_raw FINAL WHERE NOT removed) AS i
            ON i.tenant = r.tenant AND i.integration = r.integration AND i.object = r.object
        GROUP BY tenant, integration, object, currency
    ) AS g
) AS v
WHERE v.known > 0 OR v.priced = 0
COMMENT 'What differs, in money: over known values, currencies apart';
