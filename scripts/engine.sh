#!/usr/bin/env bash
# Installs the pinned ClickHouse engine (deploy/engine) and prints where it is.
#   PLUMBLINE_CACHE   folder to install into; default: .cache/engine in the repository
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
pin="$root/deploy/engine"
cache=${PLUMBLINE_CACHE:-$root/.cache/engine}
lib="$cache/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"
marker="$cache/verified"

say() { echo "engine: $*" >&2; }
fail() { say "$*"; exit 1; }

# The full hash of 566 MB takes seconds, so it is taken once; size and time of change stand for it after.
stamp() { echo "$(cut -d' ' -f1 "$pin/libchdb.sha256") $(stat -c '%s %Y' "$lib")"; }

if [ -f "$lib" ] && [ -f "$marker" ] && [ "$(cat "$marker")" = "$(stamp)" ]; then
  say "ready"
  echo "$lib"
  exit 0
fi

[ "$(uname -s)-$(uname -m)" = Linux-x86_64 ] ||
  fail "the embedded ClickHouse engine is pinned for Linux on x86-64 only; set clickhouse.dsn to a ClickHouse server instead"
command -v npm >/dev/null || fail "npm is needed to install the engine: install Node.js 18 or newer, then run \`make engine\`"

# One installer at a time: two would delete each other's files.
mkdir -p "$cache"
exec 9>"$cache/lock"
flock -n 9 || { say "another installation is running, waiting for it"; flock 9; }

matches() { [ -f "$lib" ] && (cd "$(dirname "$lib")" && sha256sum --check --status "$pin/libchdb.sha256"); }

if ! matches; then
  say "downloading ClickHouse's engine (167 MB, once)"
  cp "$pin/package.json" "$pin/package-lock.json" "$pin/.npmrc" "$cache/"
  log="$cache/install.log"
  (cd "$cache" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1 &
  npm_pid=$!
  trap 'kill "$npm_pid" 2>/dev/null || true' EXIT
  seconds=0
  while kill -0 "$npm_pid" 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
    [ $((seconds % 5)) -eq 0 ] && say "  still working, ${seconds} s, $(du -sm "$cache" | cut -f1) MB unpacked"
  done
  trap - EXIT
  wait "$npm_pid" || { tail -n 3 "$log" >&2; fail "the download failed: check the network and npm's registry setting, then run \`make engine\` again"; }
  say "checking it"
  matches || fail "the library does not have the pinned hash: delete $cache and run \`make engine\` again"
fi
stamp >"$marker"
say "ready"
echo "$lib"
