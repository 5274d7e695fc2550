-- title: Deliveries
-- about: The passage of each change to the target, as it now stands; newest first.
-- empty: No change in this window.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: state = observed attempted acknowledged applied verified failed stalled not_applied overwritten unobserved superseded
-- filter: record_key
-- filter: delivery_id
-- filter: actor_id
-- column: changed_at | time | Changed
-- column: state | word | State | /rows/deliveries?state={state}&integration={integration}
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text |
-- column: acknowledged_at | time | Acknowledged
-- column: applied_at | time | Seen in the target
-- column: latency_ms | ms | Latency
-- column: latency_basis | word | Measured by
-- column: attempts | count | Attempts
-- column: due_at | time | Due
-- column: first_attempt_at | time |
-- column: received_at | time |
-- column: late | flag |
-- column: coerced | flag |
-- column: updated_at | time |
-- column: delivery_id | key |
-- column: source_id | key |
-- column: target_id | key |
-- column: tenant | text |
SELECT delivery_id, tenant, integration, object, record_key, source_id, target_id, state, changed_at, received_at, due_at,
    first_attempt_at, acknowledged_at, applied_at, latency_ms, latency_basis, attempts, late, coerced, updated_at
FROM deliveries
WHERE changed_at >= {from} AND changed_at <= {to} AND {where}
ORDER BY changed_at DESC, delivery_id
LIMIT {limit}
