-- title: Tokens
-- about: What was done with each credential, as far as it is reported. Plumbline knows their ids, never the credentials.
-- empty: No call named the credential it used in this window.
-- filter: tenant
-- filter: system
-- filter: token
-- column: token | text | Token | /rows/token_hours?token={token}
-- column: system | text | System
-- column: calls | count | Calls | /rows/attempts?token={token}
-- column: writes | count | Writes
-- column: failed | count | Failed | /rows/attempts?token={token}&outcome=error
-- column: refused | count | Refused (401, 403) | /rows/failures?token={token}&class=auth
-- column: changes | count | Changes seen | /rows/changes?token={token}
-- column: last_hour | time | Last used
-- column: integrations | list | Integrations
-- column: actors | list | Used by
-- column: objects | list | Objects
-- column: tenant | text |
SELECT tenant, token, system, sum(t.calls) AS calls, sum(t.writes) AS writes, sum(t.failed) AS failed, sum(t.auth_failures) AS refused,
    sum(t.changes) AS changes, max(t.hour) AS last_hour, groupUniqArray(t.integration) AS integrations,
    arraySort(groupUniqArrayArray(20)(t.actors)) AS actors, arraySort(groupUniqArrayArray(20)(t.objects)) AS objects
FROM token_activity AS t
WHERE hour >= toStartOfHour({from}) AND hour <= {to} AND {where}
GROUP BY tenant, token, system
ORDER BY refused DESC, calls DESC, token
LIMIT {limit}
