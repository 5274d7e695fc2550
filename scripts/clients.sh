#!/usr/bin/env bash
# Proves the way from a webhook to an analyst, with tools of other people: curl
# signs and posts a HubSpot batch to the real binary, then curl, Python's
# clickhouse-connect and Node's @clickhouse/client read its rows. After that
# both clients run their common calls (scripts/engine-clients.sh), and what Grafana's data source asks is
# answered, for our dashboards too. SUITE=1: clickhouse-go's own tests of HTTP as well, for a minute or two.
#   scripts/clients.sh [body.json]
set -euo pipefail
cd "$(dirname "$0")/.."

body=${1:-services/standalone/testdata/hubspot_batch.json}
work=$(mktemp -d)
pid=
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ingest=127.0.0.1:$(port) clickhouse=127.0.0.1:$(port) url=https://hooks.example.com/hooks/hubspot-main
export CLIENTS_SECRET=clients-hook-secret

cat >"$work/plumbline.yaml" <<YAML
listen: { ingest: "$ingest", clickhouse: "$clickhouse", console: "127.0.0.1:0", kafka: "127.0.0.1:0" }
hooks:
  - { id: hubspot-main, source: hubspot, secrets: [env:CLIENTS_SECRET], public_url: $url }
integrations:
  - id: hubspot-salesforce
    source: { system: hubspot, hook: hubspot-main, account: "62515" }
    target: { system: salesforce, account: 00D000000000001EAA }
    objects:
      - { name: contact, source: contact, target: Contact, key: { source: email, target: Email } }
YAML

bin/plumbline up --config "$work/plumbline.yaml" --data "$work/data" 2>"$work/log" &
pid=$!
for _ in $(seq 300); do curl -fsS "http://$ingest/readyz" >/dev/null 2>&1 && break; sleep 0.1; done

at=$(date +%s%3N)
signature=$({ printf 'POST%s' "$url"; cat "$body"; printf '%s' "$at"; } |
  openssl dgst -sha256 -hmac "$CLIENTS_SECRET" -binary | base64)
curl -fsS -H 'Content-Type: application/json' -H "X-HubSpot-Request-Timestamp: $at" \
  -H "X-HubSpot-Signature-v3: $signature" --data-binary @"$body" "http://$ingest/hooks/hubspot-main"
echo

want=$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))))' "$body")
query='SELECT count() FROM plumbline.changes'
got=
for _ in $(seq 100); do
  got=$(curl -fsS "http://$clickhouse/" --data-binary "$query")
  [ "$got" = "$want" ] && break
  sleep 0.1
done
[ "$got" = "$want" ] || { echo "clients: curl sees $got rows in changes, want $want" >&2; cat "$work/log" >&2; exit 1; }
echo "clients: curl reads $got changes"

cat >"$work/read.py" <<'PY'
import sys, clickhouse_connect
host, port = sys.argv[1].split(":")
c = clickhouse_connect.get_client(host=host, port=int(port), database="plumbline")
rows = c.query("SELECT event_id, system, object, record_id, operation, changed_at, fields FROM changes").result_rows
assert len(rows) == int(sys.argv[2]) and {r[1] for r in rows} == {"hubspot"}, rows
print("clients: clickhouse-connect reads", len(rows), "changes")
PY
cat >"$work/read.mjs" <<'JS'
import { createClient } from '@clickhouse/client'
const c = createClient({ url: `http://${process.argv[2]}`, database: 'plumbline' })
const rows = await (await c.query({ query: 'SELECT * FROM changes', format: 'JSONEachRow' })).json()
if (rows.length !== Number(process.argv[3])) throw new Error(`${rows.length} rows`)
console.log('clients: @clickhouse/client reads', rows.length, 'changes')
await c.close()
JS
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check clickhouse-connect==1.12.0
"$work/venv/bin/python" "$work/read.py" "$clickhouse" "$want"
(cd "$work" && npm install --silent --no-audit --no-fund @clickhouse/client@1.23.1 >/dev/null && node read.mjs "$clickhouse" "$want")
scripts/engine-clients.sh "http://$clickhouse"
(cd scripts/clients/grafana && GOWORK=off go run . "http://$clickhouse" ../../../deploy/grafana/dashboards/*.json)
[ -z "${SUITE:-}" ] || scripts/clients/clickhouse-go.sh "http://$clickhouse"
