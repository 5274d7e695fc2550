-- title: Silent failures
-- about: Reported as synced, yet not equal: green there, wrong here.
-- empty: None is known.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: field
-- filter: actor_id
-- filter: record_key
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: field | text | Field
-- column: kind | word | What happened
-- column: source_value | text | Source
-- column: target_value | text | Target
-- column: acknowledged_at | time | Acknowledged
-- column: found_at | time | Found
-- column: actor | text | Changed by
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text |
-- column: difference | word |
-- column: incident_id | key |
-- column: delivery_id | key |
-- column: source_id | key |
-- column: target_id | key |
-- column: tenant | text |
SELECT tenant, integration, object, record_key, source_id, target_id, delivery_id, field, kind, difference, source_value, target_value,
    acknowledged_at, found_at, if(actor_id = '', actor_kind, concat(actor_kind, ' ', actor_id)) AS actor, incident_id
FROM silent_failures
WHERE {where}
ORDER BY found_at DESC, record_key, field
LIMIT {limit}
