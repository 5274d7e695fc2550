-- Checklists of the runbook: what to look at each day, week, month and quarter.
-- Data answers where it can; what it cannot tell, a person ticks, by name.

CREATE OR REPLACE VIEW checklist_items
(
    item String COMMENT 'Name of the item',
    every String COMMENT 'daily, weekly, monthly, quarterly',
    days UInt8 COMMENT 'How long a tick holds',
    by_person Bool COMMENT 'Data cannot tell: a person ticks it',
    title String COMMENT 'What to look at',
    look String COMMENT 'The query that shows more; empty: nothing to query'
)
AS SELECT x.1 AS item, x.2 AS every, x.3 AS days, x.4 AS by_person, x.5 AS title, x.6 AS look
FROM (SELECT arrayJoin([
    ('daily.success', 'daily', 1, false, 'Success rate of the day', 'SELECT * FROM kpi_sync_success_rate WHERE window = \'24h\''),
    ('daily.backlog', 'daily', 1, false, 'Backlog and the oldest change that waits', 'SELECT integration, backlog, oldest_waiting FROM kpi_sync_latency WHERE window = \'24h\''),
    ('daily.failures', 'daily', 1, false, 'Failures of the day that are new, by class', 'SELECT class, fingerprint, count() FROM failures WHERE occurred_at > now() - 86400 GROUP BY ALL'),
    ('daily.auth', 'daily', 1, false, 'Credentials that are refused or behave strangely', 'SELECT * FROM incidents WHERE class = \'auth\' AND state != \'resolved\''),
    ('daily.incidents', 'daily', 1, false, 'Open incidents, P1 first', 'SELECT * FROM incidents WHERE state != \'resolved\' ORDER BY priority'),
    ('daily.quota', 'daily', 1, false, 'Quota: what will stop, and when', 'SELECT * FROM signals WHERE kind = \'quota_exhaustion\' AND ended_at IS NULL'),
    ('daily.agents', 'daily', 1, false, 'Agents that are stopped', 'SELECT * FROM agent_states WHERE state = \'tripped\''),
    ('daily.watchdog', 'daily', 1, false, 'Plumbline itself watches', 'SELECT tenant, max(observed_at) FROM alerts WHERE rule = \'watchdog\' GROUP BY tenant'),
    ('weekly.recurrence', 'weekly', 7, false, 'Causes that came back', 'SELECT title, recurrence FROM incidents WHERE recurrence > 1 AND detected_at > now() - 604800'),
    ('weekly.drift', 'weekly', 7, false, 'New drift, by field', 'SELECT object, field, count() FROM divergences WHERE confirmed_at > now() - 604800 AND NOT pre_existing GROUP BY ALL'),
    ('weekly.duplicates', 'weekly', 7, false, 'Duplicates created', 'SELECT * FROM divergences WHERE kind = \'duplicate\' AND first_seen_at > now() - 604800'),
    ('weekly.dead_letters', 'weekly', 7, false, 'Dead letters', 'SELECT code, reason, count() FROM dead_letters WHERE received_at > now() - 604800 GROUP BY ALL'),
    ('weekly.coverage', 'weekly', 7, false, 'Coverage gaps', 'SELECT * FROM kpi_reconciliation_coverage WHERE window = \'7d\''),
    ('weekly.other', 'weekly', 7, false, 'Share of failures that no rule knows', 'SELECT fingerprint, any(message), count() FROM failures WHERE class = \'other\' AND occurred_at > now() - 604800 GROUP BY ALL'),
    ('weekly.accepted', 'weekly', 7, true, 'Accepted differences: do the reasons still hold?', 'SELECT * FROM divergences WHERE state = \'accepted\''),
    ('monthly.drift', 'monthly', 30, false, 'Drift against its target', 'SELECT * FROM kpi_drift_rate WHERE window = \'30d\''),
    ('monthly.schema', 'monthly', 30, true, 'Schemas and picklists against the field maps', 'SELECT * FROM signals WHERE kind IN (\'schema_change\', \'picklist_change\') AND started_at > now() - 2592000'),
    ('monthly.mttr', 'monthly', 30, false, 'MTTR', 'SELECT * FROM kpi_mttr WHERE window = \'30d\''),
    ('monthly.tokens', 'monthly', 30, true, 'Tokens unused or with more scopes than they need', 'SELECT token, max(hour), sum(calls) FROM token_activity GROUP BY token'),
    ('monthly.reconciles', 'monthly', 30, false, 'Comparisons that did not happen', 'SELECT * FROM signals WHERE kind = \'missed_run\' AND started_at > now() - 2592000'),
    ('monthly.runbook', 'monthly', 30, false, 'Gaps in the runbook', 'SELECT subject, summary FROM alerts WHERE rule = \'runbook.gap\''),
    ('quarterly.revocation', 'quarterly', 92, true, 'Revocation drill: preview what stops with each token', ''),
    ('quarterly.exercise', 'quarterly', 92, true, 'A runbook was exercised', ''),
    ('quarterly.thresholds', 'quarterly', 92, true, 'Alert thresholds against their noise', 'SELECT rule, count() FROM alerts WHERE status = \'firing\' AND rule != \'watchdog\' GROUP BY rule'),
    ('quarterly.surface', 'quarterly', 92, true, 'Integration surface: what to consolidate', 'SELECT * FROM integration_surface ORDER BY shared_fields DESC'),
    ('quarterly.restore', 'quarterly', 92, true, 'Restore drill: a backup was read back', ''),
    ('quarterly.access', 'quarterly', 92, true, 'Access review: who may see and do what', '')
]) AS x)
COMMENT 'Items of the checklists, with the query that shows more';

CREATE OR REPLACE VIEW checklist_ticks
(
    tenant LowCardinality(String) COMMENT 'Tenant',
    integration LowCardinality(String) COMMENT 'Integration',
    item LowCardinality(String) COMMENT 'The item',
    ticked_by String COMMENT 'Who ticked it',
    ticked_at DateTime64(3, 'UTC') COMMENT 'When',
    result String COMMENT 'done or failed',
    remark String COMMENT 'What they said'
)
AS SELECT tenant, integration, field AS item, actor_id AS ticked_by, started_at AS ticked_at, detail['result'] AS result, summary AS remark
FROM signals
WHERE kind = 'checklist'
COMMENT 'Items that people ticked: plumbline runbook tick';

-- What data says of an item, of the whole tenant where the integration is empty.
CREATE OR REPLACE VIEW checklist_findings
(
    tenant LowCardinality(String) COMMENT 'Tenant',
    integration String COMMENT 'Integration; empty: of the whole tenant',
    item String COMMENT 'The item',
    fine UInt8 COMMENT '1: nothing to do',
    unknown UInt8 COMMENT '1: cannot be told now',
    finding Nullable(String) COMMENT 'What was found, in words'
)
AS SELECT tenant, integration, 'daily.success' AS item, status IN ('ok') AS fine, status = 'unknown' AS unknown,
    concat(if(value IS NULL, 'not known', concat(toString(round(100 * value, 2)), ' %')), if(detail != '', concat(': ', detail), '')) AS finding
FROM plumbline.kpi_sync_success_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
WHERE object = '' AND series = ''
UNION ALL
SELECT tenant, integration, 'daily.backlog', status IN ('ok', 'unknown') AND backlog = 0, false,
    if(backlog = 0, 'nothing waits', concat(toString(backlog), ' wait, the oldest for ', toString(round(ifNull(oldest_waiting, 0) / 60000)), ' min'))
FROM plumbline.kpi_sync_latency_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
WHERE object = '' AND series = ''
UNION ALL
SELECT tenant, integration, 'daily.failures', countIf(is_new) = 0, false, if(countIf(is_new) = 0, 'none that was not there in the week before',
    concat(toString(countIf(is_new)), ' new: ', arrayStringConcat(arraySlice(arraySort(groupUniqArrayIf(concat(class, ' ', code), is_new)), 1, 5), ', ')))
FROM (SELECT tenant, integration, fingerprint, any(class) AS class, any(code) AS code, min(occurred_at) >= now64(3, 'UTC') - 86400 AS is_new
    FROM failures WHERE occurred_at >= now64(3, 'UTC') - 691200 AND NOT collateral GROUP BY tenant, integration, fingerprint)
GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'daily.auth', false, false, arrayStringConcat(groupArray(title), '; ')
FROM incidents WHERE class = 'auth' AND state != 'resolved' GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'daily.auth', false, false, arrayStringConcat(groupArray(summary), '; ')
FROM signals WHERE kind = 'token_anomaly' AND ended_at IS NULL AND started_at >= now64(3, 'UTC') - 86400 GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'daily.incidents', false, false, concat(toString(countIf(priority = 'P1')), ' P1, ', toString(countIf(priority != 'P1')), ' P2; the oldest since ',
    formatDateTime(min(detected_at), '%F %H:%i'))
FROM incidents WHERE state != 'resolved' GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'daily.quota', false, false, arrayStringConcat(groupArray(summary), '; ')
FROM signals WHERE kind = 'quota_exhaustion' AND ended_at IS NULL AND started_at >= now64(3, 'UTC') - 172800 GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'daily.agents', false, false, arrayStringConcat(groupArray(concat(agent, ': ', reason)), '; ')
FROM agent_states WHERE state = 'tripped' GROUP BY tenant, integration
UNION ALL
SELECT tenant, '', 'daily.watchdog', dateDiff('second', max(observed_at), now64(3, 'UTC')) < 180, false, concat('last seen ', formatDateTime(max(observed_at), '%F %H:%i'))
FROM alerts WHERE rule = 'watchdog' GROUP BY tenant
UNION ALL
SELECT tenant, integration, 'weekly.recurrence', false, false, arrayStringConcat(arraySlice(groupArray(concat(title, ' (', toString(recurrence), ' times)')), 1, 5), '; ')
FROM incidents WHERE recurrence > 1 AND detected_at >= now64(3, 'UTC') - 604800 GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'weekly.drift', false, false, arrayStringConcat(arraySlice(arrayMap(x -> concat(x.2, ' ', toString(x.1)),
    arrayReverseSort(groupArray((n, name)))), 1, 5), ', ')
FROM (SELECT tenant, integration, concat(object, if(field = '', '', '.'), field) AS name, count() AS n FROM divergences
    WHERE confirmed_at >= now64(3, 'UTC') - 604800 AND NOT pre_existing GROUP BY tenant, integration, name)
GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'weekly.duplicates', false, false, concat(toString(count()), ' in the week')
FROM divergences WHERE kind = 'duplicate' AND first_seen_at >= now64(3, 'UTC') - 604800 AND NOT pre_existing GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'weekly.dead_letters', false, false, concat(toString(count()), ' in the week, most for: ', topK(1)(reason)[1])
FROM dead_letters WHERE received_at >= now64(3, 'UTC') - 604800 GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'weekly.coverage', status = 'ok', status = 'unknown', detail
FROM plumbline.kpi_reconciliation_coverage_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 604800, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
WHERE object = ''
UNION ALL
SELECT tenant, integration, 'weekly.other', countIf(class = 'other') <= 0.03 * count(), false,
    concat(toString(round(100 * countIf(class = 'other') / count(), 1)), ' % of ', toString(count()), ' failures, 3 % is the limit')
FROM failures WHERE occurred_at >= now64(3, 'UTC') - 604800 AND origin = 'error' AND NOT collateral GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'weekly.accepted', false, false, concat(toString(count()), ' accepted')
FROM divergences WHERE state = 'accepted' GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'monthly.drift', status = 'ok', status = 'unknown', detail
FROM plumbline.kpi_drift_rate_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
WHERE object = ''
UNION ALL
SELECT tenant, integration, 'monthly.schema', false, false, concat(toString(count()), ' changes: ', arrayStringConcat(arraySlice(groupArray(summary), 1, 3), '; '))
FROM signals WHERE kind IN ('schema_change', 'picklist_change') AND started_at >= now64(3, 'UTC') - 2592000 GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'monthly.mttr', status IN ('ok', 'unknown'), false, detail
FROM plumbline.kpi_mttr_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
WHERE object = ''
UNION ALL
SELECT tenant, integration, 'monthly.tokens', false, false, concat('unused for a month: ', arrayStringConcat(groupArray(token), ', '))
FROM (SELECT tenant, integration, token FROM token_activity GROUP BY tenant, integration, token HAVING max(hour) < now64(3, 'UTC') - 2592000)
GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'monthly.reconciles', false, false, concat(toString(count()), ' missed')
FROM signals WHERE kind = 'missed_run' AND started_at >= now64(3, 'UTC') - 2592000 GROUP BY tenant, integration
UNION ALL
SELECT tenant, integration, 'monthly.runbook', false, false, arrayStringConcat(arraySlice(groupArray(said), 1, 3), '; ')
FROM (SELECT tenant, integration, alert_id, argMax(summary, seq) AS said FROM alerts WHERE rule = 'runbook.gap'
    GROUP BY tenant, integration, alert_id HAVING argMax(status, seq) != 'resolved')
GROUP BY tenant, integration
COMMENT 'What data says of the items of the checklists';

CREATE OR REPLACE VIEW checklists
(
    tenant LowCardinality(String) COMMENT 'Tenant',
    integration LowCardinality(String) COMMENT 'Integration',
    every String COMMENT 'daily, weekly, monthly, quarterly',
    item String COMMENT 'Name of the item',
    title String COMMENT 'What to look at',
    state String COMMENT 'ok, attention, unknown by data; due, done by people',
    finding String COMMENT 'What data says',
    by_person Bool COMMENT 'Data cannot tell: a person ticks it',
    ticked_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When a person last did; empty: never',
    ticked_by String COMMENT 'Who',
    remark String COMMENT 'What they said',
    look String COMMENT 'The query that shows more'
)
AS SELECT k.tenant AS tenant, k.integration AS integration, i.every AS every, i.item AS item, i.title AS title,
    multiIf(t.ticked_at >= now64(3, 'UTC') - i.days * 86400, if(t.result = 'failed', 'attention', 'done'), i.by_person, 'due', f.item = '', 'ok', f.unknown > 0, 'unknown',
        f.fine > 0, 'ok', 'attention') AS state,
    f.finding AS finding, i.by_person AS by_person, if(t.item = '', NULL, t.ticked_at) AS ticked_at, t.ticked_by AS ticked_by, t.remark AS remark, i.look AS look
FROM (SELECT DISTINCT tenant, integration FROM integrations WHERE object = '') AS k
CROSS JOIN checklist_items AS i
LEFT JOIN
(
    SELECT e.tenant AS tenant, e.integration AS integration, f.item AS item, min(f.fine) AS fine, max(f.unknown) AS unknown, arrayStringConcat(groupArray(f.finding), '; ') AS finding
    FROM (SELECT DISTINCT tenant, integration FROM integrations WHERE object = '') AS e
    INNER JOIN checklist_findings AS f ON f.tenant = e.tenant
    WHERE f.integration IN ('', e.integration)
    GROUP BY tenant, integration, item
) AS f ON f.tenant = k.tenant AND f.integration = k.integration AND f.item = i.item
LEFT JOIN
(
    SELECT tenant, integration, item, max(x.ticked_at) AS ticked_at, argMax(x.ticked_by, x.ticked_at) AS ticked_by,
        argMax(x.result, x.ticked_at) AS result, argMax(x.remark, x.ticked_at) AS remark
    FROM checklist_ticks AS x
    GROUP BY tenant, integration, item
) AS t ON t.tenant = k.tenant AND t.integration = k.integration AND t.item = i.item
COMMENT 'The checklists as they stand: ok, attention and unknown by data; due and done by people';
