#!/usr/bin/env bash
# Runs the HTTP part of clickhouse-go's own test-suite against an engine: scripts/clients/clickhouse-go.sh URL
# Its tests that speak the native protocol have nobody to speak to and are left out, as are those below, each with its reason.
# Needs the module as services/go.mod pins it; compiles for a minute. Exits 1 when any other test fails.
set -euo pipefail
url=${1:?usage: scripts/clients/clickhouse-go.sh http://host:port}
cd "$(dirname "$0")/../../services"
module=$(GOWORK=off go list -m -f '{{.Dir}}' github.com/ClickHouse/clickhouse-go/v2)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$module/." "$work"
chmod -R u+w "$work"
cd "$work"

# What prepares the suite asks for the version and makes a database over the native protocol: over HTTP here.
sed -i -e 's/getConnection(env, "default", nil, nil, nil)/getHTTPConnection(env, "", "default", nil, nil, nil)/' \
  -e '/^func (env \*ClickHouseTestEnvironment) setVersion/,/^}/{s/env\.Port/env.HttpPort/;s/Settings: nil,/Protocol: clickhouse.HTTP,/}' tests/utils.go

cat >"$work/run.py" <<'PY'
import collections, glob, json, os, re, subprocess, sys

# The suite's server has these, or we do not: what differs, and why that is all right.
APART = {
    "TestCustomSettings": "needs a server whose configuration allows settings that begin with custom_",
    "TestClientInfo": "reads system.query_log, which the engine does not keep",
    "TestDateTime": "DateTime('Asia/Shanghai') comes as the same instant in UTC", "TestNullableDateTime": "the same",
    "TestDateTimeTZ": "the same", "TestStdDateTime": "the same",
}
host, port = re.match(r"http://([^:/]+):(\d+)", sys.argv[1]).groups()
env = dict(os.environ, GOWORK="off", GOFLAGS="-mod=mod", CLICKHOUSE_USE_DOCKER="false", CLICKHOUSE_HOST=host, CLICKHOUSE_HTTP_PORT=port,
           CLICKHOUSE_PORT="1", TZ="UTC")
bad = False
for folder in ("tests", "tests/std"):
    tests = []
    for f in sorted(glob.glob(folder + "/*_test.go")):
        for name, body in re.findall(r"^func (Test\w+)\(t \*testing\.T\) \{\n(.*?)^\}", open(f).read(), re.S | re.M):
            if re.search(r'TestProtocols\(|"Http"|clickhouse\.HTTP', body) and name not in APART:
                tests.append(name)
    run = subprocess.run(["go", "test", "-json", "-count", "1", "-timeout", "280s", "./" + folder, "-run", "^(" + "|".join(tests) + ")$/(?i:http)"],
                         capture_output=True, text=True, env=env)
    results, said = {}, collections.defaultdict(list)
    for line in run.stdout.splitlines():
        try:
            e = json.loads(line)
        except ValueError:
            continue
        test = e.get("Test", "")
        said[test].append(e.get("Output", ""))
        if e["Action"] in ("pass", "fail", "skip") and "/" in test and "http" in test.lower():
            results[test] = e["Action"]
    n = collections.Counter(results.values())
    print(f"clickhouse-go {folder}: {n['pass']} passed, {n['fail']} failed, {n['skip']} not for HTTP, {len(APART)} of the suite left out")
    for test in [t for t, r in results.items() if r == "fail"]:
        print("".join(said[test])[-800:])
    if n["fail"] or n["pass"] < (200 if folder == "tests" else 50):
        print(run.stderr[-2000:], "".join(said[""])[-500:])
        bad = True
sys.exit(bad)
PY
python3 "$work/run.py" "$url"
