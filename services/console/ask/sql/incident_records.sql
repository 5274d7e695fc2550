-- title: Affected records
-- about: How each of them stands now: its newest change, and what still differs.
-- empty: The incident names no record.
-- needs: incident_id
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: object | text | Object
-- column: last_state | word | Newest change
-- column: last_change_at | time | Changed
-- column: differences | count | Fields that differ | /rows/divergences?record_key={record_key}
-- column: failures | count | Failures | /rows/failures?record_key={record_key}&window=30d
-- column: last_message | text | Last error
WITH
    (SELECT any((integration, arrayMap(r -> substring(r, position(r, '/') + 1), records), records)) FROM incidents WHERE incident_id = {incident_id}) AS i,
    arrayConcat(i.2, i.3) AS wanted
SELECT record_key, any(o) AS object, argMax(state, changed) AS last_state, toNullable(max(changed)) AS last_change_at, sum(differs) AS differences,
    sum(failed) AS failures, argMax(said, at) AS last_message
FROM
(
    SELECT record_key, object AS o, toString(state) AS state, changed_at AS changed, 0 AS differs, 0 AS failed, '' AS said, toDateTime64(0, 3, 'UTC') AS at
    FROM deliveries WHERE integration = i.1 AND has(wanted, record_key)
    UNION ALL
    SELECT record_key, object, '', toDateTime64(0, 3, 'UTC'), 1, 0, '', toDateTime64(0, 3, 'UTC')
    FROM divergences WHERE integration = i.1 AND has(wanted, record_key) AND state = 'confirmed'
    UNION ALL
    SELECT record_key, object, '', toDateTime64(0, 3, 'UTC'), 0, 1, message, occurred_at
    FROM failures WHERE integration = i.1 AND has(wanted, record_key)
)
GROUP BY record_key
ORDER BY differences DESC, last_change_at DESC, record_key
LIMIT {limit}
