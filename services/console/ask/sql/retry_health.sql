-- title: Retry health
-- about: How failed writes are retried. Creates repeated after an unclear outcome without a key are duplicates in the making.
-- empty: No write attempt was reported in this window.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: actor_id
-- filter: token
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text | Object
-- column: actor_id | text | By
-- column: token | text | Token
-- column: attempts | count | Attempts | /rows/attempts?integration={integration}&object={object}
-- column: attempts_per_record | num | Per record
-- column: retried | count | Retried
-- column: unsafe_creates | count | Unsafe creates
-- column: early_retries | count | Before Retry-After
-- column: hammered | count | Hammered
-- column: permanent_retried | count | Permanent, repeated
-- column: never_retried | count | Never retried
-- column: actor_kind | word |
-- column: tenant | text |
SELECT tenant, integration, object, actor_kind, actor_id, token, attempts, attempts_per_record, retried, early_retries, hammered, permanent_retried,
    unsafe_creates, never_retried
FROM retry_health_at(from = {from}, to = {to})
WHERE {where}
ORDER BY unsafe_creates DESC, attempts DESC, integration, object
LIMIT {limit}
