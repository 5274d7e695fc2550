-- title: Used as it never was
-- about: Calls of a credential that its own past does not explain.
-- empty: Nothing unusual in this window.
-- filter: tenant
-- filter: system
-- filter: token
-- column: started_at | time | When
-- column: token | text | Token | /rows/token_hours?token={token}
-- column: system | text | System
-- column: summary | text | What
-- column: detail | pairs | Detail
-- column: tenant | text |
SELECT tenant, started_at, token, system, summary, detail
FROM signals
WHERE kind = 'token_anomaly' AND started_at >= {from} AND started_at <= {to} AND {where}
ORDER BY started_at DESC
LIMIT {limit}
