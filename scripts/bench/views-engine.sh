# Sourced by views-data.sh and views.sh: starts the embedded engine over $dir on free ports.
# start ROLES; then sql 'QUERY' asks, $port is the engine's, $page the console's.
start() {
  port=$((20000 + RANDOM % 20000))
  page="http://127.0.0.1:$((port + 2))/"
  mkdir -p "$dir"
  cat >"$dir/plumbline.yaml" <<YAML
data: $dir/data
listen: { ingest: 127.0.0.1:$((port + 1)), console: 127.0.0.1:$((port + 2)), clickhouse: 127.0.0.1:$port, kafka: 127.0.0.1:$((port + 3)) }
integrations:
$(for i in 0 1 2 3 4 5 6 7; do echo "  - { id: i$i, tenant: default, attempts: full, source: { system: hubspot, account: \"1\" }, target: { system: salesforce, account: a }, objects: [{ name: contact, source: contact, target: Contact, key: { source: email, target: Email } }] }"; done)
YAML
  bin/plumbline up --roles "$1" --config "$dir/plumbline.yaml" 2>"$dir/log" &
  pid=$!
  trap 'kill $pid; wait $pid || true' EXIT
  local newest=$(ls schemas/clickhouse | grep -Eo '^[0-9]{4}' | tail -1)
  for _ in $(seq 600); do
    [ "$(sql "SELECT max(version) FROM schema_version" 2>/dev/null)" != $((10#$newest)) ] || return 0
    kill -0 $pid 2>/dev/null || break
    sleep 0.2
  done
  echo "the engine did not start: $dir/log says why" >&2
  exit 1
}

sql() { curl -sS --fail-with-body "http://127.0.0.1:$port/?database=plumbline&max_execution_time=3000${settings:-}" --data-binary "$1"; }
