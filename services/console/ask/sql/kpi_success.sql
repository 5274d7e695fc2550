-- title: Sync success rate
-- about: The KPI as it is defined, with numerator and denominator: one row an integration and object.
-- empty: No integration is configured.
-- filter: tenant
-- filter: integration
-- filter: object
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text | Object
-- column: status | word | Status
-- column: value | num | Value
-- column: numerator | num | Numerator
-- column: denominator | num | Denominator
-- column: target | num | Target
-- column: severity | word | Severity
-- column: reason | word | Reason
-- column: detail | text | Detail
-- column: tenant | text |
SELECT tenant, integration, object, toNullable(toFloat64(value)) AS value, toFloat64(numerator) AS numerator, toFloat64(denominator) AS denominator,
    toFloat64(target) AS target, status, severity, reason, detail
FROM kpi_sync_success_rate_at(from = {from}, to = {to})
WHERE {where}
ORDER BY tenant, integration, object
LIMIT {limit}
