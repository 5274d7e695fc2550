-- title: Attempts
-- about: Every try to write or read a record that was reported; newest first.
-- empty: No attempt was reported in this window.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: outcome = ok error
-- filter: operation = read create update upsert delete auth_refresh webhook
-- filter: record_key
-- filter: token
-- filter: actor_id
-- column: occurred_at | time | When
-- column: outcome | word | Outcome
-- column: operation | word | Tried
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text |
-- column: status | count | HTTP
-- column: code | key | Code
-- column: message | text | Message
-- column: try | count | Try
-- column: duration_ms | ms | Took
-- column: token | text | Token | /rows/token_hours?token={token}
-- column: actor | text | By
-- column: delivery_id | key |
-- column: id | key |
-- column: tenant | text |
SELECT id, tenant, integration, occurred_at, object, operation, record_key, delivery_id, status, code, message, try, duration_ms,
    outcome, token, if(actor_id = '', actor_kind, concat(actor_kind, ' ', actor_id)) AS actor
FROM attempts
WHERE occurred_at >= {from} AND occurred_at <= {to} AND {where}
ORDER BY occurred_at DESC, id
LIMIT {limit}
