-- title: Who writes each field
-- about: Fields written by more than one hand come first.
-- empty: No write with a known author in this window.
-- filter: tenant
-- filter: integration
-- filter: system
-- filter: object
-- column: field | text | Field
-- column: object | text | Object
-- column: system | text | System
-- column: hands | count | Writers
-- column: writers | list | Who
-- column: writes | count | Writes | /rows/changes?integration={integration}&object={object}&system={system}
-- column: records | count | Records
-- column: last_write | time | Last
-- column: integration | text | Integration | /integration?integration={integration}
-- column: tenant | text |
SELECT tenant, integration, system, object, field, length(writers) AS hands, writers, writes, records, last_write
FROM field_writers_at(from = {from}, to = {to})
WHERE {where}
ORDER BY hands DESC, writes DESC, field
LIMIT {limit}
