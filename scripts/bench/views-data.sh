#!/usr/bin/env bash
# Fills a folder with attempts, deliveries, failures and divergences of 60 days, and the minutes and
# hours the stages make of them: scripts/bench/views-data.sh DIR [rows of attempts, default 10000000]
# Goes on where it was cut off. The days end six hours from now, so that the windows hold rows for as long.
set -euo pipefail
dir=$(realpath -m "${1:?a folder}")
cd "$(dirname "$0")/../.."
rows=${2:-10000000}
. scripts/bench/views-engine.sh
start kafka,clickhouse
settings="&max_threads=${THREADS:-1}&max_insert_threads=${THREADS:-1}&max_partitions_per_insert_block=0"

span=$((60 * 86400000))
state="$dir/generated-$rows"
[ -s "$state" ] || echo "0 $((($(date +%s) + 21600) * 1000 - span))" >"$state"
read -r from began <"$state"

# What is configured, in case no role that tells it runs.
sql "INSERT INTO integrations_raw (tenant, integration, object, mode, attempts, priority, since, updated_at)
  SELECT 'default', concat('i', toString(number % 8)), if(number < 8, '', 'contact'), 'realtime', 'full', 'P1', now64(3) - 5184000, now64(3) FROM numbers(16)"

# What every row is made of: its number, its place in time and its integration.
at="fromUnixTimestamp64Milli(toInt64($began + intDiv(number * $span, $rows)), 'UTC')"
of="concat('i', toString(number % 8))"
key="concat($of, '/contact/', toString(number % 1000003))"
latency="1000 + sipHash64(number) % 20000"
where() { echo "plumbline.$1', 'e', number % 4, intDiv(number, 4)"; }

add() { # UNIT: the sums of what was tried and of what was due, as the watch stage tells them
  sql "INSERT INTO kpi_${1}s_raw (addition_id, tenant, integration, object, $1, counts, attempts_ok, attempts_ended, write_failures, failed_records, updated_at,
      version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64('a', $from, integration, at)), 'default', integration, 'contact', toStartOf${1^}(tried) AS at,
      map('attempts/update/ok', toInt64(countIf(NOT failed)), 'attempts/update/error', countIf(failed), 'write_failures/schema/salesforce/tok', countIf(failed)),
      countIf(NOT failed), count(), countIf(failed), groupUniqArrayIf(8)(sipHash64(record), failed),
      at + 120, 1, 'plumbline.kpis', 'e', 0, rowNumberInAllBlocks()
    FROM (SELECT $of AS integration, $key AS record, $at AS tried, number % 50 = 0 AS failed FROM numbers($from, $n)) GROUP BY integration, at"
  sql "INSERT INTO kpi_${1}s_raw (addition_id, tenant, integration, object, $1, counts, due, on_time, missed, not_applied, tried, tries, first_ok,
      missed_records, missed_counts, latency_basis, latency_bucket, latency_count, latency_on_time, updated_at, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64('d', $from, integration, at)), 'default', integration, 'contact', at, map('deliveries/applied', toInt64(sum(ok)), 'deliveries/not_applied', sum(bad)),
      sum(ok) + sum(bad), sum(ok), sum(bad), sum(bad), sum(ok) + sum(bad) AS all_of_them, all_of_them, sum(ok),
      groupUniqArrayArray(8)(missed) AS misses, arrayMap(x -> 1, misses), arrayMap(x -> 'applied_event', groupArrayIf(bucket, ok > 0) AS b), b, groupArrayIf(ok, ok > 0) AS k, k,
      at + 120, 2, 'plumbline.kpis', 'e', 0, rowNumberInAllBlocks()
    FROM (SELECT $of AS integration, toStartOf${1^}($at + 300) AS at, toInt64(ceil(log($latency) / log(1.02)) + 1) AS bucket,
        toInt64(countIf(number % 400 != 0)) AS ok, toInt64(countIf(number % 400 = 0)) AS bad, groupUniqArrayIf(8)(sipHash64($key), number % 400 = 0) AS missed
      FROM numbers($from, $n) WHERE number % 3 = 0 GROUP BY integration, at, bucket)
    GROUP BY integration, at"
}

for (( ; from < rows; from += n)); do
  n=$((rows - from < 2500000 ? rows - from : 2500000))
  sql "INSERT INTO attempts_raw (id, tenant, integration, occurred_at, received_at, system, object, operation, record_key, delivery_id, source_id,
      target_id, change_id, call_id, try, granularity, status, code, duration_ms, outcome, actor_kind, actor_id, token, fields, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number)), 'default', $of, $at AS at, at + 150, 'salesforce', 'contact', 'update', $key, hex(sipHash64(number, 1)), toString(number % 1000003),
      concat('003', toString(number % 1000003)), concat('c', toString(number)), concat('call', toString(intDiv(number, 200))), 1, 'record',
      if(number % 50 = 0, 400, 200), if(number % 50 = 0, 'FIELD_CUSTOM_VALIDATION_EXCEPTION', ''), 120 + number % 97, if(number % 50 = 0, 'error', 'ok'),
      'integration', 'connector', 'tok', map('phone', toString(number)), '$(where facts) FROM numbers($from, $n)"
  sql "INSERT INTO deliveries_raw (delivery_id, tenant, integration, object, record_key, change_id, state, changed_at, received_at, due_at, first_attempt_at,
      acknowledged_at, applied_at, latency_ms, latency_basis, start_basis, attempts, superseded_by, updated_at, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number, 1)), 'default', $of, 'contact', $key, concat('c', toString(number)), if(number % 400 = 0, 'not_applied', 'applied'), $at AS at, at + 100,
      at + 300, at + 1, at + 2, at + 3, $latency, 'applied_event', 'event', 1, if(number + 3000009 < $rows, hex(sipHash64(number + 3000009, 1)), ''), at + 3, number, '$(where deliveries)
    FROM numbers($from, $n) WHERE number % 3 = 0"
  sql "INSERT INTO failures_raw (failure_id, tenant, integration, attempt_id, record_key, provider, object, operation, occurred_at, received_at, origin, class,
      recoverability, attribution, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number, 2)), 'default', $of, hex(sipHash64(number)), $key, 'salesforce', 'contact', 'update', $at AS at, at + 150,
      'error', 'schema', 'permanent', 'customer', number, '$(where failures) FROM numbers($from, $n) WHERE number % 50 = 0"
  # The differences of the newest millions last, the others were resolved within hours.
  sql "INSERT INTO divergences_raw (divergence_id, tenant, integration, object, record_key, source_id, target_id, delivery_id, field, kind, difference, class, state,
      source_value, target_value, first_seen_at, confirmed_at, resolved_at, found_by, updated_at, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number, 3)), 'default', $of, 'contact', $key, toString(number % 1000003), concat('003', toString(number % 1000003)), hex(sipHash64(number, 1)),
      ['phone', 'lifecyclestage', 'email', 'city'][intDiv(number, 600) % 4 + 1], 'value_mismatch', 'picklist', 'schema', if(number + 4000000 > $rows, 'confirmed', 'resolved'),
      toString(number), toString(number + 1), $at AS at, at + 300, if(number + 4000000 > $rows, NULL, at + 7200), 'readback', at + 300, number, '$(where divergences)
    FROM numbers($from, $n) WHERE number % 600 = 0"
  sql "INSERT INTO incidents_raw (incident_id, tenant, integration, object, fingerprint, kind, state, priority, class, attribution, title, onset_at, detected_at, mitigated_at,
      resolved_at, last_at, failures, affected, updated_at, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number, 4)), 'default', $of, 'contact', toString(number % 17), 'failures', if(number % 10000000 = 0, 'open', 'resolved'), if(number % 3 = 0, 'P1', 'P2'),
      'schema', 'customer', 'contact: schema', $at AS at, at + 60, at + 1800, if(number % 10000000 = 0, NULL, at + 3600), at + 3600, 40, 30, at + 3600, number, '$(where incidents)
    FROM numbers($from, $n) WHERE number % 100000 = 0"
  add minute
  add hour
  echo "$((from + n)) $began" >"$state"
  used=$(du -sm "$dir/data" 2>/dev/null | cut -f1 || true) # parts are merged away meanwhile
  echo "$((from + n)) of $rows, $used MB"
  [ "$used" -lt 12000 ] || { echo "more than 12 GB: stopped" >&2; exit 1; }
  sleep "${PAUSE:-0}"
done

# Comparisons of whole sets, a run a day and integration, a row a field; a schema change a week; alerts of every day.
sql "INSERT INTO reconciliations_raw (reconciliation_id, tenant, integration, object, field, run, state, critical, schedule_ms, started_at, ended_at, source_records, target_records,
    compared, equal, different, share, compared_through, equal_through, updated_at, version, _topic, _epoch, _partition, _offset)
  SELECT hex(sipHash64(number, 5)), 'default', concat('i', toString(number % 8)), 'contact', if(intDiv(number, 8) % 13 = 0, '', concat('field', toString(intDiv(number, 8) % 13))), toString(intDiv(number, 104)),
    'complete', 1, 86400000, fromUnixTimestamp64Milli(toInt64($began + intDiv(number, 104) * 86400000), 'UTC') AS at, at + 600, 125000, 125000, 125000, 124000, 1000, 1, at, at,
    at + 600, number, 'plumbline.reconciliations', 'e', 0, number FROM numbers(60 * 104)"
sql "INSERT INTO signals_raw (signal_id, tenant, integration, kind, system, object, field, started_at, received_at, summary, _topic, _epoch, _partition, _offset)
  SELECT toString(number), 'default', concat('i', toString(number % 8)), 'schema_change', 'salesforce', 'contact', 'phone',
    fromUnixTimestamp64Milli(toInt64($began + intDiv(number, 8) * 604800000), 'UTC') AS at, at + 1, 'phone became a picklist', 'plumbline.signals', 'e', 0, number FROM numbers(64)"
sql "INSERT INTO alerts_raw (alert_id, tenant, integration, seq, status, rule, observed_at, summary, _topic, _epoch, _partition, _offset)
  SELECT toString(number), 'default', concat('i', toString(number % 8)), 1, if(number % 9 = 0, 'firing', 'resolved'), if(number % 100 = 0, 'runbook.gap', 'kpi.success'),
    fromUnixTimestamp64Milli(toInt64($began + number * 864000), 'UTC'), 'contact', 'plumbline.alerts', 'e', 0, number FROM numbers(5000)"

for _ in $(seq 600); do
  [ "$(sql "SELECT count() FROM system.merges")" != 0 ] || break
  sleep 1
done
