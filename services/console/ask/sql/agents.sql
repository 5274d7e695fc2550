-- title: Agents and automations
-- about: Stopped ones first. A tripped agent is told to stop; whoever runs it has to listen.
-- empty: No agent or automation wrote anything yet.
-- filter: tenant
-- filter: kind = agent automation
-- filter: state = ok tripped
-- filter: agent
-- column: state | word | State
-- column: agent | text | Agent | /agent?agent={agent}
-- column: kind | word | Kind
-- column: since | time | Since
-- column: rule | word | Rule
-- column: reason | text | Why
-- column: writes_1m | count | Writes, 1 min
-- column: writes_1h | count | 1 h | /rows/changes?actor_id={agent}&window=1h
-- column: writes_24h | count | 24 h | /rows/changes?actor_id={agent}&window=24h
-- column: allowed | num | Allowed
-- column: token | text | Token | /rows/token_hours?token={token}
-- column: reset_by | text | Let go on by
-- column: integration | text |
-- column: object | text |
-- column: field | text |
-- column: run | key |
-- column: updated_at | time |
-- column: agent_key | key |
-- column: tenant | text |
SELECT agent_key, tenant, integration, kind, agent, state, since, rule, reason, object, field, run, token, writes_1m, writes_1h, writes_24h, allowed,
    reset_by, updated_at
FROM agent_states
WHERE {where}
ORDER BY state != 'tripped', writes_24h DESC, agent
LIMIT {limit}
