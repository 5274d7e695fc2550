-- title: Records that differ
-- about: Each field, or record as a whole, that differs between the two systems; newest first.
-- empty: Nothing that was compared differs.
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: field
-- filter: kind = missing_in_target missing_in_source value_mismatch stale duplicate
-- filter: state = pending confirmed accepted resolved out_of_scope
-- filter: cause
-- filter: record_key
-- filter: divergence_id
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: field | text | Field | /rows/divergences?field={field}&integration={integration}&state=confirmed
-- column: kind | word | What differs
-- column: difference | word |
-- column: source_value | text | Source
-- column: target_value | text | Target
-- column: target_writer | text | Target written by
-- column: state | word | State
-- column: confirmed_at | time | Confirmed
-- column: cause | text | Cause
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text |
-- column: source_modified_at | time |
-- column: target_modified_at | time |
-- column: first_seen_at | time |
-- column: resolved_at | time |
-- column: found_by | word |
-- column: pre_existing | flag |
-- column: accepted_by | text |
-- column: divergence_id | key |
-- column: delivery_id | key |
-- column: tenant | text |
SELECT divergence_id, tenant, integration, object, record_key, delivery_id, field, kind, difference, state, source_value, target_value,
    source_modified_at, target_modified_at, target_writer, first_seen_at, confirmed_at, resolved_at, found_by, pre_existing,
    accepted_by, cause
FROM divergences
WHERE {where}
ORDER BY coalesce(confirmed_at, first_seen_at) DESC, record_key, field
LIMIT {limit}
