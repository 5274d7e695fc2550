#!/usr/bin/env bash
# Known vulnerabilities in what the binary really calls, with the toolchain that
# releases are built with. The database is a Go module, so this needs nothing
# but the module proxy.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
cache=${PLUMBLINE_CACHE:-$PWD/.cache}/vulndb
export GOWORK=off
# The database itself asks for a younger Go than the workspace may have.
read -r version dir < <(cd services && GOTOOLCHAIN=auto GOFLAGS=-mod=mod go mod download -json golang.org/x/vulndb@latest |
	python3 -c 'import json, sys; m = json.load(sys.stdin); print(m["Version"], m["Dir"])')
if [ ! -d "$cache/$version/index" ]; then
	echo "indexing the vulnerability database of ${version:7:8}" >&2
	rm -rf "$cache"
	mkdir -p "$cache"
	(cd "$cache" && GOTOOLCHAIN=auto go run "golang.org/x/vulndb/cmd/indexdb@$version" -vulns "$dir/data/osv" -out "$cache/$version")
fi
export GOTOOLCHAIN=$release_toolchain
for m in schemas pipelines services; do
	echo "== $m" >&2
	(cd "$m" && go run golang.org/x/vuln/cmd/govulncheck@v1.9.0 -db "file://$cache/$version" ./...)
done
