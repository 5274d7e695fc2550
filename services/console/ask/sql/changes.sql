-- title: Changes
-- about: What changed in a system: who, what, when; newest first.
-- empty: No change in this window.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: side = source target
-- filter: system
-- filter: actor_kind = user integration agent automation import unknown
-- filter: actor_id
-- filter: record_key
-- filter: token
-- column: changed_at | time | Changed
-- column: system | text | System
-- column: side | word |
-- column: operation | word | What
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text |
-- column: fields | pairs | Fields
-- column: actor_kind | word | By
-- column: actor_id | text | Who | /rows/changes?actor_id={actor_id}
-- column: token | text |
-- column: received_at | time |
-- column: event_id | key |
-- column: tenant | text |
SELECT event_id, tenant, integration, side, system, object, record_key, operation, changed_at, received_at, fields, actor_kind,
    actor_id, token
FROM changes
WHERE changed_at >= {from} AND changed_at <= {to} AND {where}
ORDER BY changed_at DESC, event_id
LIMIT {limit}
