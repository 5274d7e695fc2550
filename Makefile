# Plumbline. `make help` lists the targets; each sets up what it needs itself.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help run test check bench build engine kafka fuzz

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: engine build ## start everything in one process with the bundled demo, and print the console's address
	bin/plumbline up --demo

test: engine kafka ## everything that must hold: vet, race tests of each module, builds without the workspace
	scripts/check.sh test

check: ## the whole gate but the tests: format, vet, lint, generated files, go.mod, migrations
	scripts/check.sh check

bench: ## the measurements behind the figures in docs/
	scripts/check.sh bench

build: ## bin/plumbline, static
	CGO_ENABLED=0 go build -trimpath -o bin/plumbline ./services/cmd/plumbline

engine: ## install the pinned ClickHouse engine into .cache, once
	@scripts/engine.sh >/dev/null

kafka: ## install the jars of a real Kafka broker for the tests into .cache, once
	@scripts/kafka.sh install

fuzz: ## half a minute for each fuzz target of schemas and pipelines
	scripts/check.sh fuzz
