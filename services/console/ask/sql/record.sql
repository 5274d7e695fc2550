-- title: Record
-- empty: Nothing is known of this record.
-- needs: record_key
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text | Object
-- column: last_state | word | Newest change | /rows/deliveries?record_key={record_key}&window=30d
-- column: last_change_at | time | Changed
-- column: changes | count | Changes | /rows/deliveries?record_key={record_key}&window=30d
-- column: waiting | count | Not arrived | /rows/deliveries?record_key={record_key}&window=30d
-- column: differences | count | Fields that differ | /rows/divergences?record_key={record_key}&state=confirmed
-- column: source_id | key | Source id
-- column: target_id | key | Target id
-- column: source_link | url |
-- column: target_link | url |
-- column: record_key | key |
-- column: tenant | text |
SELECT tenant, integration, object, record_key, source_id, target_id, source_link, target_link, changes, last_change_at, last_state, waiting,
    differences
FROM records
WHERE record_key = {record_key}
LIMIT {limit}
