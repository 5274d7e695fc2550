# Plumbline. `make help` lists the targets; each sets up what it needs itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: injuries breakers help run test check eval causes bench bench-sink bench-diff microbench kill faults soak build image engine kafka fuzz senders bench-peers bench-process bench-roles stories release licences vuln

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: engine build ## start everything in one process with the bundled demo, and print the console's address
	bin/plumbline up --demo

test: engine kafka build ## everything that must hold: vet, race tests of each module, other people's clients
	scripts/check.sh test
	scripts/clients.sh

.PHONY: clients
clients: engine build ## other people's clients, Grafana's queries and clickhouse-go's own tests against the embedded engine (fetches them)
	SUITE=1 scripts/clients.sh

.PHONY: test-databases
test-databases: engine ## the table readers against real Postgres and MySQL servers, which have to be installed
	cd services && go test -tags databases -count 1 ./internal/crm/table

check: ## the whole gate but the tests: format, vet, lint, generated files, go.mod, migrations
	scripts/check.sh check

bench: engine kafka build ## all that has a number to reach, beside its peers, ROUNDS=3 times: docs/bench/report.md (an hour; ONLY="sink" for a part)
	cd scripts/bench/report && GOWORK=off go run . -rounds $(or $(ROUNDS),3) -only "$(ONLY)"

bench-roles: engine build ## events/s, CPU and latency of each role and of the whole, measured from outside, in minutes
	scripts/check.sh bench

# What `make eval` plays: the main kinds of trouble, an hour in less than a minute.
# All of them: make eval EVAL="$(basename -s .yaml scenarios/*.yaml)"
EVAL ?= quiet_week ack_and_drop nobody_reports coerced_values picklist_removed token_revoked vendor_outage_401 stopped_worker \
	swallowed_errors bad_day
EVAL_SPEED ?= 120
CAUSE_SEEDS ?= 50
# Played to door, operators and readers alone, in seconds each; FOLD= plays to the whole product.
FOLD ?= --fold

eval: engine build ## classification by provider held out, then the standard scenarios against the whole product: how much of the truth it saw
	cd pipelines && PLUMBLINE_QUIET=1 go test ./classify -count=1 -run TestEval -v
	bin/plumbline evaluate --speed $(EVAL_SPEED) $(EVAL:%=scenarios/%.yaml)

causes: $(if $(FOLD),,engine) build ## injected causes of drift, CAUSE_SEEDS=50 seeds each, folded: how often each is named first (FOLD= CAUSE_SEEDS=2: through the whole product)
	bin/plumbline evaluate $(FOLD) --causes --speed $(EVAL_SPEED) --seeds $(CAUSE_SEEDS) $(wildcard scenarios/cause_*.yaml)

# Several faults at once, in seconds each.
eval-several: $(if $(FOLD),,engine) build ## the scenarios with several faults at once, to the door, the ledger and the readers
	bin/plumbline evaluate $(FOLD) --speed $(EVAL_SPEED) $(wildcard scenarios/several_*.yaml)

bench-process: build kafka ## process beside a Kafka Streams program: the same join, exactly once, on one real broker; then a restore
	cd scripts/bench/peers && GOWORK=off go run . -bin ../../../bin/plumbline -joins 500000
	cd scripts/bench/peers && GOWORK=off go run . -bin ../../../bin/plumbline -restore 1000000

bench-peers: build kafka ## ingest beside Fastify with kafkajs and plain Go, on one real broker, in one run
	cd scripts/bench/peers && GOWORK=off go run . -bin ../../../bin/plumbline
	cd scripts/bench/peers && GOWORK=off go run . -bin ../../../bin/plumbline -size 100 -connections 32
	cd scripts/bench/peers && GOWORK=off go run . -bin ../../../bin/plumbline -embedded
	cd scripts/bench/peers && GOWORK=off go run . -bin ../../../bin/plumbline -embedded -size 100 -connections 32

senders: build ## requests signed by vendors' own libraries against the real binary (fetches them)
	scripts/senders.sh

microbench: ## every Go benchmark
	scripts/check.sh microbench

bench-diff: engine build ## plumbline diff beside DuckDB's full join and reladiff, on differences that are known
	scripts/bench-diff.sh $(ARGS)

bench-sink: engine build ## the sink beside ClickHouse's own Kafka engine: rows/s and CPU a row, in one run
	cd scripts/bench/sink && GOWORK=off go run . -bin ../../../bin/plumbline

kill: engine kafka ## the kill suites over 20 seeds each: processors and brokers, then the whole product
	cd services && go test ./process -run 'TestKilledAnywhere|TestTroubledLink|TestZombieIsFenced' -kill.seeds 20 -kill.slow -timeout 60m -v
	cd services && go test ./standalone -run 'TestKilledAnywhere' -kill.seeds 20 -timeout 30m -v

faults: engine kafka ## every fault of docs/faults.md, the random ones over SEEDS=20 seeds; SOAK=10m of the whole product
	scripts/faults.sh

soak: engine ## two hours of the whole product with kills, freezes and a look at what grows; a million random histories of the ledger
	cd services && go test ./standalone -run TestSoak -soak.for 2h -timeout 3h -v
	cd pipelines && go test ./ledger -run 'TestLedgerIsTheReference|TestCutsDoNotShow' -rapid.checks 1000000 -timeout 180m -v
	cd pipelines && go test ./ledger -run TestEverySilentFailureIsFound -silent.changes 1000000 -timeout 20m -v

injuries: engine ## one divergence of each kind in ten thousand records, still and moving: each is found, and nothing else
	cd services && go test ./reconcile -count=1 -run TestOneInTenThousand -rare 100 -timeout 30m -v

breakers: engine build ## run the circuit-breaker samples of three languages against a real Plumbline
	scripts/breakers.sh

stories: engine ## the console in a real Chromium: stories from alert to resolution, axe-core on every page, pictures for docs/console
	scripts/stories.sh

build: ## bin/plumbline, static
	CGO_ENABLED=0 go build -trimpath -o bin/plumbline ./services/cmd/plumbline

image: ## the container image, by docker or buildah
	$(or $(shell command -v docker),buildah) build -f deploy/Dockerfile -t plumbline .

engine: ## install the pinned ClickHouse engine into .cache, once
	@scripts/engine.sh >/dev/null

kafka: ## install the jars of a real Kafka broker for the tests into .cache, once
	@scripts/kafka.sh install

fuzz: ## half a minute for each fuzz target of every module
	scripts/check.sh fuzz

release: ## dist/: archives of the static binary for VERSION (default: dev), with units, licences and checksums
	scripts/release.sh $(or $(VERSION),dev)

licences: ## every module the binary is made of, and its licence
	@scripts/licences.sh

vuln: ## known vulnerabilities in what the binary really calls, built as releases are
	@scripts/vuln.sh
