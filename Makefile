SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
PY := .venv/bin/python
PIP := -m pip --quiet --disable-pip-version-check install
UV ?= uv
LOCK := $(UV) pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header --universal --python-version 3.11
TRANSPORT ?= sqlite
STAGES ?=
SCALE ?= 1
CHAOS_SCALE ?= full
SEEDS ?= 10000
MINUTES ?= 5
SECONDS_OF_FUZZ ?= 60
.DEFAULT_GOAL := help

.PHONY: help install demo test check fmt bench chaos simulation mutants soak fuzz proto schemas migration up oracle lock clean

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' Makefile | awk -F ':.*## ' '{split($$1, t, ":"); printf "  %-11s %s\n", t[1], $$2}'

.venv/.installed: requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "agentopic needs Python 3.11 or later")'
	@echo "installing into .venv"
	@$(PYTHON) -m venv .venv
	@$(PY) $(PIP) --require-hashes -r requirements/dev.lock
	@$(PY) $(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv-oracle/.installed: requirements/oracle.lock
	@echo "installing the AutoGen 0.7.5 wheels into .venv-oracle, for comparisons"
	@$(PYTHON) -m venv .venv-oracle
	@.venv-oracle/bin/python $(PIP) --require-hashes -r requirements/oracle.lock
	@touch $@

install: .venv/.installed ## set everything up in .venv

oracle: .venv-oracle/.installed ## set up AutoGen 0.7.5 in an environment of its own

demo: install ## run the main job, with a worker killed in the middle (TRANSPORT=sqlite|kafka)
	@.venv/bin/agentopic demo --transport $(TRANSPORT)

test: install oracle ## run every test, against real servers (STAGES="unit integration" runs some)
	@$(PY) -m agentopic.testing.bed fetch || echo "the tests that need Kafka cannot run"
	@$(PY) tests/stages.py $(STAGES)

chaos: install ## run the whole proof with full counts; figures into docs/guarantees.md (CHAOS_SCALE=small for a part)
	@$(PY) -m agentopic.testing.bed fetch || echo "the tests that need Kafka cannot run"
	@rm -f build/proof.jsonl
	@CHAOS_SCALE=$(CHAOS_SCALE) $(PY) -m pytest -q -s tests/simulation tests/chaos
	@$(PY) -m tests.mutants.run
	@$(PY) -m tests.proof.render

simulation: install ## play seeds in virtual time; failing ones are kept (SEEDS=10000)
	@$(PY) -m tests.simulation $(SEEDS)

mutants: install ## put faults in on purpose and see that each is noticed
	@$(PY) -m tests.mutants.run

soak: install ## work under random kills, memory and backlog watched (MINUTES=5)
	@$(PY) -m agentopic.testing.bed fetch || echo "without Kafka there is nothing to soak"
	@rm -f build/soak.jsonl
	@AGENTOPIC_TEST_FIGURES=build/soak.jsonl $(PY) -m tests.soak $(MINUTES)

fuzz: install ## throw nonsense at every door: records, files, settings, arguments (SECONDS_OF_FUZZ=60)
	@rm -f build/fuzz.jsonl
	@AGENTOPIC_TEST_FIGURES=build/fuzz.jsonl $(PY) -m tests.fuzz $(SECONDS_OF_FUZZ)

check: install ## formatting, lint, types, import rules, lock files, documents
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/basedpyright
	.venv/bin/lint-imports --no-logo
	$(PY) -m pytest -q tests/architecture/test_locks.py tests/architecture/test_documents.py

fmt: install ## format, and fix what can be fixed by tool
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench: install oracle ## measure; JSON on stdout, a table on stderr (SCALE=10 for ten times the counts)
	@$(PY) -m agentopic.testing.bed fetch >&2 || echo "what needs Kafka cannot be measured" >&2
	@$(PY) -m benchmarks --scale $(SCALE)

proto: install ## generate src/agentopic/_proto from protos/
	$(PY) protos/generate.py

schemas: install ## export the JSON Schemas of payloads into schemas/
	$(PY) schemas/export.py

migration: install oracle ## compare every public symbol with AutoGen's into docs/migrate/from-autogen.md
	@$(PY) docs/migrate/generate.py "$$(.venv-oracle/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

up: install ## run Kafka, PostgreSQL and Redis until interrupted; addresses as JSON
	@exec $(PY) -m agentopic.testing.bed up

lock: ## resolve all dependencies anew into hashed lock files (needs uv)
	$(LOCK) --upgrade --all-extras --group dev -o requirements/dev.lock pyproject.toml
	$(LOCK) --upgrade -o requirements/oracle.lock requirements/oracle.in

clean: ## remove what the other targets made
	rm -rf .venv .venv-oracle .pytest_cache .ruff_cache .hypothesis .import_linter_cache dist build
