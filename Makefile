# Everything that a developer does, in one word each. All that is installed goes into this folder: .venv, .venv-sam,
# .venv-bench, .showrunner and node_modules of tests and benchmarks. A second run installs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

LINE ?= episode
TEXT ?= examples/article.md
NICHE ?= Royal Court Ambience
MOOD ?= elegant, classical, serene
MINUTES ?= 3
OUT ?= out/$(if $(filter ambience,$(LINE)),ambience,demo)
# The recipes read them from the environment: a value is never parsed as shell.
export LINE TEXT NICHE MOOD MINUTES OUT

export UV_PYTHON_DOWNLOADS := never
# The machine's own certificates where it has any, as pip does: some networks have an authority of their own.
CERTIFICATES := /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem
export UV_SYSTEM_CERTS ?= $(if $(wildcard $(CERTIFICATES)),true,false)
export NODE_EXTRA_CA_CERTS ?= $(firstword $(wildcard $(CERTIFICATES)))
export SAM_CLI_TELEMETRY := 0
export AWS_DEFAULT_REGION ?= eu-west-2

BIN := .venv/bin
CODE := functions layers local requirements
WITH_TESTS := $(CODE) tests benchmarks

# ---------------------------------------------------------------------------------------------------------------- use

.PHONY: demo
demo: .venv/laptop.stamp ## Make one episode on this machine: make demo TEXT=path.md MINUTES=3 OUT=out/demo (LINE=ambience: a video)
	@exec $(BIN)/showrunner demo --line "$$LINE" --text "$$TEXT" --niche "$$NICHE" --mood "$$MOOD" \
	  --minutes "$$MINUTES" --out "$$OUT"

.PHONY: up
up: .venv/laptop.stamp ## Start the laptop edition and stay; Ctrl-C stops it
	@exec $(BIN)/showrunner up

# ------------------------------------------------------------------------------------------------------------- develop

.PHONY: test
test: .venv/dev.stamp tests/clients/node_modules/stamp ## Run all tests
	@$(BIN)/pytest --quiet --numprocesses auto --maxprocesses 4 --dist loadscope --no-loadscope-reorder

.PHONY: chaos chaos-stack mutants
chaos: .venv/dev.stamp ## Break everything at once, count broken promises (SEED=7 replays one; SEEDS=24 PRODUCTIONS=210)
	@$(BIN)/python -m tests.chaos.run $(if $(SEED),--seed $(SEED)) --seeds $(or $(SEEDS),24) \
	  --productions $(or $(PRODUCTIONS),210)

chaos-stack: .venv/dev.stamp ## Kill processes of the laptop edition at random while storage fails (LOAD=300 SEED=1)
	@$(BIN)/python -m tests.chaos.stack_run --seconds $(or $(LOAD),300) --seed $(or $(SEED),1)

mutants: .venv/dev.stamp ## Plant faults in copies of the engine; each must turn the proof red
	@$(BIN)/python -m tests.chaos.mutants

.PHONY: bench-engine
bench-engine: .venv/laptop.stamp .venv-bench/stamp ## Measure the engine beside its peers (BENCH=--quick)
	@$(BIN)/python -m benchmarks.engine $(BENCH)

.PHONY: bench-render
bench-render: .venv/laptop.stamp .venv-bench/python.stamp ## Measure an hour's video beside ffmpeg and MoviePy (BENCH=--quick)
	@$(BIN)/python -m benchmarks.render $(BENCH)

.PHONY: bench-rls bench-fairness
bench-rls: .venv/dev.stamp ## Clients' queries under row-level security beside the owner's, a million productions (5 GB of disk)
	@$(BIN)/python -m benchmarks.rls

bench-fairness: .venv/dev.stamp ## One organization's 10,000 jobs beside twenty with one, in virtual time
	@$(BIN)/python -m benchmarks.fairness

.PHONY: check
check: format-check lint types template test ## What CI runs: format, lint, types, template, tests

.PHONY: format-check
format-check: .venv/dev.stamp
	$(BIN)/ruff format --check --quiet $(WITH_TESTS)

.PHONY: lint
lint: .venv/dev.stamp
	$(BIN)/ruff check --quiet $(WITH_TESTS)

.PHONY: types
types: .venv/dev.stamp
	$(BIN)/mypy

.PHONY: template
template: .venv/dev.stamp .venv-sam/stamp ## Validate template.yaml with cfn-lint and sam
	$(BIN)/cfn-lint template.yaml
	__SAM_CLI_APP_DIR=.showrunner/sam .venv-sam/bin/sam validate --lint

.PHONY: build
build: .venv-sam/stamp ## Build what `sam deploy` uploads
	__SAM_CLI_APP_DIR=.showrunner/sam PIP="$(CURDIR)/.venv-sam/bin/python -m pip" .venv-sam/bin/sam build

.PHONY: format
format: .venv/dev.stamp ## Format the code and mend what ruff can mend
	$(BIN)/ruff check --quiet --fix-only $(WITH_TESTS)
	$(BIN)/ruff format --quiet $(WITH_TESTS)

.PHONY: requirements
requirements: .venv/dev.stamp ## Compile all pinned requirements from pyproject.toml (UPGRADE=--upgrade for newer versions)
	$(BIN)/python requirements/compile.py $(UPGRADE)

.PHONY: docs
docs: .venv/laptop.stamp ## Draw docs/data-model.md, docs/access.md and docs/openapi.json from what they describe
	@$(BIN)/python -m local.data_model
	@$(BIN)/python -m local.access
	@$(BIN)/python -m local.api_document

.PHONY: client-types
client-types: tests/clients/node_modules/stamp ## Generate the types for client apps from a migrated database
	@$(BIN)/python -m local.client_types

.PHONY: clean
clean: ## Remove everything that was installed, built or made here, except out/
	rm -rf .venv .venv-sam .venv-bench .showrunner .aws-sam .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	rm -rf benchmarks/engine/node/node_modules tests/clients/node_modules
	find $(WITH_TESTS) -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --------------------------------------------------------------------------------------------------------- environments

install = python -m uv pip install --quiet --require-hashes --requirement

.venv/laptop.stamp: requirements/laptop.txt pyproject.toml | .venv/bin/uv
	@echo "Installing what the laptop edition needs into .venv ..."
	@.venv/bin/$(install) requirements/laptop.txt --python .venv
	@.venv/bin/python -m uv pip install --quiet --no-deps --no-build-isolation --editable . --python .venv
	@touch $@

.venv/dev.stamp: requirements/dev.txt .venv/laptop.stamp
	@echo "Installing what tests and checks need into .venv ..."
	@.venv/bin/$(install) requirements/dev.txt --python .venv
	@touch $@

tests/clients/node_modules/stamp: tests/clients/package.json .venv/dev.stamp
	@echo "Installing Supabase's API and clients into tests/clients/node_modules ..."
	@cd tests/clients && PATH="$(CURDIR)/$(BIN):$$PATH" npm install --no-package-lock --no-audit --no-fund --loglevel=error
	@touch $@

.venv-sam/stamp: requirements/sam.txt | .venv-sam/bin/uv
	@echo "Installing sam into .venv-sam ..."
	@.venv-sam/bin/$(install) requirements/sam.txt --python .venv-sam
	@touch $@

.venv-bench/python.stamp: requirements/bench.txt | .venv-bench/bin/uv
	@echo "Installing what ours is measured beside into .venv-bench ..."
	@.venv-bench/bin/$(install) requirements/bench.txt --python .venv-bench
	@touch $@

# Node comes with it; where npm reaches no registry, the two engines that need it are left out.
.venv-bench/stamp: benchmarks/engine/node/package.json .venv-bench/python.stamp
	@cd benchmarks/engine/node && PATH="$(CURDIR)/.venv-bench/bin:$$PATH" \
	  npm install --silent --no-package-lock --no-audit --no-fund || echo "npm failed: no peers that run on Node." >&2
	@touch $@

%/bin/uv: requirements/uv.txt
	@python=$$(for name in python3.13 python3.12 python3.11 python3; do \
	  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; done); \
	[ -n "$$python" ] || { echo "Python 3.11 or newer is needed, and none was found on the PATH." >&2; exit 1; }; \
	echo "Creating $* with $$($$python --version) ..."; \
	"$$python" -m venv "$*" || { echo "This Python has no venv; install its venv package (python3-venv)." >&2; exit 1; }
	@$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/uv.txt
	@touch $@
