# Two commands are enough: `make run` and `make test`. Each builds its own environment first.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CAMPAIGN := config/campaigns/lai-chau-2021
# One more than there are processors: tests that wait for a server leave room for others.
WORKERS ?= $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: help run test service machines soak torture check format bench lock clean

help: ## Say what can be done here
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(READY) ## Rehearse letter 3701's campaign; letters and summary go to out/
	@$(BIN)/congnhan rehearse $(CAMPAIGN).yaml --script $(CAMPAIGN).script.yaml --out out

test: $(READY) ## Run every test, on SQLite and on PostgreSQL
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder \
	  --ignore tests/service --ignore tests/machines

service: $(READY) ## Start the whole service as an operator does, and use it (minutes)
	@$(BIN)/python -m pytest tests/service

machines: $(READY) ## Several machines, disturbed in every way (needs Debian's postgresql; minutes)
	@$(BIN)/python -m pytest tests/machines

soak: $(READY) ## Walk many more campaigns drawn at random than the tests do (some minutes)
	@WALKS=$${WALKS:-200} $(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder \
	  tests/journeys/test_promises.py tests/journeys/test_foretold.py

torture: $(READY) ## 10,000 letters to a server that fails by plan; deliverers killed at many moments (minutes)
	@LETTERS=$${LETTERS:-10000} LETTERS_KILLED=$${LETTERS_KILLED:-3000} ROUNDS=$${ROUNDS:-25} SEED=$${SEED:-$$RANDOM} \
	  CRASHES=all $(BIN)/python -m pytest --numprocesses auto tests/torture tests/flows/test_zalo_tokens.py

check: $(READY) ## What CI runs: format, lint, types, imports, tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test service

format: $(READY) ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Ticks and lists beside bare SQL, delivery beside bare smtplib, on both databases (minutes)
	@$(BIN)/python -m bench.tick
	@$(BIN)/python -m bench.delivery
	@$(BIN)/python -m bench.consolidation

lock: ## Pin every dependency anew, with hashes and no address (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes \
	  --no-header --extra dev --quiet pyproject.toml -o requirements.lock

clean: ## Remove the environment and what runs have left
	rm -rf $(VENV) out var

# The lock holds every package, so nothing is left for pip to resolve; `pip check` proves it.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=python3.12 …" >&2; exit 1; }
	@echo "Building the environment (once, under a minute) …"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --disable-pip-version-check
	@touch $@
