-- title: Sets of one run
-- empty: There is no such run.
-- needs: run
-- filter: state = planned complete sampled failed invalidated removed excluded uncovered
-- filter: object
-- column: object | text | Object
-- column: field | text | Field | /rows/divergences?integration={integration}&object={object}&field={field}
-- column: state | word | State
-- column: critical | flag | Critical
-- column: share | ratio | Of the records
-- column: compared | count | Compared
-- column: equal | count | Equal
-- column: different | count | Different
-- column: in_flight | count | May be under way
-- column: missing_in_target | count | Missing in target
-- column: missing_in_source | count | Only in target
-- column: duplicates | count | Duplicates
-- column: unlinkable | count | No key
-- column: ended_at | time | Ended
-- column: reason | text | Why
-- column: integration | text |
SELECT integration, object, field, state, critical, share, compared, equal, different, in_flight, missing_in_target, missing_in_source, duplicates,
    unlinkable, ended_at, reason
FROM reconciliations
WHERE run = {run} AND {where}
ORDER BY object, field
LIMIT {limit}
