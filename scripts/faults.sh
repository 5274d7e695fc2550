#!/usr/bin/env bash
# Runs every test that docs/faults.md names, package by package; the random
# ones over SEEDS seeds. -race is for `make test`; here the clock counts.
set -euo pipefail
cd "$(dirname "$0")/.."
seeds=${SEEDS:-20}
failed=0
while read -r pkg tests; do
	module=services
	[ -d "services/$pkg" ] || module=pipelines
	# What a package does not know of seeds, it does not get.
	flags=()
	grep -qs '"kill.seeds"' "$module/$pkg"/*_test.go && flags+=(-kill.seeds "$seeds")
	grep -qs '"soak.for"' "$module/$pkg"/*_test.go && flags+=(-soak.for "${SOAK:-10m}")
	grep -qs 'pgregory.net/rapid' "$module/$pkg"/*_test.go && flags+=(-rapid.checks "$((seeds * 50))")
	echo "== $module/$pkg: $tests ${flags[*]}"
	(cd "$module" && PLUMBLINE_KILLS=$((seeds * 5)) go test "./$pkg" -run "^($tests)\$" -count=1 -timeout 120m "${flags[@]}") || failed=1
done < <(grep -oE '`[a-z/]+\.(Test|Fuzz)[A-Za-z0-9]+`' docs/faults.md | tr -d '`' | sort -u |
	awk -F. '{t[$1] = t[$1] (t[$1] ? "|" : "") $2} END {for (p in t) print p, t[p]}' | sort)
exit $failed
