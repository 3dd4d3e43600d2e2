# Roomlog's commands. `make` alone lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
PROJECTS := packages/contract packages/runtime packages/roomlog services/gateway services/worker services/api clients/python deploy/local
TEST_PARTS := tests/processes/stack packages/roomlog services/worker tests/simulation tests/processes/faults \
  tests/processes/configuration tests/host tests/abuse services/api services/gateway tests/chart tests/harness \
  $(filter-out services/% packages/roomlog,$(PROJECTS)) benchmarks examples/host tests/rules tests/release tests/judge tests/proof
# The longest first. Two cores carry two: most of these tests wait for processes.
TEST_JOBS ?= 2
PINS := $(addprefix requirements/,dev gateway worker api build) $(basename $(wildcard benchmarks/requirements*.in examples/*/requirements.in))
# From bytecode a worker starts in a third of the time; some machines are told to write none.
export PYTHONDONTWRITEBYTECODE :=
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.PHONY: help run test coverage check format requirements messages schema metrics logs values clean

help: ## List the commands
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

.venv: .venv/ready
.venv/ready: Makefile requirements/dev.txt $(PROJECTS:%=%/pyproject.toml)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Roomlog needs Python 3.11 or newer; set PYTHON=")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(PROJECTS:%=-e %)
	$(BIN)/python -m compileall -q -j 0 .venv/lib $(PROJECTS)
	touch $@

run: .venv ## Start everything on this machine: Valkey, workers, gateway, api and a chat page; HOST=1: the example shop
	$(BIN)/roomlog demo $(if $(HOST),--host examples/host --folder .roomlog/host)

test: .venv ## Unit, contract and real-process tests; TEST_JOBS parts at a time, what failed once more at the end
	@rm -rf .venv/test; mkdir -p .venv/test; printf '%s\n' $(TEST_PARTS) | xargs -P $(TEST_JOBS) -I{} bash -c ' \
	  log=.venv/test/$$(echo {} | tr / -).log; \
	  $(BIN)/pytest -q {} >$$log 2>&1 && verdict=passed || { verdict=FAILED; cp $$log $${log%.log}.failed; }; \
	  { echo "pytest {}"; cat $$log; echo "$$verdict: {}"; } | cat; [ $$verdict = passed ]' || \
	  { echo "Not passed:"; tail -v -n 50 .venv/test/*.failed; exit 1; }

coverage: .venv ## Branches of a part's code that its own tests reach: PART=services/worker
	$(BIN)/coverage run -m pytest -q $(PART)
	$(BIN)/coverage report --include='$(PART)/*'

check: .venv ## Lint, types, borders, stale schema and requirements
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@for part in $(PROJECTS) tests benchmarks; do echo "mypy $$part"; $(BIN)/mypy $$part; done
	$(BIN)/lint-imports
	$(BIN)/python -m roomlog_contract.schema --check
	@for name in $(PINS); do \
	  fresh=.venv/$$(echo $$name | tr / -).txt; \
	  cp $$name.txt $$fresh; \
	  $(COMPILE) -o $$fresh $$name.in; \
	  diff -q $$name.txt $$fresh >/dev/null || { echo "$$name.txt is stale: make requirements"; exit 1; }; \
	done

format: .venv ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

requirements: ## Compile the hashed pins of requirements/, benchmarks/ and examples/
	@for name in $(PINS); do $(COMPILE) -o $$name.txt $$name.in; done

messages: .venv ## Collect the texts that people see, and compile their translations (needs gettext)
	for app in packages/roomlog/roomlog services/api/roomlog_api; do cd $(CURDIR)/$$app; for domain in django djangojs; do \
	  $(CURDIR)/$(BIN)/django-admin makemessages --all --domain $$domain --symlinks --no-wrap --no-obsolete --add-location file; done; \
	$(CURDIR)/$(BIN)/django-admin compilemessages; done

schema: .venv ## Write the JSON Schema of the wire
	$(BIN)/python -m roomlog_contract.schema

metrics: .venv ## Write the table of all metrics
	$(BIN)/python -m tests.rules.metrics_page

logs: .venv ## Write the table of all events in the logs
	$(BIN)/python -m tests.rules.logs_page

values: .venv ## Write the table of the chart's values into its README
	$(BIN)/python -m tests.chart.values_table

clean: ## Remove everything that the commands created, including the demo's data
	rm -rf .venv .roomlog

-include deploy/images.mk deploy/release/release.mk deploy/kind/kind.mk benchmarks/bench.mk tests/proof/proof.mk
