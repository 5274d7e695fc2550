#!/usr/bin/env bash
# Times the views and the console's overview over what views-data.sh generated:
# scripts/bench/views.sh [DIR | rows of attempts, default 10000000]; ROUNDS runs of each, default 20; ONLY=REGEX for some.
# A number generates into a temporary folder first; a folder is kept, and timed again in 2 to 3 minutes.
set -euo pipefail
dir=${1:-10000000}
[[ $dir =~ ^[0-9]+$ ]] || dir=$(realpath "$dir")
cd "$(dirname "$0")/../.."
if [[ $dir =~ ^[0-9]+$ ]]; then
  rows=$dir
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  THREADS=2 scripts/bench/views-data.sh "$dir" "$rows" >&2
  scripts/bench/views.sh "$dir"
  exit
fi
rounds=${ROUNDS:-20}
. scripts/bench/views-engine.sh
start kafka,clickhouse,console
for view in $(sql "SELECT view FROM system.view_refreshes"); do # the named KPIs have rows
  sql "SYSTEM REFRESH VIEW $view" && sql "SYSTEM WAIT VIEW $view"
done

echo "| table | rows | bytes a row on disk | parts |"
echo "|---|---|---|---|"
sql "SELECT concat('| ', table, ' | ', toString(sum(rows)), ' | ', toString(round(sum(bytes_on_disk) / sum(rows), 1)), ' | ', toString(count()), ' |')
  FROM system.parts WHERE active AND database = 'plumbline' AND rows > 1000 GROUP BY table ORDER BY table FORMAT TSVRaw"
echo

# The engine is the child of plumbline: its CPU, in ticks of 10 ms.
ticks() { cat $(pgrep -P $pid | sed 's|.*|/proc/&/stat|') 2>/dev/null | awk '{n += $14 + $15} END {print n + 0}'; }
quantiles() { sort -n | awk '{t[NR] = $1 * 1000} END {printf "%.1f | %.1f | %.1f", t[int((NR + 1) / 2)], t[int(NR * 0.95 + 0.5)], t[NR]}'; }

echo "| query | CPU ms, planning | CPU ms, all of it | p50 ms of $rounds | p95 | slowest |"
echo "|---|---|---|---|---|---|"
ask() { curl -sS --fail-with-body -o /dev/null -w '%{time_total}\n' "http://127.0.0.1:$port/?database=plumbline&max_execution_time=120" --data-binary "$1" || echo "$1 failed" >&2; }
while IFS='|' read -r name query; do
  [[ $name =~ ${ONLY:-.} ]] || continue
  before=$(ticks)
  for _ in 1 2 3 4 5; do ask "EXPLAIN PLAN $query" >/dev/null; done
  planned=$(ticks)
  times=$(for _ in $(seq "$rounds"); do ask "$query FORMAT Null"; done | quantiles)
  echo "| $name | $(((planned - before) * 2)) | $((($(ticks) - planned) * 10 / rounds)) | $times |"
done <<'QUERIES'
success, all windows|SELECT * FROM kpi_sync_success_rate
latency, all windows|SELECT * FROM kpi_sync_latency
MTTR, all windows|SELECT * FROM kpi_mttr
drift, all windows|SELECT * FROM kpi_drift_rate
coverage, all windows|SELECT * FROM kpi_reconciliation_coverage
silent failures, counted|SELECT integration, count() FROM silent_failures GROUP BY integration
silent failures, newest 100|SELECT * FROM silent_failures ORDER BY found_at DESC LIMIT 100
success, 1 h|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 3600, to = now64(3))
success, 24 h|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 86400, to = now64(3))
success, 30 d|SELECT * FROM kpi_sync_success_rate_at(from = now64(3) - 2592000, to = now64(3))
latency, 1 h|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 3600, to = now64(3))
latency, 24 h|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 86400, to = now64(3))
latency, 30 d|SELECT * FROM kpi_sync_latency_at(from = now64(3) - 2592000, to = now64(3))
MTTR, 30 d|SELECT * FROM kpi_mttr_at(from = now64(3) - 2592000, to = now64(3))
drift, 30 d|SELECT * FROM kpi_drift_rate_at(from = now64(3) - 2592000, to = now64(3))
coverage, 24 h|SELECT * FROM kpi_reconciliation_coverage_at(from = now64(3) - 86400, to = now64(3))
success over time, 24 h|SELECT * FROM kpi_success_trend_at(from = now64(3) - 86400, to = now64(3), step = 900)
latency over time, 24 h|SELECT * FROM kpi_latency_trend_at(from = now64(3) - 86400, to = now64(3), step = 900)
latency over time, 30 d|SELECT * FROM kpi_latency_trend_at(from = now64(3) - 2592000, to = now64(3), step = 28800)
failures of a day by class|SELECT integration, class, count() FROM failures WHERE occurred_at >= now() - INTERVAL 1 DAY GROUP BY 1, 2
one record's attempts|SELECT * FROM attempts WHERE integration = 'i1' AND record_key = 'i1/contact/77' AND occurred_at >= now() - INTERVAL 1 DAY
one record's deliveries|SELECT * FROM deliveries WHERE integration = 'i1' AND record_key = 'i1/contact/77'
one record's deliveries, no integration named|SELECT * FROM deliveries WHERE record_key = 'i1/contact/77'
one record's failures|SELECT * FROM failures WHERE record_key = 'i1/contact/77'
one record's attempts of all time|SELECT * FROM attempts WHERE record_key = 'i1/contact/77'
QUERIES

# The named KPIs as somebody meets them who looks at any time: a count may run beside.
if [[ named =~ ${ONLY:-.} ]]; then
  times=$(for _ in $(seq 80); do
    for kpi in sync_success_rate sync_latency mttr drift_rate reconciliation_coverage; do ask "SELECT * FROM kpi_$kpi FORMAT Null"; sleep 0.14; done
  done | quantiles)
  looked=$(ticks)
  sleep 60
  counted=$(ticks)
  for view in $(sql "SELECT view FROM system.view_refreshes"); do sql "SYSTEM STOP VIEW $view"; done
  sleep 2
  idle=$(ticks)
  sleep 60
  echo
  echo "| named KPIs | p50 ms of 400 in a minute | p95 | slowest | CPU ms a minute of counting them |"
  echo "|---|---|---|---|---|"
  echo "| all five | $times | $(((counted - looked - ($(ticks) - idle)) * 10)) |"
  for view in $(sql "SELECT view FROM system.view_refreshes"); do sql "SYSTEM START VIEW $view"; done
fi

# The console's overview, as somebody who keeps it open sees it: the first look
# reads everything, the others show the newest snapshot while the next is read.
[[ overview =~ ${ONLY:-.} ]] || exit 0
look() { curl -sS --fail -o /dev/null -w '%{time_total}\n' --max-time 120 "$page"; }
first=$(look)
times=$(for _ in $(seq 400); do look; sleep 0.05; done | quantiles)
echo
echo "| console overview | first look ms | p50 ms of 400 | p95 | slowest |"
echo "|---|---|---|---|---|"
awk -v f="$first" -v t="$times" 'BEGIN {printf "| page | %.0f | %s |\n", f * 1000, t}'
