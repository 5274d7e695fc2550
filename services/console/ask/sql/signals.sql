-- title: Signals
-- about: What may explain failures or drift: vendor incidents, schema and picklist changes, deploys, imports, quotas.
-- empty: No signal in this window.
-- filter: tenant
-- filter: integration
-- filter: kind
-- filter: system
-- filter: object
-- filter: field
-- filter: token
-- column: started_at | time | Began
-- column: ended_at | time | Ended
-- column: kind | word | What | /rows/signals?kind={kind}
-- column: system | text | System
-- column: object | text | Object
-- column: field | text | Field
-- column: summary | text | In words
-- column: detail | pairs | Detail
-- column: integration | text |
-- column: token | text |
-- column: sender | text |
-- column: signal_id | key |
-- column: tenant | text |
SELECT signal_id, tenant, integration, kind, system, object, field, started_at, ended_at, summary, detail, token, sender
FROM signals
WHERE started_at >= {from} AND started_at <= {to} AND {where}
ORDER BY started_at DESC, signal_id
LIMIT {limit}
