#!/usr/bin/env bash
# Generates attempts, deliveries and failures inside the engine and times the
# views over them: scripts/bench/views.sh [rows of attempts, default 10000000]
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
bin/plumbline up --roles kafka,clickhouse --config "$dir/plumbline.yaml" 2>"$dir/log" &
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

echo "| table | rows | bytes a row on disk | parts |"
echo "|---|---|---|---|"
sql "SELECT concat('| ', table, ' | ', toString(sum(rows)), ' | ', toString(round(sum(bytes_on_disk) / sum(rows), 1)), ' | ', toString(count()), ' |')
  FROM system.parts WHERE active AND database = 'plumbline' AND rows > 1000 GROUP BY table ORDER BY table FORMAT TSVRaw"
echo
echo "| query | ms, best of 3 | worst |"
echo "|---|---|---|"
while IFS='|' read -r name query; do
  times=()
  for _ in 1 2 3; do
    t=$(curl -sS -o /dev/null -w '%{time_total}' "http://127.0.0.1:$port/?database=plumbline&max_execution_time=120&max_memory_usage=8000000000" --data-binary "$query")
    times+=("$t")
  done
  printf '%s\n' "${times[@]}" | sort -n | awk -v n="$name" 'NR == 1 {a = $1} {b = $1} END {printf "| %s | %.0f | %.0f |\n", n, a * 1000, b * 1000}'
done <<'QUERIES'
success, 1 h|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 3600, to = now64(3)) FORMAT Null
success, 24 h|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 86400, to = now64(3)) FORMAT Null
success, 30 d|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 2592000, to = now64(3)) FORMAT Null
success, all windows|SELECT * FROM kpi_sync_success_rate FORMAT Null
latency, 24 h|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 86400, to = now64(3)) FORMAT Null
latency, all windows|SELECT * FROM kpi_sync_latency FORMAT Null
silent failures, newest 100|SELECT * FROM silent_failures ORDER BY found_at DESC LIMIT 100 FORMAT Null
failures of a day by class|SELECT integration, class, count() FROM failures WHERE occurred_at >= now() - INTERVAL 1 DAY GROUP BY 1, 2 FORMAT Null
one record's attempts|SELECT * FROM attempts WHERE integration = 'i1' AND record_key = 'i1/contact/77' AND occurred_at >= now() - INTERVAL 1 DAY FORMAT Null
QUERIES
