-- title: Failures by class and by whose side
-- empty: No failure in this window.
-- needs: integration
-- column: class | word | Class | /rows/failures?integration={integration}&class={class}
-- column: attribution | word | Whose side | /rows/failures?integration={integration}&class={class}&attribution={attribution}
-- column: n | count | Failures | /rows/failures?integration={integration}&class={class}&attribution={attribution}
-- column: share | ratio | Of all
-- column: records | count | Records
-- column: permanent | count | Need somebody
-- column: first_step | text | First step
-- column: newest | time | Newest
-- column: integration | text |
SELECT any(f.integration) AS integration, class, attribution, count() AS n, n / sum(n) OVER () AS share, uniqExact(record_key) AS records,
    countIf(recoverability = 'permanent') AS permanent, topK(1)(first_step)[1] AS first_step, max(occurred_at) AS newest
FROM failures AS f
WHERE f.integration = {integration} AND occurred_at >= {from} AND occurred_at < {to} AND NOT collateral
GROUP BY class, attribution
ORDER BY n DESC, class
LIMIT {limit}
