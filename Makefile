# Shortcuts for people; .ci/run calls the tools itself. Everything is installed into .venv, nothing elsewhere.

PYTHON ?= python3
BIN := .venv/bin
# One thread each: with more, tests that compute take the processor from each other.
TESTS := OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile
PINS := constraints/tested.txt
DEMO := build/demo

.DEFAULT_GOAL := help
.PHONY: help demo demo-data test test-all lint clean

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "make %-10s %s\n", $$1, $$2 }'

# The stamps hold an installation back until what is installed has changed.
.venv/installed: pyproject.toml $(PINS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c $(PINS) -e .
	@touch $@

.venv/installed-dev: pyproject.toml $(PINS)
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c $(PINS) -e '.[dev,fetch,hub,mlflow,pairnet,ray,train,vad,wandb]'
	@touch $@

demo: .venv/installed ## Score the shipped checkpoint on the shipped demo data, with a report
	@rm -rf $(DEMO)
	$(BIN)/asdbench run --suite unsync --out $(DEMO)
	@echo
	@echo 'The report is $(DEMO)/report.html. Both shipped checkpoints side by side:'
	@echo '  $(BIN)/asdbench demo'
	@echo 'With your own checkpoint and data:'
	@echo '  $(BIN)/asdbench run --suite unsync --checkpoint CHECKPOINT --data FOLDER'

demo-data: .venv-demo/installed ## Make the demo data again, into build/; needs npm once
	.venv-demo/bin/python -m tools.demo_data --split val --out build/demo-val
	.venv-demo/bin/python -m tools.demo_data --split train --videos 60 --out build/demo-train
	cmp build/demo-val/SHA256SUMS baselines/demo/demo-val/SHA256SUMS
	cmp build/demo-train/SHA256SUMS baselines/demo/demo-train/SHA256SUMS

.venv-demo/installed: tools/demo_data/requirements.txt
	$(PYTHON) -m venv .venv-demo
	.venv-demo/bin/pip install -q -r $<
	@touch $@

test: .venv/installed-dev ## Run the fast tests
	$(TESTS) -m 'not slow'

test-all: .venv/installed-dev ## Run all tests
	$(TESTS)

lint: .venv/installed-dev ## Check style, types and the layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## Delete what was generated, but not runs/ and .venv
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -path ./.venv -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
