#!/usr/bin/env bash
# What `make test`, `make check`, `make bench-roles`, `make microbench` and `make fuzz` do.
set -euo pipefail
cd "$(dirname "$0")/.."

modules=(schemas pipelines services)
golangci=github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
gofumpt=mvdan.cc/gofumpt@v0.12.0

step() { echo "== $*" >&2; }

# These tests load the ClickHouse engine's library into their own process;
# the race detector would watch 560 MB of foreign code and run for minutes.
in_process=plumbline.dev/services/embedded/clickhouse

# Packages run two at a time in the order given; a long one at the end would
# leave a core without work.
longest=(standalone process console internal/warehouse cmd/plumbline sink reconcile simulate)
longest_first() {
  local list package
  list=$(cat)
  for package in "${longest[@]}"; do
    grep -x "plumbline.dev/services/$package" <<<"$list" || true
  done
  grep -vxF "$(printf 'plumbline.dev/services/%s\n' "${longest[@]}")" <<<"$list"
}

test_all() {
  export PLUMBLINE_BINARY=$PWD/bin/plumbline # tests of commands run what users run
  step "go vet"
  go vet work
  for m in "${modules[@]}"; do
    step "$m builds without the workspace: its go.mod names all it imports"
    (cd "$m" && GOWORK=off go build ./...)
  done
  for m in "${modules[@]}"; do
    step "tests of $m, with the race detector"
    (cd "$m" && go list ./... | { grep -v "^$in_process" || true; } | longest_first | xargs -r go test -race -timeout 20m)
  done
  step "tests of the embedded engine"
  (cd services && go test -timeout 20m ./embedded/clickhouse/...)
}

sources() { git ls-files --cached --others --exclude-standard '*.go' | { grep -v '_gen\.go$\|\.pb\.go$' || true; } | while read -r f; do [ -f "$f" ] && echo "$f"; done; }

formatted() {
  step "gofumpt"
  local diff
  diff=$(sources | xargs -r go run "$gofumpt" -d) ||
    { echo "$diff"; echo "not formatted: run gofumpt -w on these files" >&2; return 1; }
}

linted() {
  for m in "${modules[@]}"; do
    step "golangci-lint on $m"
    (cd "$m" && go run "$golangci" run --config ../.golangci.yml ./...) || return 1
  done
}

# Compared with the state before, so that it holds in a dirty checkout too.
generated() {
  step "generated files are up to date"
  local before after
  before=$(git ls-files -m -o --exclude-standard -z | xargs -0 -r sha256sum 2>/dev/null | sort; git diff | sha256sum)
  for m in "${modules[@]}"; do (cd "$m" && go generate ./...) >&2; done
  after=$(git ls-files -m -o --exclude-standard -z | xargs -0 -r sha256sum 2>/dev/null | sort; git diff | sha256sum)
  [ "$before" = "$after" ] || { git diff --stat; echo "go generate changed files: commit them" >&2; return 1; }
}

tidy() {
  for m in "${modules[@]}"; do
    step "go.mod of $m is tidy"
    (cd "$m" && GOWORK=off go mod tidy -diff) || return 1
  done
}

# A migration that was skipped or numbered twice would be applied by some
# servers and not by others.
gapless() {
  step "migrations are numbered without a gap"
  local want=1 file
  for file in schemas/clickhouse/[0-9]*.sql; do
    [ "$(basename "$file" | cut -d_ -f1)" = "$(printf %04d "$want")" ] ||
      { echo "$file: the next migration has to be $(printf %04d "$want")_*.sql" >&2; return 1; }
    want=$((want + 1))
  done
  [ "$want" -gt 1 ] || { echo "schemas/clickhouse holds no migration" >&2; return 1; }
}

check_all() {
  local failed=0
  step "go vet"
  go vet work || failed=1
  for part in formatted linted generated tidy gapless; do
    "$part" || failed=1
  done
  [ "$failed" = 0 ] || { echo "make check: something above is not as it has to be" >&2; return 1; }
}

# From outside: the real binary, role by role.
bench_all() {
  (cd scripts/bench && GOWORK=off go run . -bin ../../bin/plumbline "$@")
}

# From inside: every Go benchmark.
microbench_all() {
  for m in "${modules[@]}"; do
    step "benchmarks of $m"
    (cd "$m" && go test -run '^$' -bench . -benchmem ./...)
  done
  step "wire formats"
  (cd scripts/bench/wire && GOWORK=off go test -run '^$' -bench . -benchmem ./...)
}

fuzz_all() {
  local m file target
  for m in "${modules[@]}"; do
    while IFS=: read -r file target; do
      step "$target in $m/$(dirname "$file")"
      (cd "$m" && go test -run '^$' -fuzz "^$target\$" -fuzztime 30s -fuzzminimizetime 10x "./$(dirname "$file")")
    done < <(cd "$m" && grep -rho --include='*_test.go' -H 'func Fuzz[A-Za-z0-9]*' . | sed 's/func //; s#^\./##')
  done
}

case "${1:-}" in
  test) test_all ;;
  check) check_all ;;
  bench) bench_all ;;
  microbench) microbench_all ;;
  fuzz) fuzz_all ;;
  formatted | linted | generated | tidy | gapless) "$1" ;;
  *) echo "usage: scripts/check.sh test|check|bench|microbench|fuzz" >&2; exit 2 ;;
esac
