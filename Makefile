# Everything runs in a virtual environment of the project's own. PYTHON is what it is made with.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: setup demo test test-all lint types bench clean

setup: $(READY)

$(READY): pyproject.toml baselines/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -e baselines
	touch $@

demo: setup
	$(BIN)/outfitrec bench table2-synthetic --jobs 2

test: lint types
	$(BIN)/python -m pytest -m 'not slow'
	$(BIN)/python -m pytest -m 'not slow' baselines/tests

test-all: lint types
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest baselines/tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) runs reports tunings build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
