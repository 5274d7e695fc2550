#!/usr/bin/env bash
# Proves that other languages' ClickHouse clients work unchanged with the embedded engine.
#   scripts/engine-clients.sh URL     e.g. http://127.0.0.1:8123 or http://default:secret@127.0.0.1:8123
# Installs Python's clickhouse-connect and Node's @clickhouse/client into a temporary folder, writes and
# reads a table with each, and exits 1 when anything differs.
set -euo pipefail

url=${1:?usage: scripts/engine-clients.sh http://[user:password@]host:port}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

check() { # name, command...
  local name=$1
  shift
  echo "clients: $name"
  if "$@" >"$work/out" 2>&1; then
    sed 's/^/  /' "$work/out"
  else
    sed 's/^/  /' "$work/out"
    echo "clients: $name FAILED"
    failed=1
  fi
}

cat >"$work/check.py" <<'PY'
import datetime, sys, urllib.parse
import clickhouse_connect

u = urllib.parse.urlparse(sys.argv[1])
for compress in (False, "lz4", "zstd", "gzip"):
    c = clickhouse_connect.get_client(host=u.hostname, port=u.port, username=u.username or "default",
                                      password=urllib.parse.unquote(u.password or ""), compress=compress)
    c.command("CREATE OR REPLACE TABLE clients_py (id UInt64, name String, tag LowCardinality(String), "
              "n Nullable(Int32), l Array(String), t DateTime64(3, 'UTC'), d Decimal(18, 4)) ENGINE = MergeTree ORDER BY id")
    at = datetime.datetime(2024, 5, 6, 7, 8, 9, 123000, tzinfo=datetime.timezone.utc)
    import decimal
    rows = [[i, f"n{i}", f"t{i % 3}", None if i % 2 else i, ["a", str(i)], at, decimal.Decimal("1.25")] for i in range(20000)]
    c.insert("clients_py", rows, column_names=["id", "name", "tag", "n", "l", "t", "d"])
    got = c.query("SELECT * FROM clients_py ORDER BY id").result_rows
    assert len(got) == len(rows), len(got)
    for g, r in zip(got, rows):
        assert list(g)[:5] == r[:5] and g[5].replace(tzinfo=datetime.timezone.utc) == at and g[6] == r[6], (g, r)
    assert c.query("SELECT {x:String}, {y:Array(UInt8)}", parameters={"x": "it's", "y": [1, 2]}).result_rows == [("it's", [1, 2])]
    assert c.command("SELECT count() FROM clients_py") == 20000
    assert c.query("SELECT getSetting('max_threads')", settings={"max_threads": 3}).result_rows[0][0] == 3
    with c.query_row_block_stream("SELECT number FROM numbers(300000)") as stream:
        assert sum(len(b) for b in stream) == 300000
    try:
        c.query("SELECT * FROM nowhere")
        raise SystemExit("no error for an unknown table")
    except clickhouse_connect.driver.exceptions.DatabaseError as e:
        assert "UNKNOWN_TABLE" in str(e), e
    c.command("DROP TABLE clients_py")
    print(f"compress={compress}: ok, server {c.server_version}")
PY

cat >"$work/check.mjs" <<'JS'
import assert from 'node:assert'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'

const u = new URL(process.argv[2])
for (const compression of [false, true]) {
  const c = createClient({
    url: `http://${u.host}`, username: u.username || 'default', password: decodeURIComponent(u.password),
    compression: { request: compression, response: compression },
    clickhouse_settings: { wait_end_of_query: 1 },
    log: { level: ClickHouseLogLevel.OFF },
  })
  assert((await c.ping()).success)
  await c.command({ query: 'CREATE OR REPLACE TABLE clients_js (id UInt64, name String, l Array(String)) ENGINE = MergeTree ORDER BY id' })
  const rows = Array.from({ length: 20000 }, (_, i) => ({ id: String(i), name: `n${i}`, l: ['a', String(i)] }))
  const ins = await c.insert({ table: 'clients_js', values: rows, format: 'JSONEachRow' })
  assert.equal(ins.summary?.written_rows, '20000')
  const json = { output_format_json_quote_64bit_integers: 1 }
  const got = await (await c.query({ query: 'SELECT * FROM clients_js ORDER BY id', format: 'JSONEachRow', clickhouse_settings: json })).json()
  assert.deepEqual(got, rows)
  const p = await (await c.query({ query: 'SELECT {x: String} AS x, {y: Array(UInt8)} AS y', query_params: { x: "it's\t", y: [1, 2] }, format: 'JSON' })).json()
  assert.deepEqual(p.data, [{ x: "it's\t", y: [1, 2] }])
  let n = 0
  const stream = await c.query({ query: 'SELECT number FROM numbers(300000)', format: 'JSONEachRow', query_id: `js-${compression}` })
  assert.equal(stream.query_id, `js-${compression}`)
  for await (const part of stream.stream()) n += part.length
  assert.equal(n, 300000)
  await assert.rejects(c.query({ query: 'SELECT * FROM nowhere' }), (e) => e.code === '60' && e.type === 'UNKNOWN_TABLE')
  await c.command({ query: 'DROP TABLE clients_js' })
  await c.close()
  console.log(`compression=${compression}: ok`)
}
JS

echo "clients: installing (temporary)"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "clickhouse-connect==1.12.0" ||
  { echo "clients: pip could not install clickhouse-connect" >&2; exit 1; }
(cd "$work" && npm install --no-audit --no-fund --silent "@clickhouse/client@1.23.1" >/dev/null) ||
  { echo "clients: npm could not install @clickhouse/client" >&2; exit 1; }

check "Python clickhouse-connect" "$work/venv/bin/python" "$work/check.py" "$url"
check "Node @clickhouse/client" node "$work/check.mjs" "$url"
check "curl" bash -c 'test "$(curl -sS --data-binary "SELECT 1 + 1" "$0")" = 2 && echo ok' "$url/"
exit "$failed"
