#!/usr/bin/env bash
# Walks the console in a real browser: what takes too long for `make test`.
set -euo pipefail
cd "$(dirname "$0")/.."
cache=${PLUMBLINE_CACHE:-$PWD/.cache}/axe
if ! cmp -s deploy/axe/package-lock.json "$cache/package-lock.json" || [ ! -f "$cache/node_modules/axe-core/axe.min.js" ]; then
  mkdir -p "$cache"
  cp deploy/axe/package.json deploy/axe/package-lock.json deploy/axe/.npmrc "$cache/"
  (cd "$cache" && npm ci --ignore-scripts --no-audit --no-fund >&2)
fi
pictures=$PWD/docs/console
mkdir -p "$pictures"
cd services
go test ./console -count=1 -timeout 20m -run 'TestBrowser|TestAxe|TestPictures' -axe "$cache/node_modules/axe-core/axe.min.js" -shots "$pictures" -v
go test ./standalone -count=1 -timeout 20m -run TestStories -stories -v
