# Two commands for a fresh machine: `make run` and `make test`. Needs Python 3.11+, make and a way to PyPI.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The home of everything `make run` makes: media, cells, observations, scores, reports.
export BENCH_HOME ?= $(CURDIR)/bench-home

# Compiled at set-up, so that commands start as fast where Python may not write beside its sources.
PACKAGES := harness adapters containers benchmarks reports

# Tests at once: one for each of two cores. More gain little, and make tests of limits less sure.
TEST_WORKERS ?= 2

INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --no-compile --no-deps

.PHONY: run test setup setup-dev lint lock clean

run: setup
	$(BIN)/bench data fetch sample
	$(BIN)/bench run --suite quickstart
	$(BIN)/bench report --suite quickstart

test: lint
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist loadgroup

lint: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy --num-workers $(TEST_WORKERS)

setup: $(VENV)/.ready

setup-dev: $(VENV)/.ready-dev

# face_recognition_models is published as a source archive only; it is pure Python and is built here,
# without isolation, by the locked setuptools. Nothing is compiled. The mode "compat" puts the checkout
# on the path; setuptools' usual finder would cost every process 20 ms.
$(VENV)/.ready: requirements/locked.txt requirements/build.txt requirements/finish.py pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "deid-bench needs Python 3.11 or newer; say which with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 4; }
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --require-hashes -r requirements/build.txt
	$(INSTALL) --no-build-isolation --require-hashes -r requirements/locked.txt
	$(INSTALL) --no-build-isolation --config-settings editable_mode=compat --editable .
	$(BIN)/python requirements/finish.py
	$(BIN)/python -m compileall -q $(PACKAGES) || true
	@touch $@

# What is tested is what runs: the developers' lock holds the versions of the other, and adds to them.
$(VENV)/.ready-dev: $(VENV)/.ready requirements/locked-dev.txt
	$(INSTALL) --no-build-isolation --require-hashes -r requirements/locked-dev.txt
	$(BIN)/python requirements/finish.py
	@touch $@

lock:
	requirements/lock.sh

clean:
	rm -rf $(VENV)
