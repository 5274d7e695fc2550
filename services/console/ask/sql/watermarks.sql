-- title: Compared and equal, up to when
-- about: Two watermarks of each field. Everything before the first was compared; everything before the second was equal or accepted.
-- empty: Nothing was compared as a whole yet. Give both sides a connection, then run plumbline reconcile once.
-- filter: tenant
-- filter: integration
-- filter: object
-- column: object | text | Object
-- column: field | text | Field | /rows/divergences?integration={integration}&object={object}&field={field}
-- column: critical | flag | Critical
-- column: compared_through | time | Compared up to
-- column: equal_through | time | Equal up to
-- column: state | word | Last run
-- column: share | ratio | Of the records
-- column: different | count | Different | /rows/divergences?integration={integration}&object={object}&field={field}&state=confirmed
-- column: schedule_ms | ms | Every
-- column: reason | text | Why not
-- column: integration | text |
-- column: tenant | text |
SELECT tenant, integration, object, if(field = '', '(whole record)', toString(field)) AS field, argMax(critical, r.started_at) AS critical,
    max(r.compared_through) AS compared_through, max(r.equal_through) AS equal_through, argMax(r.state, r.started_at) AS state,
    argMax(r.share, r.started_at) AS share, argMax(r.different, r.started_at) AS different, argMax(r.schedule_ms, r.started_at) AS schedule_ms,
    argMax(r.reason, r.started_at) AS reason
FROM reconciliations AS r
WHERE {where} AND r.state != 'removed'
GROUP BY tenant, integration, object, r.field
ORDER BY critical DESC, object, r.field
LIMIT {limit}
