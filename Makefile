# Everything runs in a virtual environment of the project's own. PYTHON is what it is made with.
PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: setup demo test test-all lint types bench docs clean

setup: $(READY)

$(READY): pyproject.toml baselines/pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]' -e baselines
	touch $@

demo: setup
	$(BIN)/outfitrec bench table2-synthetic --jobs 2

# A process a core, of one thread each: threads that wait for one another starve those of other tests.
PYTEST = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

test: lint types
	$(PYTEST) -m 'not slow'
	$(PYTEST) -m 'not slow' baselines/tests

test-all: lint types
	$(PYTEST)
	$(PYTEST) baselines/tests

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

bench: setup
	$(BIN)/python -m benchmarks

docs: setup
	OUTFITREC_ALLOW=outfitrec-baselines NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

clean:
	rm -rf $(VENV) runs reports tunings site build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
