-- title: Records that differ, by what they are worth
-- about: The newest value that was read in the source, else in the target.
-- empty: Nothing that differs has a value, or the configuration names no field for it (impact).
-- filter: tenant
-- filter: integration
-- filter: object
-- filter: currency
-- column: record_key | key | Record | /record?record_key={record_key}
-- column: amount | num | Worth
-- column: currency | text | Currency
-- column: stage | text | Stage
-- column: fields | list | Fields that differ
-- column: since | time | Confirmed
-- column: object | text | Object
-- column: integration | text | Integration | /integration?integration={integration}
-- column: source_id | key |
-- column: target_id | key |
-- column: tenant | text |
SELECT tenant, integration, object, record_key, source_id, target_id, amount, currency, stage, fields, since
FROM impact_records
WHERE {where}
ORDER BY amount DESC NULLS LAST, record_key
LIMIT {limit}
