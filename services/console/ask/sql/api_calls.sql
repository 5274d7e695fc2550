-- title: Cost of looking
-- about: API calls that Plumbline's own reading made, and the share of the daily allocation it may use.
-- empty: Plumbline reads neither system here, so this costs nothing.
-- filter: system
-- filter: account
-- column: system | text | System
-- column: account | text | Account
-- column: calls | count | Calls, 24 h
-- column: allowed | count | Allowed a day
-- column: daily | count | Limit of the account
-- column: asked | count | Checks asked
-- column: answered | count | Checks answered
SELECT system, account, sum(c.calls) AS calls, max(c.allowed) AS allowed, max(c.daily) AS daily, sum(c.asked) AS asked, sum(c.answered) AS answered
FROM api_calls AS c
WHERE {where} AND hour >= {now} - INTERVAL 24 HOUR
GROUP BY system, account
ORDER BY calls DESC, system
LIMIT {limit}
