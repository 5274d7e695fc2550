-- title: Failures
-- about: Classified unsuccessful attempts, and silent failures with the class inferred for them; newest first.
-- empty: No failure in this window.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: class = auth schema rate_limit duplicate vendor_outage network other
-- filter: attribution = vendor customer pipeline unknown
-- filter: origin = error inferred
-- filter: record_key
-- filter: fingerprint
-- filter: incident_id
-- filter: actor_id
-- filter: token
-- column: occurred_at | time | When
-- column: class | word | Class | /rows/failures?class={class}&integration={integration}
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text |
-- column: operation | word | Tried
-- column: status | count | HTTP
-- column: code | key | Code
-- column: message | text | Message
-- column: attribution | word | Whose side
-- column: confidence | ratio |
-- column: recoverability | word |
-- column: first_step | text | First step
-- column: evidence | text |
-- column: likely_cause | text |
-- column: rule | key |
-- column: fingerprint | key |
-- column: incident_id | key | Incident | /incident?incident_id={incident_id}
-- column: collateral | flag |
-- column: origin | word |
-- column: failure_id | key |
-- column: attempt_id | key |
-- column: delivery_id | key |
-- column: source_id | key |
-- column: target_id | key |
-- column: provider | text |
-- column: tenant | text |
SELECT failure_id, tenant, integration, attempt_id, delivery_id, incident_id, record_key, source_id, target_id, provider, object, operation,
    occurred_at, origin, class, recoverability, attribution, confidence, rule, evidence, first_step, likely_cause, fingerprint,
    collateral, status, code, message
FROM failures
WHERE occurred_at >= {from} AND occurred_at <= {to} AND {where}
ORDER BY occurred_at DESC, failure_id
LIMIT {limit}
