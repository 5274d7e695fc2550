-- title: Incidents
-- about: What failures or differences of one cause grew into; open ones first, then the newest.
-- empty: No incident.
-- filter: tenant
-- filter: integration
-- filter: state = open acknowledged mitigated resolved
-- filter: priority = P1 P2
-- filter: class = auth schema rate_limit duplicate vendor_outage network other
-- filter: fingerprint
-- column: priority | word | Priority
-- column: title | text | What broke | /incident?incident_id={incident_id}
-- column: state | word | State
-- column: integration | text | Integration | /integration?integration={integration}
-- column: class | word | Class
-- column: attribution | word | Whose side
-- column: confidence | ratio |
-- column: detected_at | time | Since
-- column: resolved_at | time | Resolved
-- column: open | count | Records not right
-- column: affected | count | Affected
-- column: acknowledged_by | text | Taken by
-- column: incident_id | key |
-- column: fingerprint | key |
-- column: tenant | text |
SELECT incident_id, tenant, integration, state, priority, class, attribution, confidence, title, detected_at, resolved_at, open, affected,
    acknowledged_by, fingerprint
FROM incidents
WHERE {where}
ORDER BY state = 'resolved', if(state = 'resolved', '', priority), detected_at DESC
LIMIT {limit}
