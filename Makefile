# Shortcuts for people; .ci/run calls the tools itself. Everything is installed into .venv, nothing elsewhere.

PYTHON ?= python3
BIN := .venv/bin
PINS := constraints/tested.txt
DEMO := build/demo

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

demo: .venv/installed ## Score and compare the two shipped checkpoints on the shipped demo data
	@rm -rf $(DEMO)
	$(BIN)/asdbench demo --out $(DEMO)
	@echo
	@echo 'The report is $(DEMO)/contrast.md; one report.md per checkpoint lies in the run folders beside it.'
	@echo 'With your own checkpoint and data:'
	@echo '  $(BIN)/asdbench run --suite unsync --checkpoint CHECKPOINT --data FOLDER'

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
