-- What comparing whole record sets leaves: a row a run and set, and the KPI of
-- coverage. Below it, what the readers keep for themselves.

CREATE TABLE IF NOT EXISTS reconciliations_raw
(
    reconciliation_id String COMMENT 'Id: hash of run, object and field' CODEC(ZSTD(1)),
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    field LowCardinality(String) COMMENT 'Field of the source, empty = the object as a whole: existence, duplicates',
    run String COMMENT 'The run' CODEC(ZSTD(1)),
    state LowCardinality(String) COMMENT 'planned, complete, sampled, failed, invalidated, removed, excluded',
    reason String COMMENT 'Why it failed, was sampled, no longer holds or is left out' CODEC(ZSTD(1)),
    critical Bool COMMENT 'Counts in the coverage KPI' CODEC(ZSTD(1)),
    schedule_ms Int64 COMMENT 'How often it should run' CODEC(ZSTD(1)),
    started_at DateTime64(3, 'UTC') COMMENT 'When the run began: what it compares is at least as new' CODEC(ZSTD(1)),
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended' CODEC(ZSTD(1)),
    source_records Int64 COMMENT 'Records in scope that were read from the source' CODEC(ZSTD(1)),
    target_records Int64 COMMENT 'Records in scope that were read from the target' CODEC(ZSTD(1)),
    source_count Int64 COMMENT 'As the source itself counts them' CODEC(ZSTD(1)),
    target_count Int64 COMMENT 'As the target itself counts them' CODEC(ZSTD(1)),
    compared Int64 COMMENT 'Records that were compared' CODEC(ZSTD(1)),
    equal Int64 COMMENT 'Of these, equal' CODEC(ZSTD(1)),
    different Int64 COMMENT 'Of these, different beyond what may be under way' CODEC(ZSTD(1)),
    in_flight Int64 COMMENT 'Of these, different and changed so recently that it may be under way' CODEC(ZSTD(1)),
    accepted Int64 COMMENT 'Of the different ones, accepted by a named person' CODEC(ZSTD(1)),
    missing_in_target Int64 COMMENT 'Records that the target does not hold' CODEC(ZSTD(1)),
    missing_in_source Int64 COMMENT 'Copies of which the source holds no record' CODEC(ZSTD(1)),
    duplicates Int64 COMMENT 'Records whose key matches several' CODEC(ZSTD(1)),
    unlinkable Int64 COMMENT 'Records without any key: compared with nothing' CODEC(ZSTD(1)),
    out_of_scope Int64 COMMENT 'Records read that are not meant to be synced' CODEC(ZSTD(1)),
    share Float64 COMMENT 'Of the records in scope, the share that was compared' CODEC(ZSTD(1)),
    compared_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Everything up to here was compared: coverage' CODEC(ZSTD(1)),
    equal_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Everything up to here was equal or accepted' CODEC(ZSTD(1)),
    blocked_by String COMMENT 'The run that keeps a watermark back' CODEC(ZSTD(1)),
    calls Int64 COMMENT 'API calls the run cost, both systems' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'When this row was written' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'Of two rows with one id the higher is right' CODEC(ZSTD(1)),
    _topic LowCardinality(String) COMMENT 'Kafka topic the row was read from',
    _epoch LowCardinality(String) COMMENT 'Kafka\'s id of that topic: a re-created topic has another',
    _partition UInt32 COMMENT 'Kafka partition' CODEC(ZSTD(1)),
    _offset UInt64 COMMENT 'Kafka offset' CODEC(Delta(8), ZSTD(1)),
    _rank UInt64 COMMENT 'Which of two rows with one key is newer: version, then the order of the outputs of one input' CODEC(ZSTD(1)),
    INDEX by_offset _offset TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_rank)
ORDER BY (tenant, integration, object, field, reconciliation_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Comparisons of whole record sets; every copy: read reconciliations';

CREATE OR REPLACE VIEW reconciliations
(
    reconciliation_id String COMMENT 'Id: hash of run, object and field',
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    field LowCardinality(String) COMMENT 'Field of the source, empty = the object as a whole: existence, duplicates',
    run String COMMENT 'The run',
    state LowCardinality(String) COMMENT 'planned, complete, sampled, failed, invalidated, removed, excluded',
    reason String COMMENT 'Why it failed, was sampled, no longer holds or is left out',
    critical Bool COMMENT 'Counts in the coverage KPI',
    schedule_ms Int64 COMMENT 'How often it should run',
    started_at DateTime64(3, 'UTC') COMMENT 'When the run began: what it compares is at least as new',
    ended_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended',
    source_records Int64 COMMENT 'Records in scope that were read from the source',
    target_records Int64 COMMENT 'Records in scope that were read from the target',
    source_count Int64 COMMENT 'As the source itself counts them',
    target_count Int64 COMMENT 'As the target itself counts them',
    compared Int64 COMMENT 'Records that were compared',
    equal Int64 COMMENT 'Of these, equal',
    different Int64 COMMENT 'Of these, different beyond what may be under way',
    in_flight Int64 COMMENT 'Of these, different and changed so recently that it may be under way',
    accepted Int64 COMMENT 'Of the different ones, accepted by a named person',
    missing_in_target Int64 COMMENT 'Records that the target does not hold',
    missing_in_source Int64 COMMENT 'Copies of which the source holds no record',
    duplicates Int64 COMMENT 'Records whose key matches several',
    unlinkable Int64 COMMENT 'Records without any key: compared with nothing',
    out_of_scope Int64 COMMENT 'Records read that are not meant to be synced',
    share Float64 COMMENT 'Of the records in scope, the share that was compared',
    compared_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Everything up to here was compared: coverage',
    equal_through Nullable(DateTime64(3, 'UTC')) COMMENT 'Everything up to here was equal or accepted',
    blocked_by String COMMENT 'The run that keeps a watermark back',
    calls Int64 COMMENT 'API calls the run cost, both systems',
    updated_at DateTime64(3, 'UTC') COMMENT 'When this row was written',
    version UInt64 COMMENT 'Of two rows with one id the higher is right'
)
AS SELECT
    reconciliation_id, tenant, integration, object, field, run, state, reason, critical, schedule_ms, started_at, ended_at, source_records, target_records, source_count, target_count, compared, equal, different, in_flight, accepted, missing_in_target, missing_in_source, duplicates, unlinkable, out_of_scope, share, compared_through, equal_through, blocked_by, calls, updated_at, version
FROM reconciliations_raw FINAL
COMMENT 'Comparisons of whole record sets: one row a run, object and field';

-- How each set stands at an instant: its newest row until then.
CREATE OR REPLACE VIEW reconciliation_sets_at AS
SELECT tenant, integration, object, field, l.1 AS state, l.2 AS critical, l.3 AS schedule_ms, l.4 AS compared_through,
    l.5 AS equal_through, l.6 AS share, l.7 AS compared, l.8 AS source_records, l.9 AS blocked_by, l.10 AS reason, l.11 AS run,
    l.12 AS missing_in_source, last_at,
    state NOT IN ('excluded', 'removed') AND compared_through IS NOT NULL
        AND dateDiff('millisecond', assumeNotNull(compared_through), {to:DateTime64(3)}) < 1.5 * schedule_ms AS fresh,
    critical AND state NOT IN ('excluded', 'removed') AS counts
FROM
(
    SELECT tenant, integration, object, field, max(updated_at) AS last_at, argMax(tuple(state, critical, schedule_ms, compared_through,
        equal_through, share, compared, source_records, blocked_by, reason, run, missing_in_source), (updated_at, version)) AS l
    FROM reconciliations
    WHERE updated_at < {to:DateTime64(3)}
    GROUP BY tenant, integration, object, field
)
WHERE state != 'removed'
COMMENT 'How each set of object and field stands: reconciliation_sets_at(to = )';

-- KPI 5: the critical sets compared lately, each by the share of its records that was.
CREATE OR REPLACE VIEW kpi_reconciliation_coverage_at AS
SELECT tenant, integration, object, {from:DateTime64(3)} AS window_start, {to:DateTime64(3)} AS window_end,
    if(denominator > 0, numerator / denominator, NULL) AS value, 'ratio' AS unit, numerator, denominator, samples, target, warning,
    if(denominator > 0, value > target, NULL) AS target_met, if(denominator > 0, gaps > 0, NULL) AS warning_fired,
    multiIf(denominator = 0, 'unknown', value <= target, 'breach', gaps > 0, 'warning', 'ok') AS status,
    multiIf(status = 'unknown', 'ticket', gaps > 0, if(priority = 'P2', 'ticket', 'page'), status = 'breach', 'ticket', '') AS severity,
    multiIf(denominator = 0 AND compared_ever = 0, 'no_data', denominator = 0, 'not_observed', '') AS reason,
    multiIf(denominator = 0, 'nothing critical is compared', gaps > 0, concat(toString(gaps), ' of ', toString(toUInt64(denominator)),
        ' sets are not compared in time: ', arrayStringConcat(arraySlice(gap_names, 1, 5), ', '), if(gaps > 5, ', ...', '')), '') AS detail,
    records_share, blocked_by, data_through
FROM
(
    SELECT s.tenant AS tenant, s.integration AS integration, arrayJoin(['', s.object]) AS object,
        sumIf(if(fresh, share, 0), counts) AS numerator, toFloat64(countIf(counts)) AS denominator, countIf(fresh) AS compared_ever,
        toUInt64(sumIf(compared, field = '' AND fresh)) AS samples,
        countIf(counts AND NOT fresh) AS gaps,
        arraySort(groupArrayIf(if(field = '', s.object, concat(s.object, '.', field)), counts AND NOT fresh)) AS gap_names,
        if(sumIf(source_records + missing_in_source, field = '') > 0, sumIf(if(fresh, compared, 0), field = '')
            / sumIf(source_records + missing_in_source, field = ''), NULL) AS records_share,
        anyIf(blocked_by, blocked_by != '') AS blocked_by, min(compared_through) AS data_through,
        any(k.priority) AS priority,
        any(if(k.thresholds['coverage_target'] > 0, k.thresholds['coverage_target'], 0.95)) AS target, 1. AS warning
    FROM plumbline.reconciliation_sets_at(to = {to:DateTime64(3)}) AS s
    LEFT JOIN kpi_settings AS k ON k.tenant = s.tenant AND k.integration = s.integration
    GROUP BY tenant, integration, object
)
COMMENT 'KPI 5 at the end of any window: kpi_reconciliation_coverage_at(from = , to = )';

CREATE OR REPLACE VIEW kpi_reconciliation_coverage AS
SELECT '1h' AS window, * FROM plumbline.kpi_reconciliation_coverage_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 3600, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '24h', * FROM plumbline.kpi_reconciliation_coverage_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 86400, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '7d', * FROM plumbline.kpi_reconciliation_coverage_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 604800, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
UNION ALL
SELECT '30d', * FROM plumbline.kpi_reconciliation_coverage_at(
    from = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC') - 2592000, to = toDateTime64(toStartOfMinute(now('UTC')), 3, 'UTC'))
COMMENT 'KPI 5, reconciliation coverage: target above 95 % of critical sets, warning on any gap';

CREATE TABLE IF NOT EXISTS crm_records
(
    tenant LowCardinality(String) COMMENT 'Who the data belongs to',
    integration LowCardinality(String) COMMENT 'The configured sync',
    object LowCardinality(String) COMMENT 'Kind of record',
    side LowCardinality(String) COMMENT 'source or target',
    record_id String COMMENT 'Native id of the record' CODEC(ZSTD(1)),
    native LowCardinality(String) COMMENT 'Native kind of record: Lead or Contact',
    keys Array(String) COMMENT 'Normal form of each key field, hashed where it is personal; empty = not set' CODEC(ZSTD(1)),
    norms Array(String) COMMENT 'Normal form of each mapped field, of the source in the target\'s words; hashed where the policy hides it' CODEC(ZSTD(1)),
    fields String COMMENT 'The values under the field policy, as JSON' CODEC(ZSTD(1)),
    modified_at DateTime64(3, 'UTC') COMMENT 'The system\'s own last-modified' CODEC(ZSTD(1)),
    created_at DateTime64(3, 'UTC') COMMENT 'The system\'s own creation' CODEC(ZSTD(1)),
    read_at DateTime64(3, 'UTC') COMMENT 'When it was read' CODEC(ZSTD(1)),
    writer_kind LowCardinality(String) COMMENT 'Kind of the actor who modified it last',
    writer_id String COMMENT 'Who modified it last' CODEC(ZSTD(1)),
    deleted Bool COMMENT 'The system does not hold it any more' CODEC(ZSTD(1)),
    in_scope Bool COMMENT 'Meant to be synced' CODEC(ZSTD(1)),
    version UInt64 COMMENT 'Milliseconds of read_at' CODEC(ZSTD(1)),
    INDEX by_key keys TYPE bloom_filter GRANULARITY 4
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant, integration, object, side, record_id)
COMMENT 'What each system was last seen to hold, in comparable form: whole sets are compared here';

CREATE TABLE IF NOT EXISTS reader_state
(
    name String COMMENT 'Whose: a poll\'s position, a run\'s progress',
    value String COMMENT 'As JSON' CODEC(ZSTD(1)),
    updated_at DateTime64(3, 'UTC') COMMENT 'When it was written'
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY name
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Where readers go on after a restart';

CREATE TABLE IF NOT EXISTS api_calls_raw
(
    system LowCardinality(String) COMMENT 'The system called',
    account LowCardinality(String) COMMENT 'Portal or org whose budget it cost',
    hour DateTime('UTC') COMMENT 'Hour of the calls',
    instance String COMMENT 'The process that called',
    lane LowCardinality(String) COMMENT 'poll, check, compare, probe',
    calls UInt64 COMMENT 'Calls made in the hour so far',
    asked UInt64 COMMENT 'Records that were asked for with checks',
    answered UInt64 COMMENT 'Of these, answered within the budget',
    daily UInt64 COMMENT 'The account\'s limit a day, 0 = not known',
    allowed UInt64 COMMENT 'Of it, what Plumbline may use',
    updated_at DateTime64(3, 'UTC') COMMENT 'When the row was written'
)
ENGINE = ReplacingMergeTree(updated_at)
ORDER BY (system, account, hour, instance, lane)
TTL hour + INTERVAL 400 DAY
COMMENT 'API calls of the readers, by hour: survives restarts, so that no day exceeds the budget';

CREATE OR REPLACE VIEW api_calls
(
    system LowCardinality(String) COMMENT 'The system called',
    account LowCardinality(String) COMMENT 'Portal or org whose budget it cost',
    hour DateTime('UTC') COMMENT 'Hour of the calls',
    lane LowCardinality(String) COMMENT 'poll, check, compare, probe',
    calls UInt64 COMMENT 'Calls made in the hour',
    asked UInt64 COMMENT 'Records that were asked for with checks',
    answered UInt64 COMMENT 'Of these, answered within the budget: a uniform sample where it was short',
    daily UInt64 COMMENT 'The account\'s limit a day, 0 = not known',
    allowed UInt64 COMMENT 'Of it, what Plumbline may use'
)
AS SELECT system, account, hour, lane, sum(r.calls) AS calls, sum(r.asked) AS asked, sum(r.answered) AS answered,
    max(r.daily) AS daily, max(r.allowed) AS allowed
FROM (SELECT * FROM api_calls_raw FINAL) AS r
GROUP BY system, account, hour, lane
COMMENT 'What reading the CRMs costs of their API budgets, by hour'
