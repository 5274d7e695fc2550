-- title: Drift by field
-- about: Which fields differ, how, since when, and what changed in a schema meanwhile.
-- empty: Nothing that was compared differs.
-- filter: tenant
-- filter: integration
-- filter: object
-- column: object | text | Object
-- column: field | text | Field | /rows/divergences?integration={integration}&object={object}&field={field}&state=confirmed
-- column: kind | word | What differs
-- column: difference | word | How
-- column: open_now | count | Open | /rows/divergences?integration={integration}&object={object}&field={field}&kind={kind}&state=confirmed
-- column: new_30d | count | New, 30 d
-- column: pre_existing | count | Always there
-- column: pending | count | May be under way
-- column: accepted | count | Accepted
-- column: oldest_open | time | Oldest
-- column: last_schema_change | time | Schema changed
-- column: integration | text |
-- column: tenant | text |
SELECT tenant, integration, object, if(field = '', '', toString(field)) AS field, kind, difference, open_now, new_30d, pre_existing, pending, accepted, oldest_open,
    last_schema_change
FROM drift_by_field
WHERE {where} AND open_now + pending + accepted > 0
ORDER BY open_now DESC, object, field, kind
LIMIT {limit}
