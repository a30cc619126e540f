SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PORT ?= 8000
STATE ?= .local
DEMO ?= 1

# The Lambda runtime's own Python where there is one (also among pyenv's), else any from 3.11 on.
PYTHON := $(shell for p in python3.13 "$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.13.*/bin/python3.13 python3.12 python3.11 python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)

BIN := .venv/bin
UV := $(BIN)/uv
export PYTHONPATH := layers/core:.
export PATH := $(PATH):$(CURDIR)/$(BIN)
export STATE

PAGE := functions/dashboard/page
DIST := functions/dashboard/dist/telemetry.html.gz
DESCRIPTION := $(PAGE)/openapi.json

# A value as one word of the shell, whatever is in it; and an option that is left out where the variable is empty.
quoted = '$(subst ','\'',$(1))'
option = $(if $($(2)),$(1) $(call quoted,$($(2))))

# Where a command works: on local state, or on a stack on AWS, whose secret may have a name of its own.
REACHED = --state $(call quoted,$(STATE)) $(call option,--stack,STACK) $(call option,--secret-parameter,SECRET_PARAMETER)

# What cannot be is refused here, before anything is installed or built for it.
ifneq ($(filter run,$(MAKECMDGOALS)),)
$(if $(STACK),$(error make run serves on this machine alone and takes no STACK=))
$(if $(filter-out 0 1,$(DEMO))$(if $(DEMO),,?),$(error DEMO=$(DEMO) is neither 0 nor 1))
endif
ifneq ($(filter import,$(MAKECMDGOALS)),)
$(if $(and $(FILE),$(ENVIRONMENT)),,$(error FILE=… and ENVIRONMENT=… are needed))
endif

TESTS := .venv/test.done .venv-sam/.done local/node_modules/.done $(DIST)
PYTEST := $(BIN)/python -m pytest -n 2 tests

# Around midnight nothing of the day before is closed, then some of it: at a month's end, on a leap day, at a year's end.
MOMENTS := 2026-11-30T00:45:00Z 2027-12-31T23:58:00Z 2028-02-29T00:05:00Z 2028-02-29T23:58:00Z

.PHONY: help run page types test check lint format bench soak lock key records import verify clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: .venv/run.done local/node_modules/.done $(DIST) ## set everything up and serve on http://127.0.0.1:8000 (PORT=, STATE=, DEMO=0)
	@exec $(BIN)/python -m local run --port $(call quoted,$(PORT)) --state $(call quoted,$(STATE)) $(if $(filter 0,$(DEMO)),--no-demo)

page: $(DIST) ## build the page and the reference that the dashboard function serves

types: .venv/run.done ## write what the page knows of the API anew, from the description of the API
	@$(BIN)/python -m telemetry.description.page_types $(PAGE)/src/types.ts

test: $(TESTS) lint ## what a change needs: lint, types and all tests but the slow ones
	$(PYTEST) -m 'not slow'

check: $(TESTS) ## the slow tests, and those that know days at other moments
	$(PYTEST) -m slow
	for moment in $(MOMENTS); do $(PYTEST) -m 'days and not slow' --at $$moment || exit 1; done

lint: .venv/test.done $(PAGE)/node_modules/.done ## ruff, mypy, tsc and biome (strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd $(PAGE) && npm run --silent check

format: .venv/test.done $(PAGE)/node_modules/.done ## let ruff and biome rewrite what they can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd $(PAGE) && npm run --silent format

bench: .venv/test.done .venv-sam/.done local/node_modules/.done ## print the cost figures, and write them to figures.json
	$(BIN)/python -m pytest -q -s -o python_files='test_*.py bench_*.py' tests/benchmarks --figures figures.json

soak: $(TESTS) ## all tests, in their long versions
	SOAK=1 $(PYTEST)

key: .venv/run.done local/node_modules/.done ## make an API key: ARGS="sdk --environment staging --capability ingest" (STATE= or STACK=)
	@$(BIN)/python -m local key $(REACHED) $(ARGS)

records: .venv/run.done local/node_modules/.done ## print and count stored events: [PRODUCT=…] [DAY=…] [ENVIRONMENT=production] [JUDGE=1] (STATE= or STACK=)
	@$(BIN)/python -m local records $(REACHED) $(call option,--product,PRODUCT) $(call option,--day,DAY) $(call option,--environment,ENVIRONMENT) $(if $(JUDGE),--judge)

import: .venv/run.done local/node_modules/.done ## import licences and activations: FILE=… ENVIRONMENT=… (STATE= or STACK=)
	@$(BIN)/python -m local import $(REACHED) $(call option,--environment,ENVIRONMENT) -- $(call quoted,$(FILE))

verify: .venv/run.done local/node_modules/.done ## recompute closed days from their records: [ENVIRONMENT=production] [DAY=…] [PRODUCT=…] (STATE= or STACK=)
	@$(BIN)/python -m local verify $(REACHED) $(call option,--environment,ENVIRONMENT) $(call option,--day,DAY) $(call option,--product,PRODUCT)

lock: .venv/uv.done ## pin requirements*.txt anew, with hashes
	for f in layers/dependencies/requirements local/requirements local/requirements-node tests/requirements tests/requirements-sam; do \
		$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
			--no-header $(UPGRADE) -o $$f.txt $$f.in || exit 1; done

clean: ## remove what was installed and built (not the state)
	rm -rf .venv .venv-sam local/node_modules $(PAGE)/node_modules functions/dashboard/dist $(DESCRIPTION) .aws-sam

.venv/uv.done:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (python3.13 is Lambda's)" >&2; exit 1; }
	@echo "setting up .venv with $(PYTHON)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@touch $@

.venv/run.done: .venv/uv.done local/requirements.txt
	@# a .venv that has the test packages keeps them: they include these
	@test -f .venv/test.done || $(UV) pip install -q --python $(BIN)/python --require-hashes -r local/requirements.txt
	@touch $@

.venv/test.done: .venv/uv.done tests/requirements.txt
	$(UV) pip install -q --python $(BIN)/python --require-hashes -r tests/requirements.txt
	@touch $@ .venv/run.done

.venv-sam/.done: .venv/uv.done tests/requirements-sam.txt
	$(PYTHON) -m venv .venv-sam
	$(UV) pip install -q --python .venv-sam/bin/python --require-hashes -r tests/requirements-sam.txt
	@touch $@

# PyPI carries node and npm for machines that have none.
.venv/node.done: .venv/uv.done local/requirements-node.txt
	@command -v npm >/dev/null || { echo "npm not found: taking it from PyPI" && \
		$(UV) pip install -q --python $(BIN)/python --require-hashes -r local/requirements-node.txt; }
	@touch $@

# The local DynamoDB engine, and what builds the page.
%/node_modules/.done: %/package-lock.json .venv/node.done
	cd $* && npm ci --silent
	@touch $@

$(DESCRIPTION): .venv/run.done $(shell find layers/core -name '*.py')
	@$(BIN)/python -m telemetry.description $@

$(DIST): $(PAGE)/node_modules/.done $(PAGE)/build.mjs $(DESCRIPTION) $(wildcard $(PAGE)/src/* $(PAGE)/src/*/*)
	@cd $(PAGE) && npm run --silent build
