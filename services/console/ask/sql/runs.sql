-- title: Reconciliation runs
-- about: Whole record sets compared, newest run first. Done counts the sets of object and field that are through.
-- empty: No run yet. Give both sides a connection, then run plumbline reconcile once.
-- filter: tenant
-- filter: integration
-- column: started_at | time | Started
-- column: integration | text | Integration | /integration?integration={integration}
-- column: done | ratio | Done
-- column: sets | count | Sets | /rows/run_sets?run={run}
-- column: failed | count | Failed | /rows/run_sets?run={run}&state=failed
-- column: records | count | Records
-- column: compared | count | Compared
-- column: different | count | Different
-- column: missing | count | Missing
-- column: took | ms | Took
-- column: calls | count | API calls
-- column: reason | text | Why not whole
-- column: run | key |
-- column: tenant | text |
SELECT tenant, integration, run, min(r.started_at) AS started_at, countIf(r.state IN ('complete', 'sampled', 'failed', 'invalidated')) / count() AS done, count() AS sets,
    countIf(r.state = 'failed') AS failed, max(r.source_records) AS records, max(r.compared) AS compared, sumIf(r.different, field != '') AS different,
    sumIf(r.missing_in_target + r.missing_in_source, field = '') AS missing,
    if(countIf(isNull(r.ended_at)) > 0, NULL, dateDiff('millisecond', min(r.started_at), max(r.ended_at))) AS took, max(r.calls) AS calls,
    anyIf(r.reason, r.reason != '') AS reason
FROM reconciliations AS r
WHERE {where} AND run != '' AND r.state NOT IN ('removed', 'excluded', 'uncovered')
GROUP BY tenant, integration, run
ORDER BY started_at DESC
LIMIT {limit}
