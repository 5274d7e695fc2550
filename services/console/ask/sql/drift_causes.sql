-- title: What explains the drift
-- about: Each cause with its share of the open differences; unexplained where nothing fits.
-- empty: Nothing that was compared differs.
-- filter: tenant
-- filter: integration
-- column: cause | text | Cause | /rows/divergences?integration={integration}&state=confirmed
-- column: object | text | Object
-- column: divergences | count | Differences | /rows/divergences?integration={integration}&object={object}&state=confirmed
-- column: records | count | Records
-- column: share | ratio | Share
-- column: first_confirmed_at | time | Since
-- column: integration | text |
-- column: tenant | text |
SELECT tenant, integration, object, cause, divergences, records, share, first_confirmed_at
FROM drift_causes
WHERE {where}
ORDER BY divergences DESC, cause
LIMIT {limit}
