# Weirflow. `make help` lists what there is.
SHELL := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X github.com/weirflow/weirflow/services/platform/version.Number=$(VERSION)
TOOLS   := $(CURDIR)/.cache/tools
MODULES := $(shell sed -n 's/^\t\.\/\(.*\)/\1/p' go.work)
SERVICES := agent ingest transform indexer alerting

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/weirflow (everything) and one binary per service
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/weirflow ./services/standalone/cmd/weirflow
	for s in $(SERVICES); do go build -trimpath -ldflags '$(LDFLAGS)' -o bin/weirflow-$$s ./services/$$s/cmd/$$s; done
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/weirflow-gateway ./gateway/cmd/gateway

.PHONY: run
run: bin/weirflow ## Build and start everything in one process, with the demonstration
	bin/weirflow run

bin/weirflow: $(shell git ls-files '*.go' '*.c' '*.h' '*.sql' 2>/dev/null)
	@mkdir -p bin
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/weirflow ./services/standalone/cmd/weirflow

.PHONY: test
test: ## Run the unit tests of all modules (RACE=1: with the race detector)
	scripts/test.sh $(if $(RACE),-race)

.PHONY: integration
integration: build ## Run the tests against a real Kafka and Elasticsearch
	scripts/integration.sh

.PHONY: fuzz
fuzz: ## Fuzz every parser and decoder for a few seconds each (FUZZTIME=10s)
	scripts/fuzz.sh

.PHONY: bench
bench: build ## Measure the hot path and write the figures to bench.out
	scripts/bench.sh

.PHONY: bench-sql
bench-sql: build ## Measure SQL, beside a real Flink if installed; figures go to bench-sql.out
	scripts/bench-sql.sh

.PHONY: fmt
fmt: tools ## Format Go code and protos
	gofmt -w $(MODULES)
	$(TOOLS)/buf format -w

.PHONY: lint
lint: tools ## Check style and common mistakes
	scripts/lint.sh

.PHONY: gen
gen: tools ## Generate code from the protos
	scripts/gen.sh

.PHONY: console
console: ## Build the console (needs Node) and the TypeScript SDK
	scripts/console.sh

.PHONY: console-check
console-check: ## Build them and fail if the result is not what is committed
	scripts/console.sh --check

.PHONY: console-e2e
console-e2e: build ## Open every page of the console in a real Chromium
	scripts/console-e2e.sh

.PHONY: api-contract
api-contract: build ## Hold the running API against its OpenAPI document
	scripts/api-contract.sh

.PHONY: tidy
tidy: ## Tidy every module
	go work sync
	for m in $(MODULES); do (cd $$m && GOWORK=off go mod tidy); done

.PHONY: tools
tools: ## Build the pinned tools into .cache/tools
	scripts/tools.sh

.PHONY: check
check: ## Everything that CI checks before the integration tests
	scripts/check.sh

.PHONY: clean
clean: ## Remove what was built and what `make run` has stored
	rm -rf bin data bench.out bench-sql.out
