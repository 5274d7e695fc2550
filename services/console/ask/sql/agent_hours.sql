-- title: What it did, hour by hour
-- empty: Nothing in this window.
-- needs: actor_id
-- filter: integration
-- column: hour | time | Hour
-- column: integration | text | Integration | /integration?integration={integration}
-- column: system | text | System
-- column: object | text | Object
-- column: writes | count | Writes | /rows/changes?actor_id={actor_id}&integration={integration}&window=7d
-- column: records | count | Records
-- column: creates | count | Creates
-- column: deletes | count | Deletes
-- column: attempts | count | Reported | /rows/attempts?actor_id={actor_id}&integration={integration}&window=7d
-- column: failed | count | Failed | /rows/failures?actor_id={actor_id}&integration={integration}&window=7d
-- column: diverging_records | count | Differ now | /rows/silent_failures?actor_id={actor_id}
-- column: fields | list | Fields
-- column: actor_id | text |
SELECT {actor_id} AS actor_id, hour, integration, system, object, writes, records, creates, deletes, attempts, failed, diverging_records, fields
FROM agent_activity AS a
WHERE a.actor_id = {actor_id} AND hour >= toStartOfHour({from}) AND hour <= {to} AND {where}
ORDER BY hour DESC, integration, system, object
LIMIT {limit}
