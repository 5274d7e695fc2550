-- title: Checklists
-- about: What to look at each day, week, month and quarter. Data answers where it can; the rest a person ticks: plumbline runbook tick.
-- empty: No integration is known yet.
-- filter: tenant
-- filter: integration
-- filter: every = daily weekly monthly quarterly
-- filter: state = ok attention unknown due done
-- column: every | word | Every
-- column: title | text | What to look at
-- column: state | word | State
-- column: finding | text | What was found
-- column: integration | text | Integration | /integration?integration={integration}
-- column: ticked_by | text | Ticked by
-- column: ticked_at | time | When
-- column: remark | text | Remark
-- column: item | key |
-- column: by_person | flag |
-- column: look | text |
-- column: tenant | text |
SELECT tenant, integration, every, item, title, state, finding, by_person, ticked_at, ticked_by, remark, look
FROM checklists
WHERE {where}
ORDER BY indexOf(['attention', 'due', 'unknown', 'done', 'ok'], state), indexOf(['daily', 'weekly', 'monthly', 'quarterly'], every), integration, item
LIMIT {limit}
