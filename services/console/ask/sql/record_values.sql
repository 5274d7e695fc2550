-- title: Values, side by side
-- about: The newest value each system was seen to hold. Fields of the target stand under the source's name where the map knows it.
-- empty: Nobody looked at this record in either system yet.
-- needs: record_key
-- column: field | text | Field
-- column: source_value | text | Source
-- column: target_value | text | Target
-- column: differs | flag | Differs
-- column: source_at | time | Source as of
-- column: target_at | time | Target as of
-- column: target_by | text | Target written by
SELECT field, argMaxIf(value, at, side = 'source') AS source_value, argMaxIf(value, at, side = 'target') AS target_value,
    countIf(side = 'source') > 0 AND countIf(side = 'target') > 0 AND field IN (
        SELECT field FROM divergences WHERE record_key = {record_key} AND state IN ('confirmed', 'pending')) AS differs,
    if(countIf(side = 'source') = 0, NULL, maxIf(at, side = 'source')) AS source_at,
    if(countIf(side = 'target') = 0, NULL, maxIf(at, side = 'target')) AS target_at, argMaxIf(by, at, side = 'target') AS target_by
FROM
(
    SELECT toString(side) AS side, changed_at AS at, concat(actor_kind, ' ', actor_id) AS by, kv.2 AS value,
        if(side = 'target', transform(toString(kv.1), {target_fields}, {source_fields}, toString(kv.1)), toString(kv.1)) AS field
    FROM changes
    ARRAY JOIN CAST(fields, 'Array(Tuple(String, String))') AS kv
    WHERE record_key = {record_key}
    UNION ALL
    SELECT toString(side), observed_at, concat(writer_kind, ' ', writer_id), kv.2,
        if(side = 'target', transform(toString(kv.1), {target_fields}, {source_fields}, toString(kv.1)), toString(kv.1))
    FROM observations
    ARRAY JOIN CAST(fields, 'Array(Tuple(String, String))') AS kv
    WHERE record_key = {record_key} AND NOT missing
)
GROUP BY field
ORDER BY differs DESC, field
LIMIT {limit}
