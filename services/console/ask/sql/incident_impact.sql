-- title: What the affected records are worth
-- about: Over those that still differ and whose value is known; currencies are never added to one another.
-- empty: None of the affected records that still differ has a known value.
-- needs: incident_id
-- column: currency | text | Currency
-- column: amount | num | Amount
-- column: records | count | Records with a value
-- column: all_records | count | Affected records that differ
SELECT currency, ifNull(sum(amount), 0) AS amount, countIf(r.amount IS NOT NULL) AS records, sum(count()) OVER () AS all_records
FROM impact_records AS r
WHERE (integration, object, record_key) IN (
    SELECT integration, splitByChar('/', x)[1], splitByChar('#', substring(x, position(x, '/') + 1))[1]
    FROM incidents ARRAY JOIN records AS x WHERE incident_id = {incident_id})
GROUP BY currency
ORDER BY amount DESC, currency
LIMIT {limit}
