#!/usr/bin/env bash
# Generates attempts, deliveries and failures inside the engine, with the minutes
# and hours the stages make of them, and times the views: scripts/bench/views.sh [rows of attempts, default 10000000]
set -euo pipefail
cd "$(dirname "$0")/../.."

rows=${1:-10000000}
dir=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
cat >"$dir/plumbline.yaml" <<YAML
data: $dir/data
listen: { ingest: 127.0.0.1:$((port + 1)), console: 127.0.0.1:$((port + 2)), clickhouse: 127.0.0.1:$port, kafka: 127.0.0.1:$((port + 3)) }
integrations:
$(for i in 0 1 2 3 4 5 6 7; do echo "  - { id: i$i, tenant: default, attempts: full, source: { system: hubspot, account: \"1\" }, target: { system: salesforce, account: a }, objects: [{ name: contact, source: contact, target: Contact, key: { source: email, target: Email } }] }"; done)
YAML
bin/plumbline up --roles kafka,clickhouse,console --config "$dir/plumbline.yaml" 2>"$dir/log" &
pid=$!
trap 'kill $pid; wait $pid || true; rm -rf "$dir"' EXIT

sql() { curl -sS --fail-with-body "http://127.0.0.1:$port/?database=plumbline&max_execution_time=3000" --data-binary "$1"; }
until sql "SELECT 1 FROM schema_version LIMIT 1" >/dev/null 2>&1; do sleep 0.2; done

month=2592000000
step=5000000
for ((from = 0; from < rows; from += step)); do
  n=$((rows - from < step ? rows - from : step))
  at="now64(3, 'UTC') - toIntervalMillisecond(toUInt64($month - (number / $rows) * $month))"
  sql "INSERT INTO attempts_raw (id, tenant, integration, occurred_at, received_at, system, object, operation, record_key, delivery_id, source_id,
      target_id, change_id, call_id, try, granularity, status, code, duration_ms, outcome, actor_kind, actor_id, token, fields, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number)), 'default', concat('i', toString(number % 8)), $at AS at, at + 150, 'salesforce', 'contact', 'update',
      concat('i', toString(number % 8), '/contact/', toString(number % 1000003)), hex(sipHash64(number, 1)), toString(number % 1000003),
      concat('003', toString(number % 1000003)), concat('c', toString(number)), concat('call', toString(intDiv(number, 200))), 1, 'record',
      if(number % 50 = 0, 400, 200), if(number % 50 = 0, 'FIELD_CUSTOM_VALIDATION_EXCEPTION', ''), 120 + number % 97, if(number % 50 = 0, 'error', 'ok'),
      'integration', 'connector', 'tok', map('phone', toString(number)), 'plumbline.facts', 'e', number % 4, intDiv(number, 4)
    FROM numbers($from, $n) SETTINGS max_insert_threads = 2, max_partitions_per_insert_block = 0"
  sql "INSERT INTO deliveries_raw (delivery_id, tenant, integration, object, record_key, change_id, state, changed_at, received_at, due_at, first_attempt_at,
      acknowledged_at, applied_at, latency_ms, latency_basis, start_basis, attempts, updated_at, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number, 1)), 'default', concat('i', toString(number % 8)), 'contact', concat('i', toString(number % 8), '/contact/', toString(number % 1000003)),
      concat('c', toString(number)), if(number % 400 = 0, 'not_applied', 'applied'), $at AS at, at + 100, at + 300000, at + 1000, at + 2000, at + 3000,
      1000 + sipHash64(number) % 20000, 'applied_event', 'event', 1, at + 3000, number, 'plumbline.deliveries', 'e', number % 4, intDiv(number, 4)
    FROM (SELECT number FROM numbers($from, $n) WHERE number % 3 = 0)"
  sql "INSERT INTO failures_raw (failure_id, tenant, integration, attempt_id, record_key, provider, object, operation, occurred_at, received_at, origin, class,
      recoverability, attribution, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64(number, 2)), 'default', concat('i', toString(number % 8)), hex(sipHash64(number)), concat('i', toString(number % 8), '/contact/', toString(number % 1000003)),
      'salesforce', 'contact', 'update', $at AS at, at + 150, 'error', 'schema', 'permanent', 'customer', number, 'plumbline.failures', 'e', number % 4, intDiv(number, 4)
    FROM (SELECT number FROM numbers($from, $n) WHERE number % 50 = 0)"
done

# Minutes and hours as the watch stage adds them up: sums of the rows above.
for unit in minute hour; do
  Unit=$([ $unit = minute ] && echo Minute || echo Hour)
  sql "INSERT INTO kpi_${unit}s_raw (addition_id, tenant, integration, object, $unit, counts, attempts_ok, attempts_ended, write_failures, failed_records, updated_at,
      version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64('a', integration, object, at)), tenant, integration, object, toStartOf$Unit(occurred_at) AS at,
      map('attempts/update/ok', toInt64(countIf(outcome = 'ok')), 'attempts/update/error', countIf(outcome != 'ok'),
        'write_failures/schema/salesforce/tok', countIf(outcome != 'ok')),
      countIf(outcome = 'ok'), count(), countIf(outcome != 'ok'), groupUniqArrayIf(8)(sipHash64(record_key), outcome != 'ok'),
      at + 120, 1, 'plumbline.kpis', 'e', 0, rowNumberInAllBlocks()
    FROM attempts_raw GROUP BY tenant, integration, object, at SETTINGS max_partitions_per_insert_block = 0"
  sql "INSERT INTO kpi_${unit}s_raw (addition_id, tenant, integration, object, $unit, counts, due, on_time, missed, not_applied, tried, tries, first_ok,
      missed_records, missed_counts, latency_basis, latency_bucket, latency_count, latency_on_time, updated_at, version, _topic, _epoch, _partition, _offset)
    SELECT hex(sipHash64('d', integration, object, at)), tenant, integration, object, at, map('deliveries/applied', toInt64(sum(ok)), 'deliveries/not_applied', sum(bad)),
      sum(ok) + sum(bad), sum(ok), sum(bad), sum(bad), sum(ok) + sum(bad) AS n, n, sum(ok),
      groupUniqArrayArray(8)(missed) AS misses, arrayMap(x -> 1, misses), arrayMap(x -> 'applied_event', groupArrayIf(bucket, ok > 0) AS b), b, groupArrayIf(ok, ok > 0) AS k, k,
      at + 120, 2, 'plumbline.kpis', 'e', 0, rowNumberInAllBlocks()
    FROM (SELECT tenant, integration, object, toStartOf$Unit(assumeNotNull(due_at)) AS at, toInt64(ceil(log(latency_ms) / log(1.02)) + 1) AS bucket,
        toInt64(countIf(state = 'applied')) AS ok, toInt64(countIf(state != 'applied')) AS bad, groupUniqArrayIf(8)(sipHash64(record_key), state != 'applied') AS missed
      FROM deliveries_raw GROUP BY tenant, integration, object, at, bucket)
    GROUP BY tenant, integration, object, at SETTINGS max_partitions_per_insert_block = 0"
done

echo "| table | rows | bytes a row on disk | parts |"
echo "|---|---|---|---|"
sql "SELECT concat('| ', table, ' | ', toString(sum(rows)), ' | ', toString(round(sum(bytes_on_disk) / sum(rows), 1)), ' | ', toString(count()), ' |')
  FROM system.parts WHERE active AND database = 'plumbline' AND rows > 1000 GROUP BY table ORDER BY table FORMAT TSVRaw"
echo
echo "| query | p50 ms of 20 | p95 | CPU ms |"
echo "|---|---|---|---|"
while IFS='|' read -r name query; do
  times=()
  cpu=$(ps -o cputimes= --ppid $pid | awk '{n += $1} END {print n}')
  for _ in $(seq 20); do
    t=$(curl -sS -o /dev/null -w '%{time_total}' "http://127.0.0.1:$port/?database=plumbline&max_execution_time=120&max_memory_usage=8000000000" --data-binary "$query")
    times+=("$t")
  done
  cpu=$(($(ps -o cputimes= --ppid $pid | awk '{n += $1} END {print n}') - cpu))
  printf '%s\n' "${times[@]}" | sort -n | awk -v n="$name" -v c=$cpu 'NR == 10 {a = $1} NR == 19 {b = $1} END {printf "| %s | %.0f | %.0f | %.0f |\n", n, a * 1000, b * 1000, c * 50}'
done <<'QUERIES'
success, 1 h|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 3600, to = now64(3)) FORMAT Null
success, 24 h|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 86400, to = now64(3)) FORMAT Null
success, 30 d|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 2592000, to = now64(3)) FORMAT Null
drift, 30 d|SELECT * FROM kpi_drift_rate_at(from = now64(3) - 2592000, to = now64(3)) FORMAT Null
MTTR, 30 d|SELECT * FROM kpi_mttr_at(from = now64(3) - 2592000, to = now64(3)) FORMAT Null
coverage, 24 h|SELECT * FROM kpi_reconciliation_coverage_at(from = now64(3) - 86400, to = now64(3)) FORMAT Null
success over time, 24 h|SELECT * FROM kpi_success_trend_at(from = now64(3) - 86400, to = now64(3), step = 900) FORMAT Null
latency over time, 24 h|SELECT * FROM kpi_latency_trend_at(from = now64(3) - 86400, to = now64(3), step = 900) FORMAT Null
latency over time, 30 d|SELECT * FROM kpi_latency_trend_at(from = now64(3) - 2592000, to = now64(3), step = 28800) FORMAT Null
success, all windows|SELECT * FROM kpi_sync_success_rate FORMAT Null
latency, 1 h|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 3600, to = now64(3)) FORMAT Null
latency, 30 d|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 2592000, to = now64(3)) FORMAT Null
latency, 24 h|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 86400, to = now64(3)) FORMAT Null
latency, all windows|SELECT * FROM kpi_sync_latency FORMAT Null
MTTR, all windows|SELECT * FROM kpi_mttr FORMAT Null
drift, all windows|SELECT * FROM kpi_drift_rate FORMAT Null
coverage, all windows|SELECT * FROM kpi_reconciliation_coverage FORMAT Null
silent failures, newest 100|SELECT * FROM silent_failures ORDER BY found_at DESC LIMIT 100 FORMAT Null
failures of a day by class|SELECT integration, class, count() FROM failures WHERE occurred_at >= now() - INTERVAL 1 DAY GROUP BY 1, 2 FORMAT Null
one record's attempts|SELECT * FROM attempts WHERE integration = 'i1' AND record_key = 'i1/contact/77' AND occurred_at >= now() - INTERVAL 1 DAY FORMAT Null
QUERIES

# The console's overview, as somebody who keeps it open sees it: the first look
# reads everything, the others show the newest snapshot while the next is read.
page="http://127.0.0.1:$((port + 2))/"
first=$(curl -sS -o /dev/null -w '%{time_total}' --max-time 60 "$page")
times=()
for _ in $(seq 400); do
  times+=("$(curl -sS -o /dev/null -w '%{time_total}' "$page")")
  sleep 0.05
done
echo
echo "| console overview | first look ms | p50 ms of 400 | p95 | slowest |"
echo "|---|---|---|---|---|"
printf '%s\n' "${times[@]}" | sort -n | awk -v f="$first" 'NR == 200 {a = $1} NR == 380 {b = $1} END {printf "| page | %.0f | %.1f | %.1f | %.1f |\n", f * 1000, a * 1000, b * 1000, $1 * 1000}'
