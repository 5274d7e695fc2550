-- title: Integration surface
-- about: What each integration touches, over 30 days. Start consolidating where fields are shared and drift is high.
-- empty: Nothing was seen in 30 days.
-- filter: tenant
-- filter: integration
-- filter: system
-- column: integration | text | Integration | /integration?integration={integration}
-- column: system | text | System
-- column: shared_fields | count | Fields with more than one writer | /rows/field_writers?integration={integration}&system={system}
-- column: shared_with | list | Written also by
-- column: drift_share | ratio | Of all drift | /rows/divergences?integration={integration}&state=confirmed
-- column: failure_share | ratio | Of all failures | /rows/failures?integration={integration}&window=30d
-- column: incidents | count | Incidents | /rows/incidents?integration={integration}
-- column: incident_hours | num | Hours of incidents
-- column: records | count | Records a month
-- column: fields | count | Fields | /rows/field_writers?integration={integration}&system={system}
-- column: objects | count | Objects
-- column: tokens | count | Tokens
-- column: accounts | count | Accounts
-- column: idle_days | num | Days idle
-- column: tenant | text |
SELECT tenant, integration, system, accounts, tokens, objects, fields, shared_fields, shared_with, records, failure_share, drift_share,
    round(incident_hours, 1) AS incident_hours, incidents, round(idle_days, 1) AS idle_days
FROM integration_surface
WHERE {where}
ORDER BY shared_fields DESC, drift_share DESC, integration, system
LIMIT {limit}
