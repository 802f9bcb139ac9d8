# The verbs of this repository; CI calls the same ones.
.PHONY: setup fast check test bless bench docs demo lock clean
.DELETE_ON_ERROR:

PYTHON ?= $(firstword $(shell command -v python3.11 python3.12 python3.13 python3 2>/dev/null))
BIN := .venv/bin
READY := .venv/.ready
# Byte code is compiled here once, so that every later start is quick, also where the shell forbids writing it.
COMPILE := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q
PYTEST := $(BIN)/python -m pytest --numprocesses 2

setup: $(READY)  ## the environment, with the command at .venv/bin/modelwright

$(READY): requirements/dev.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	-$(COMPILE) .venv/lib -x 'bad_coding|badsyntax|lib2to3' >/dev/null 2>&1
	$(COMPILE) src
	touch $@

fast: setup  ## the quick tests
	$(PYTEST) -q -m "not slow and not server and not tables"

check: setup  ## format, lint, types, quick tests, doctests, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) -q -m "not slow and not server and not tables" tests
	$(PYTEST) -q --doctest-modules src
	$(BIN)/python docs/build.py --check

test: check  ## everything that CI runs
	$(PYTEST) -q -m "slow or server or tables" tests

bless: setup  ## rewrite the golden files and the printed docs; then read the diff
	$(PYTEST) -q tests/house/test_golden.py --bless
	$(BIN)/python docs/build.py --bless

docs: setup  ## the documentation as a small site in site/
	$(BIN)/python docs/build.py

demo: setup  ## train, predict, evaluate and report on a real table
	$(BIN)/python examples/demo.py demo

bench: setup  ## the sixteen tables at 60 s each (needs ../shared/data)
	$(BIN)/python benchmarks/tables.py

lock:  ## pin versions and hashes anew (needs uv)
	uv pip compile pyproject.toml --extra all --group dev --universal --python-version 3.11 \
		--generate-hashes --no-header --no-emit-index-url --no-emit-find-links --output-file requirements/dev.txt
	$(BIN)/python requirements/serving.py

clean:
	rm -rf .venv site demo .mypy_cache .ruff_cache .pytest_cache
