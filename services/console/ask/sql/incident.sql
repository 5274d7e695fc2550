-- title: Incident
-- empty: There is no incident of this id.
-- needs: incident_id
-- column: title | text | What broke
-- column: state | word | State
-- column: priority | word | Priority
-- column: integration | text | Integration | /integration?integration={integration}
-- column: object | text | Object
-- column: detected_at | time | Detected
-- column: onset_at | time | First affected change
-- column: last_at | time | Last failure
-- column: failures | count | Failures | /rows/failures?incident_id={incident_id}&window=30d
-- column: affected | count | Records affected | /rows/incident_records?incident_id={incident_id}
-- column: open | count | Not right yet | /rows/incident_records?incident_id={incident_id}
-- column: unverified | count | Taken on the target's word
-- column: waived | count | Waived
-- column: class | word | Class
-- column: attribution | word | Whose side
-- column: confidence | ratio | How sure
-- column: recoverability | word | Kind
-- column: evidence | text | Evidence
-- column: first_step | text | First step
-- column: acknowledged_at | time | Acknowledged
-- column: acknowledged_by | text | Taken by
-- column: mitigated_at | time | No longer grew
-- column: resolved_at | time | Resolved
-- column: resolved_by | text | Closed by
-- column: recurrence | count | Times in 30 days | /rows/incidents?fingerprint={fingerprint}
-- column: reopened | count | Reopened
-- column: provider | text | System
-- column: token | text | Token
-- column: kind | word |
-- column: steps | list |
-- column: records | list |
-- column: predicate | text |
-- column: fingerprint | key |
-- column: verdict_id | key |
-- column: incident_id | key |
-- column: tenant | text |
SELECT incident_id, tenant, integration, object, fingerprint, kind, state, priority, class, attribution, recoverability, confidence, provider,
    token, title, evidence, first_step, onset_at, detected_at, acknowledged_at, acknowledged_by, mitigated_at, resolved_at, resolved_by,
    last_at, failures, affected, open, unverified, waived, records, predicate, reopened, recurrence, verdict_id, steps
FROM incidents
WHERE incident_id = {incident_id}
LIMIT {limit}
