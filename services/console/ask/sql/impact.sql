-- title: Impact in money
-- about: What the records that differ are worth, over known values; currencies are never added to one another.
-- empty: Nothing that differs has a value, or the configuration names no field for it (impact).
-- filter: tenant
-- filter: integration
-- filter: object
-- column: sentence | text | In words | /rows/impact_records?integration={integration}&object={object}
-- column: amount | num | Amount
-- column: currency | text | Currency
-- column: records | count | Records with a value
-- column: all_records | count | Records that differ | /rows/impact_records?integration={integration}&object={object}
-- column: fields | list | Fields that differ
-- column: object | text | Object
-- column: integration | text | Integration | /integration?integration={integration}
-- column: tenant | text |
SELECT tenant, integration, object, currency, amount, records, all_records, fields, sentence
FROM impact
WHERE {where}
ORDER BY amount DESC, integration, object, currency
LIMIT {limit}
