-- title: Schema, picklist and mapping changes
-- about: The last 30 days, with the differences that were confirmed on the same field within a week.
-- empty: No change of a schema was seen in 30 days.
-- needs: integration
-- column: started_at | time | When
-- column: kind | word | What
-- column: system | text | System
-- column: object | text | Object
-- column: field | text | Field
-- column: summary | text | In words
-- column: drift | count | New differences within 7 d | /rows/divergences?integration={integration}&object={object}&field={field}
-- column: integration | text |
SELECT {integration} AS integration, s.started_at AS started_at, s.kind AS kind, s.system AS system, s.object AS object, s.field AS field,
    s.summary AS summary, countIf(d.divergence_id != '' AND d.confirmed_at >= s.started_at AND d.confirmed_at < s.started_at + INTERVAL 7 DAY) AS drift
FROM signals AS s
LEFT JOIN (SELECT divergence_id, object, field, confirmed_at FROM divergences WHERE integration = {integration} AND NOT pre_existing) AS d
    ON d.object = s.object AND d.field = s.field
WHERE s.kind IN ('schema_change', 'picklist_change', 'mapping_change') AND s.integration IN ({integration}, '') AND s.started_at >= {now} - INTERVAL 30 DAY
GROUP BY s.signal_id, started_at, kind, system, object, field, summary
ORDER BY started_at DESC
LIMIT {limit}
