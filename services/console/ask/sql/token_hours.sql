-- title: One token, hour by hour
-- empty: It was not used in this window.
-- needs: token
-- filter: system
-- column: hour | time | Hour
-- column: integration | text | Integration | /integration?integration={integration}
-- column: system | text | System
-- column: calls | count | Calls | /rows/attempts?token={token}&integration={integration}
-- column: reads | count | Reads
-- column: writes | count | Writes
-- column: failed | count | Failed | /rows/attempts?token={token}&integration={integration}&outcome=error
-- column: auth_failures | count | Refused
-- column: records | count | Records
-- column: objects | list | Objects
-- column: actors | list | Used by
-- column: token | text |
SELECT {token} AS token, hour, integration, system, calls, reads, writes, failed, auth_failures, records, objects, actors
FROM token_activity AS t
WHERE t.token = {token} AND hour >= toStartOfHour({from}) AND hour <= {to} AND {where}
ORDER BY hour DESC, integration, system
LIMIT {limit}
