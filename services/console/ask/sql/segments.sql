-- title: Where the time goes
-- about: Mean time of each part of the way, over the changes that arrived in the window; the parts add up to the whole.
-- empty: No change arrived in this window.
-- needs: integration
-- column: object | text | Object | /rows/deliveries?integration={integration}&object={object}
-- column: n | count | Arrived | /rows/deliveries?integration={integration}&object={object}&state=applied
-- column: notice | ms | Change to Plumbline
-- column: queue | ms | Waits for the worker
-- column: write | ms | Until acknowledged
-- column: seen | ms | Until seen in the target
-- column: whole | ms | Together
-- column: integration | text |
SELECT {integration} AS integration, object, count() AS n,
    avg(dateDiff('millisecond', changed_at, started)) AS notice, avg(dateDiff('millisecond', started, tried)) AS queue,
    avg(dateDiff('millisecond', tried, acked)) AS write, avg(dateDiff('millisecond', acked, arrived)) AS seen,
    avg(dateDiff('millisecond', changed_at, arrived)) AS whole
FROM
(
    -- A part nobody reported takes no time of its own: it falls to the next.
    SELECT object, changed_at, coalesce(applied_at, acknowledged_at) AS arrived, least(received_at, arrived) AS started,
        least(greatest(coalesce(first_attempt_at, started), started), arrived) AS tried,
        least(greatest(coalesce(acknowledged_at, tried), tried), arrived) AS acked
    FROM deliveries
    WHERE integration = {integration} AND due_at >= {from} AND due_at < {to} AND series = '' AND isNotNull(arrived)
)
GROUP BY object
ORDER BY n DESC, object
LIMIT {limit}
