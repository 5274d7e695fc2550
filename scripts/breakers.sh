#!/usr/bin/env bash
# Runs the circuit-breaker samples of three languages against a real Plumbline:
# an agent runs away, and each must see that it is stopped. The samples that read
# alerts must see the alert of it.
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
pid=
cleanup() {
  [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
  [ -z "$pid" ] || wait "$pid" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ingest=127.0.0.1:$(port) kafka=127.0.0.1:$(port)
export BREAKER_TOKEN=a-sender-token-for-breakers

cat >"$work/plumbline.yaml" <<YAML
listen: { ingest: "$ingest", clickhouse: "127.0.0.1:0", console: "127.0.0.1:0", kafka: "$kafka" }
senders: [ { id: worker, tokens: [env:BREAKER_TOKEN] } ]
integrations:
  - id: hs-sf
    source: { system: hubspot }
    target: { system: salesforce }
    objects: [ { name: contact, source: contact, target: Contact, key: { source: email, target: Email } } ]
YAML

bin/plumbline up --config "$work/plumbline.yaml" --data "$work/data" 2>"$work/log" &
pid=$!
for _ in $(seq 300); do curl -fsS "http://$ingest/readyz" >/dev/null 2>&1 && break; sleep 0.1; done

python3 - >"$work/changes.json" <<'PY'
import datetime, json
now = datetime.datetime.now(datetime.timezone.utc).isoformat()
print(json.dumps([{"id": f"w{i}", "integration": "hs-sf", "system": "hubspot", "object": "contact", "record_id": str(i), "operation": "update",
                   "changed_at": now, "fields": {"city": str(i)}, "actor": {"kind": "agent", "id": "runaway", "run": "r1"}} for i in range(400)]))
PY
curl -fsS -H "Authorization: Bearer $BREAKER_TOKEN" -H 'Content-Type: application/json' --data-binary @"$work/changes.json" "http://$ingest/v1/changes"
echo

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check confluent-kafka==2.16.1
cp examples/breaker/breaker.mjs examples/alerts/alerts.mjs "$work/"
(cd "$work" && npm install --silent --no-audit --no-fund kafkajs@2.2.4 >/dev/null)

# sees runs one sample; it must say that the agent is stopped.
sees() {
  local name=$1 said
  shift
  said=$(timeout 60 "$@" 2>"$work/err") || true
  case $said in
  *"runaway is stopped by burst"* | *"page agent.tripped: runaway is stopped"*) echo "$said" ;;
  *) echo "breakers: $name does not see it: $said" >&2; cat "$work/err" >&2; return 1 ;;
  esac
}
(cd examples/breaker && GOWORK=off go build -o "$work/breaker" .)
sees go "$work/breaker" "$kafka" runaway
sees python "$work/venv/bin/python" examples/breaker/breaker.py "$kafka" runaway
sees node node "$work/breaker.mjs" "$kafka" runaway
sees python-alerts "$work/venv/bin/python" examples/alerts/alerts.py "$kafka" agent.tripped
sees node-alerts node "$work/alerts.mjs" "$kafka" agent.tripped
echo "breakers: all three stop the agent, and its alert is read"
