-- title: Everything that happened to it
-- about: Changes, attempts, echoes, observations and differences, newest first.
-- empty: Nothing is known of this record.
-- needs: record_key
-- column: at | time | When
-- column: what | word | What
-- column: where | text | Where
-- column: detail | text | Detail
-- column: who | text | By
SELECT at, what, where, detail, who
FROM
(
    SELECT changed_at AS at, if(side = 'target', 'echo', 'change') AS what, concat(system, ' ', side) AS where,
        concat(operation, if(empty(fields), '', ': '), arrayStringConcat(arrayMap((k, v) -> concat(k, ' = ', v), mapKeys(fields), mapValues(fields)), ', ')) AS detail,
        concat(actor_kind, ' ', actor_id) AS who
    FROM changes WHERE record_key = {record_key}
    UNION ALL
    SELECT occurred_at, 'attempt', system, concat(operation, ' ', outcome, if(status = 0, '', concat(', HTTP ', toString(status))),
        if(code = '', '', concat(', ', code)), if(message = '', '', concat(': ', message))), concat(actor_kind, ' ', actor_id)
    FROM attempts WHERE record_key = {record_key}
    UNION ALL
    SELECT observed_at, 'observation', concat(system, ' ', side), if(missing, 'is not there',
        concat(found_by, ': ', arrayStringConcat(arrayMap((k, v) -> concat(k, ' = ', v), mapKeys(fields), mapValues(fields)), ', '))),
        if(writer_id = '', '', concat('written by ', writer_kind, ' ', writer_id))
    FROM observations WHERE record_key = {record_key}
    UNION ALL
    SELECT updated_at, 'delivery', '', concat(state, if(coerced, ', another value was written', ''), if(late, ', late', ''),
        if(superseded_by = '', '', ', a newer change took its place')), concat(actor_kind, ' ', actor_id)
    FROM deliveries WHERE record_key = {record_key}
    UNION ALL
    SELECT coalesce(confirmed_at, first_seen_at), 'difference', field, concat(kind, ', ', state, ': ', source_value, ' / ', target_value), target_writer
    FROM divergences WHERE record_key = {record_key}
    UNION ALL
    SELECT occurred_at, 'failure', provider, concat(class, ': ', evidence), attribution
    FROM failures WHERE record_key = {record_key}
)
ORDER BY at DESC, what, detail
LIMIT {limit}
