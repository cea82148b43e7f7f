# Shortcuts for people; .ci/run calls the tools itself. Everything is installed into .venv, nothing elsewhere.

PYTHON ?= python3
BIN := .venv/bin
PINS := constraints/tested.txt
FIXTURE := build/fixture
RUN := build/demo-run

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-10s %s\n", $$1, $$2 }'

# The stamps hold an installation back until what is installed has changed.
.venv/installed: pyproject.toml $(PINS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c $(PINS) -e .
	@touch $@

.venv/installed-dev: pyproject.toml $(PINS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c $(PINS) -e '.[dev]'
	@touch $@

demo: .venv/installed ## Score a toy model on a tiny generated data set
	@rm -rf $(FIXTURE) $(RUN)
	$(BIN)/python tools/make_fixture.py $(FIXTURE)
	$(BIN)/asdbench run --suite unsync --model additive --data $(FIXTURE) --out $(RUN)
	@echo
	@echo 'This was a tiny generated fixture and a toy model: it shows the mechanics and is no benchmark.'
	@echo 'The report is in $(RUN). With your own checkpoint and data:'
	@echo '  $(BIN)/asdbench run --suite unsync --checkpoint CHECKPOINT --data AVA_FOLDER'

test: .venv/installed-dev ## Run the fast tests
	$(BIN)/pytest -m 'not slow'

test-all: .venv/installed-dev ## Run all tests
	$(BIN)/pytest

lint: .venv/installed-dev ## Check style, types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## Delete what was generated, but not runs/ and .venv
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
