-- title: By origin and reason
-- empty: Nothing was refused in this window.
-- filter: tenant
-- filter: origin
-- column: origin | text | Came by | /rows/dead_letters?origin={origin}
-- column: code | word | Code | /rows/dead_letters?origin={origin}&code={code}
-- column: letters | count | Letters | /rows/dead_letters?origin={origin}&code={code}
-- column: example | text | For example
-- column: newest | time | Newest
SELECT origin, code, count() AS letters, any(reason) AS example, max(received_at) AS newest
FROM dead_letters
WHERE received_at >= {from} AND received_at <= {to} AND {where}
GROUP BY origin, code
ORDER BY letters DESC, origin, code
LIMIT {limit}
