-- title: Dead letters
-- about: What was accepted and could not be used, with the reason; kept for 7 days. Mend the cause, then plumbline dead-letters replay.
-- empty: Nothing was refused in this window.
-- filter: tenant
-- filter: origin
-- filter: code
-- filter: dead_letter_id
-- column: received_at | time | Received
-- column: origin | text | Came by | /rows/dead_letters?origin={origin}&window=7d
-- column: code | word | Code | /rows/dead_letters?code={code}&window=7d
-- column: reason | text | Why
-- column: dead_letter_id | key | Id | /letter?dead_letter_id={dead_letter_id}
-- column: size | count | Bytes
-- column: sealed | flag | Sealed
-- column: tenant | text |
SELECT dead_letter_id, tenant, origin, code, reason, received_at, length(bytes) AS size, sealed
FROM dead_letters
WHERE received_at >= {from} AND received_at <= {to} AND {where}
ORDER BY received_at DESC, dead_letter_id
LIMIT {limit}
