#!/usr/bin/env bash
# plumbline diff beside others' programs: sets up a Python of its own with
# their pinned versions, then runs scripts/bench/peers/diff/bench.py.
set -euo pipefail
cd "$(dirname "$0")/.."

peers=scripts/bench/peers/diff
env="${PLUMBLINE_CACHE:-.cache}/bench-diff"
if ! cmp -s "$peers/requirements.txt" "$env/requirements.txt" 2>/dev/null; then
  python3 -m venv "$env" || { echo "bench-diff needs python3 with its venv module" >&2; exit 1; }
  "$env/bin/pip" install -q -r "$peers/requirements.txt"
  cp "$peers/requirements.txt" "$env/requirements.txt"
fi
exec "$env/bin/python" "$peers/bench.py" --bin bin/plumbline "$@"
