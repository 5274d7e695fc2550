-- What an analyst asks first, over the tables. docs/sql.md has questions for each.

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
FROM divergences AS v
INNER JOIN (SELECT delivery_id, acknowledged_at, actor_kind, actor_id FROM deliveries WHERE acknowledged_at IS NOT NULL) AS d
    ON d.delivery_id = v.delivery_id
WHERE v.state = 'confirmed' AND v.delivery_id != ''
UNION ALL
SELECT tenant, integration, object, record_key, source_id, target_id, delivery_id, '', '', 'not_applied',
    if(coerced, 'coerced', ''), '', '', '', acknowledged_at, updated_at, actor_kind, actor_id, ''
FROM deliveries
WHERE state = 'not_applied' AND delivery_id NOT IN (SELECT delivery_id FROM divergences WHERE state = 'confirmed' AND delivery_id != '')
COMMENT 'Reported as synced, yet not equal: the first number to look at';

CREATE OR REPLACE VIEW retry_chains_at AS
SELECT tenant, integration, object, unit, actor_kind, actor_id, token,
    arraySort(t -> t.1, groupArray((occurred_at, outcome = 'ok', operation, status, idempotency_key, permanent,
        toInt64OrZero(headers['retry-after'])))) AS tries,
    length(tries) AS n,
    arrayMap(i -> dateDiff('millisecond', tries[i].1, tries[i + 1].1), range(1, n)) AS gaps,
    arrayMap(i -> NOT tries[i].2, range(1, n)) AS after_error
FROM
(
    SELECT *, multiIf(delivery_id != '', delivery_id, record_key != '', concat(record_key, ' ', change_id), id) AS unit,
        outcome = 'error' AND id IN (
            SELECT attempt_id FROM failures
            WHERE recoverability = 'permanent' AND occurred_at >= {from:DateTime64(3)} AND occurred_at < {to:DateTime64(3)}) AS permanent
    FROM attempts
    WHERE operation IN ('create', 'update', 'upsert', 'delete') AND granularity = 'record'
        AND occurred_at >= {from:DateTime64(3)} AND occurred_at < {to:DateTime64(3)}
)
GROUP BY tenant, integration, object, unit, actor_kind, actor_id, token
COMMENT 'The tries of each change in order, with the gaps between them';

CREATE OR REPLACE VIEW retry_health_at AS
SELECT tenant, integration, object, actor_kind, actor_id, token,
    sum(n) AS attempts, count() AS records, attempts / records AS attempts_per_record,
    countIf(has(after_error, true)) AS retried,
    sum(arrayCount(i -> after_error[i] AND tries[i].7 > 0 AND gaps[i] < 1000 * tries[i].7, range(1, n))) AS early_retries,
    countIf(arrayCount(x -> x, after_error) >= 3 AND arrayMax(gaps) < 2 * arrayMin(gaps) AND arrayMin(gaps) < 5000) AS hammered,
    countIf(arrayCount(t -> t.6, tries) > 3) AS permanent_retried,
    sum(arrayCount(i -> after_error[i] AND tries[i].3 = 'create' AND tries[i].4 IN (0, 408, 502, 504)
        AND tries[i + 1].3 = 'create' AND tries[i + 1].5 = '', range(1, n))) AS unsafe_creates,
    countIf(n = 1 AND NOT tries[1].2 AND NOT tries[1].6) AS never_retried
FROM plumbline.retry_chains_at(from = {from:DateTime64(3)}, to = {to:DateTime64(3)})
GROUP BY tenant, integration, object, actor_kind, actor_id, token
COMMENT 'How failed writes are retried, over any window: retry_health_at(from = , to = )';

CREATE OR REPLACE VIEW retry_health
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    actor_kind LowCardinality(String) COMMENT 'Who wrote: integration, agent, ...',
    actor_id String COMMENT 'Who wrote',
    token LowCardinality(String) COMMENT 'Credential used',
    attempts UInt64 COMMENT 'Write attempts',
    records UInt64 COMMENT 'Changes they were for',
    attempts_per_record Float64 COMMENT 'Attempts for each change',
    retried UInt64 COMMENT 'Changes tried again after an error',
    early_retries UInt64 COMMENT 'Retries before the time that Retry-After named',
    hammered UInt64 COMMENT 'Changes retried three times and more at a steady pace under 5 s',
    permanent_retried UInt64 COMMENT 'Changes whose permanent error was repeated more than three times',
    unsafe_creates UInt64 COMMENT 'Creates repeated after an ambiguous outcome without idempotency key: duplicates in the making',
    never_retried UInt64 COMMENT 'Changes given up after one temporary error'
)
AS SELECT tenant, integration, object, actor_kind, actor_id, token, attempts, records, attempts_per_record, retried, early_retries, hammered,
    permanent_retried, unsafe_creates, never_retried
FROM plumbline.retry_health_at(from = now64(3, 'UTC') - 2592000, to = now64(3, 'UTC'))
COMMENT 'How failed writes are retried, last 30 days';

CREATE OR REPLACE VIEW field_writers_at AS
SELECT tenant, integration, system, object, field, count() AS writes, uniqExact(record_id) AS records,
    arraySort(groupUniqArray(20)(concat(actor_kind, ':', actor_id))) AS writers, max(changed_at) AS last_write
FROM changes
ARRAY JOIN mapKeys(fields) AS field
WHERE changed_at >= {from:DateTime64(3)} AND changed_at < {to:DateTime64(3)} AND actor_kind != 'unknown'
GROUP BY tenant, integration, system, object, field
COMMENT 'Who writes each field of a system: field_writers_at(from = , to = )';

CREATE OR REPLACE VIEW integration_surface
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    accounts UInt64 COMMENT 'Portals or orgs seen',
    tokens UInt64 COMMENT 'Credentials seen',
    objects UInt64 COMMENT 'Kinds of record',
    fields UInt64 COMMENT 'Fields written',
    shared_fields UInt64 COMMENT 'Fields with more than one writer',
    shared_with Array(String) COMMENT 'Those writers: kind:id',
    records UInt64 COMMENT 'Records changed',
    failure_share Float64 COMMENT 'Its share of the tenant\'s failures',
    drift_share Float64 COMMENT 'Its share of the tenant\'s open confirmed divergences',
    incident_hours Float64 COMMENT 'Hours of incidents, open ones included',
    incidents UInt64 COMMENT 'Incidents',
    idle_days Float64 COMMENT 'Days since anything was seen'
)
AS SELECT c.tenant AS tenant, c.integration AS integration, c.system AS system, c.accounts AS accounts,
    greatest(c.tokens, a.tokens) AS tokens, c.objects AS objects, w.fields AS fields,
    w.shared_fields AS shared_fields, w.shared_with AS shared_with, c.records AS records,
    if(f.all_failures > 0, f.failures / f.all_failures, 0.) AS failure_share, if(v.all_open > 0, v.open / v.all_open, 0.) AS drift_share,
    i.hours AS incident_hours, i.n AS incidents, dateDiff('second', greatest(c.seen, a.seen), now64(3, 'UTC')) / 86400 AS idle_days
FROM
(
    SELECT tenant, integration, system, uniqExact(account) AS accounts, uniqExactIf(token, token != '') AS tokens,
        uniqExact(object) AS objects, uniqExact(record_id) AS records, max(received_at) AS seen
    FROM changes
    WHERE changed_at >= now64(3, 'UTC') - 2592000 AND integration != ''
    GROUP BY tenant, integration, system
) AS c
LEFT JOIN
(
    SELECT tenant, integration, system, count() AS fields, countIf(length(writers) > 1) AS shared_fields,
        arraySort(arrayDistinct(arrayFlatten(groupArrayIf(writers, length(writers) > 1)))) AS shared_with
    FROM plumbline.field_writers_at(from = now64(3, 'UTC') - 2592000, to = now64(3, 'UTC'))
    GROUP BY tenant, integration, system
) AS w ON w.tenant = c.tenant AND w.integration = c.integration AND w.system = c.system
LEFT JOIN
(
    SELECT tenant, integration, system, uniqExactIf(token, token != '') AS tokens, max(received_at) AS seen
    FROM attempts
    WHERE occurred_at >= now64(3, 'UTC') - 2592000
    GROUP BY tenant, integration, system
) AS a ON a.tenant = c.tenant AND a.integration = c.integration AND a.system = c.system
LEFT JOIN
(
    SELECT tenant, integration, count() AS failures, sum(failures) OVER (PARTITION BY tenant) AS all_failures
    FROM failures
    WHERE occurred_at >= now64(3, 'UTC') - 2592000 AND NOT collateral
    GROUP BY tenant, integration
) AS f ON f.tenant = c.tenant AND f.integration = c.integration
LEFT JOIN
(
    SELECT tenant, integration, count() AS open, sum(open) OVER (PARTITION BY tenant) AS all_open
    FROM divergences
    WHERE state = 'confirmed'
    GROUP BY tenant, integration
) AS v ON v.tenant = c.tenant AND v.integration = c.integration
LEFT JOIN
(
    SELECT tenant, integration, count() AS n,
        sum(dateDiff('second', detected_at, coalesce(resolved_at, now64(3, 'UTC')))) / 3600 AS hours
    FROM incidents
    WHERE coalesce(resolved_at, now64(3, 'UTC')) >= now64(3, 'UTC') - 2592000
    GROUP BY tenant, integration
) AS i ON i.tenant = c.tenant AND i.integration = c.integration
COMMENT 'What each integration touches, last 30 days: what to consolidate first';

CREATE OR REPLACE VIEW integration_systems
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    side LowCardinality(String) COMMENT 'source or target',
    system LowCardinality(String) COMMENT 'The system: hubspot, salesforce, ...',
    account LowCardinality(String) COMMENT 'Portal or org in the system'
)
AS SELECT tenant, integration, side, argMax(c.system, received_at) AS system, argMax(c.account, received_at) AS account
FROM changes AS c
WHERE side != '' AND received_at >= now64(3, 'UTC') - 7776000
GROUP BY tenant, integration, side
COMMENT 'The systems at both ends of an integration, as seen in the last 90 days';

CREATE OR REPLACE VIEW records
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    record_key String COMMENT 'Canonical record: integration/object/source id',
    source_id String COMMENT 'Native id in the source system',
    target_id String COMMENT 'Native id in the target system',
    source_link String COMMENT 'The record in the source system, for a person to open',
    target_link String COMMENT 'The record in the target system, for a person to open',
    changes UInt64 COMMENT 'Changes on their way or arrived',
    last_change_at DateTime64(3, 'UTC') COMMENT 'Newest change',
    last_state LowCardinality(String) COMMENT 'Where that change stands',
    waiting UInt64 COMMENT 'Changes that have not arrived',
    differences UInt64 COMMENT 'Confirmed divergences that are open',
    fields Array(String) COMMENT 'Fields that differ'
)
AS SELECT r.tenant AS tenant, r.integration AS integration, r.object AS object, r.record_key AS record_key, r.source_id AS source_id,
    r.target_id AS target_id,
    multiIf(r.source_id = '', '',
        s.system = 'hubspot', concat('https://app.hubspot.com/contacts/', s.account, '/record/',
            transform(lower(r.object), ['contact', 'company', 'deal', 'ticket'], ['0-1', '0-2', '0-3', '0-5'], r.object), '/', r.source_id),
        s.system = 'salesforce', concat('https://login.salesforce.com/', r.source_id), '') AS source_link,
    multiIf(r.target_id = '', '',
        t.system = 'hubspot', concat('https://app.hubspot.com/contacts/', t.account, '/record/',
            transform(lower(r.object), ['contact', 'company', 'deal', 'ticket'], ['0-1', '0-2', '0-3', '0-5'], r.object), '/', r.target_id),
        t.system = 'salesforce', concat('https://login.salesforce.com/', r.target_id), '') AS target_link,
    r.changes AS changes, r.last_change_at AS last_change_at, r.last_state AS last_state, r.waiting AS waiting,
    v.differences AS differences, v.fields AS fields
FROM
(
    SELECT tenant, integration, object, record_key, argMaxIf(source_id, updated_at, source_id != '') AS source_id,
        argMaxIf(target_id, updated_at, target_id != '') AS target_id, count() AS changes, max(changed_at) AS last_change_at,
        argMax(state, changed_at) AS last_state, countIf(state IN ('observed', 'attempted', 'stalled', 'failed')) AS waiting
    FROM deliveries
    GROUP BY tenant, integration, object, record_key
) AS r
LEFT JOIN (SELECT * FROM integration_systems WHERE side = 'source') AS s ON s.tenant = r.tenant AND s.integration = r.integration
LEFT JOIN (SELECT * FROM integration_systems WHERE side = 'target') AS t ON t.tenant = r.tenant AND t.integration = r.integration
LEFT JOIN
(
    SELECT tenant, integration, object, record_key, count() AS differences, groupUniqArrayIf(field, field != '') AS fields
    FROM divergences
    WHERE state = 'confirmed'
    GROUP BY tenant, integration, object, record_key
) AS v ON v.tenant = r.tenant AND v.integration = r.integration AND v.object = r.object AND v.record_key = r.record_key
COMMENT 'Records with their ids and links into both systems, and how they stand';

CREATE OR REPLACE VIEW drift_by_field
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    field LowCardinality(String) COMMENT 'Empty = the record as a whole',
    kind LowCardinality(String) COMMENT 'missing_in_target, missing_in_source, value_mismatch, stale, duplicate',
    difference LowCardinality(String) COMMENT 'How it differs',
    open_now UInt64 COMMENT 'Confirmed and open',
    pending UInt64 COMMENT 'May still be on its way',
    accepted UInt64 COMMENT 'Accepted by a person',
    new_30d UInt64 COMMENT 'Confirmed in the last 30 days, equal before',
    pre_existing UInt64 COMMENT 'Open ones that were there at the first comparison',
    resolved_30d UInt64 COMMENT 'Gone in the last 30 days',
    records UInt64 COMMENT 'Records with an open one',
    oldest_open Nullable(DateTime64(3, 'UTC')) COMMENT 'Since when the oldest is open',
    schema_changes_30d UInt64 COMMENT 'Signals about the field or its object: schema, picklist, mapping',
    last_schema_change Nullable(DateTime64(3, 'UTC')) COMMENT 'The newest of them'
)
AS SELECT v.tenant AS tenant, v.integration AS integration, v.object AS object, v.field AS field, v.kind AS kind, v.difference AS difference,
    v.open_now AS open_now, v.pending AS pending, v.accepted AS accepted, v.new_30d AS new_30d, v.pre_existing AS pre_existing,
    v.resolved_30d AS resolved_30d, v.records AS records, v.oldest_open AS oldest_open, length(s.times) AS schema_changes_30d, if(empty(s.times), NULL, arrayMax(s.times)) AS last_schema_change
FROM
(
    SELECT tenant, integration, object, field, kind, difference, countIf(state = 'confirmed') AS open_now, countIf(state = 'pending') AS pending,
        countIf(state = 'accepted') AS accepted,
        countIf(confirmed_at >= now64(3, 'UTC') - 2592000 AND NOT d.pre_existing) AS new_30d,
        countIf(state = 'confirmed' AND d.pre_existing) AS pre_existing,
        countIf(state = 'resolved' AND resolved_at >= now64(3, 'UTC') - 2592000) AS resolved_30d,
        uniqExactIf(record_key, state = 'confirmed') AS records, minIf(confirmed_at, state = 'confirmed') AS oldest_open
    FROM divergences AS d
    GROUP BY tenant, integration, object, field, kind, difference
) AS v
LEFT JOIN
(
    SELECT tenant, integration, object, field, groupArray(started_at) AS times
    FROM signals
    WHERE kind IN ('schema_change', 'picklist_change', 'mapping_change') AND started_at >= now64(3, 'UTC') - 2592000
    GROUP BY tenant, integration, object, field
) AS s ON s.tenant = v.tenant AND s.integration = v.integration AND s.object = v.object AND s.field = v.field
COMMENT 'Which fields differ, how, and since when';

CREATE OR REPLACE VIEW drift_causes
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    cause String COMMENT 'What explains it, or unexplained',
    divergences UInt64 COMMENT 'Confirmed and open',
    records UInt64 COMMENT 'Records',
    share Float64 COMMENT 'Of the integration\'s open divergences',
    first_confirmed_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Since when'
)
AS SELECT tenant, integration, object, if(d.cause = '', 'unexplained', d.cause) AS cause, count() AS divergences, uniqExact(record_key) AS records,
    count() / sum(count()) OVER (PARTITION BY tenant, integration) AS share, min(confirmed_at) AS first_confirmed_at
FROM divergences AS d
WHERE state = 'confirmed'
GROUP BY tenant, integration, object, cause
COMMENT 'What open drift is attributed to; unexplained where nothing fits';

CREATE OR REPLACE VIEW agent_activity
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    actor_kind LowCardinality(String) COMMENT 'agent or automation',
    actor_id String COMMENT 'The agent',
    hour DateTime64(3, 'UTC') COMMENT 'Hour',
    system LowCardinality(String) COMMENT 'Where it wrote',
    object LowCardinality(String) COMMENT 'Kind of record',
    writes UInt64 COMMENT 'Changes seen in a system',
    records UInt64 COMMENT 'Records changed',
    fields Array(String) COMMENT 'Fields changed',
    runs UInt64 COMMENT 'Runs',
    creates UInt64 COMMENT 'Of the writes',
    deletes UInt64 COMMENT 'Of the writes',
    attempts UInt64 COMMENT 'Writes it reported, tried or done',
    failed UInt64 COMMENT 'Of those attempts',
    diverging_records UInt64 COMMENT 'Changed records that differ now'
)
AS SELECT tenant, integration, actor_kind, actor_id, hour, system, object, sum(w) AS writes, uniqExactIf(record_key, w > 0) AS records,
    arraySort(groupUniqArrayArray(names)) AS fields, uniqExactIf(run, run != '') AS runs, sum(c) AS creates, sum(x) AS deletes,
    sum(a) AS attempts, sum(e) AS failed, uniqExactIf(record_key, w > 0 AND diverging) AS diverging_records
FROM
(
    SELECT tenant, integration, actor_kind, actor_id, toStartOfHour(changed_at) AS hour, system, object, record_key, actor_run AS run,
        mapKeys(d.fields) AS names, 1 AS w, operation = 'create' AS c, operation = 'delete' AS x, 0 AS a, 0 AS e,
        record_key IN (SELECT record_key FROM divergences WHERE state = 'confirmed') AS diverging
    FROM changes AS d
    WHERE actor_kind IN ('agent', 'automation')
    UNION ALL
    SELECT tenant, integration, actor_kind, actor_id, toStartOfHour(occurred_at), system, object, record_key, actor_run, [], 0, 0, 0, 1,
        outcome = 'error', 0
    FROM attempts
    WHERE actor_kind IN ('agent', 'automation') AND operation IN ('create', 'update', 'upsert', 'delete')
)
GROUP BY tenant, integration, actor_kind, actor_id, hour, system, object
COMMENT 'What agents and automations did, hour by hour';

CREATE OR REPLACE VIEW token_activity
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    token LowCardinality(String) COMMENT 'Id of the credential, never the credential',
    system LowCardinality(String) COMMENT 'The system called',
    hour DateTime64(3, 'UTC') COMMENT 'Hour',
    calls UInt64 COMMENT 'Attempts reported',
    reads UInt64 COMMENT 'Of the calls',
    writes UInt64 COMMENT 'Of the calls',
    failed UInt64 COMMENT 'Of the calls',
    auth_failures UInt64 COMMENT 'Answers 401 and 403',
    objects Array(String) COMMENT 'Kinds of record touched',
    records UInt64 COMMENT 'Records touched',
    actors Array(String) COMMENT 'Who used it: kind:id',
    changes UInt64 COMMENT 'Changes seen that name it'
)
AS SELECT tenant, integration, token, system, hour, sum(n) AS calls, sum(r) AS reads, sum(w) AS writes, sum(e) AS failed, sum(auth) AS auth_failures,
    arraySort(groupUniqArray(object)) AS objects, uniqExactIf(record, record != '') AS records, arraySort(groupUniqArray(20)(actor)) AS actors, sum(c) AS changes
FROM
(
    SELECT tenant, integration, token, system, toStartOfHour(occurred_at) AS hour, 1 AS n, operation = 'read' AS r,
        operation IN ('create', 'update', 'upsert', 'delete') AS w, outcome = 'error' AS e, status IN (401, 403) AS auth, object,
        if(record_key != '', record_key, target_id) AS record, concat(actor_kind, ':', actor_id) AS actor, 0 AS c
    FROM attempts
    WHERE token != ''
    UNION ALL
    SELECT tenant, integration, token, system, toStartOfHour(changed_at), 0, 0, 0, 0, 0, object, record_key, concat(actor_kind, ':', actor_id), 1
    FROM changes
    WHERE token != ''
)
GROUP BY tenant, integration, token, system, hour
COMMENT 'What was done with each credential, hour by hour, as far as it is reported';
