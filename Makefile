# Two commands matter: `make book` and `make test`. Nothing needs to be activated.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
LAB    := $(VENV)/.lab
SITE   := _build/html
export PYTHONHASHSEED = 0
# Tests and pages run side by side, so the linear algebra of each needs no second thread.
export OPENBLAS_NUM_THREADS ?= 1

.DEFAULT_GOAL := help
.PHONY: help book links test test-all check notebooks lab serve lock data shape bench measured dist clean
# Training has an environment of its own, so that reading and testing need none of it.
TRAIN := .venv-experiments
PLAN  ?= cpu

help:  ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else "Python 3.11, 3.12 or 3.13 is needed, and $(PYTHON) is %d.%d. Name another one: make PYTHON=python3.12 ..." % v)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

book: $(READY)  ## run the chapters and build the site into _build/html
	$(BIN)/jupyter-book build . --all -W -n --keep-going

links: $(READY)  ## ask every external link of the book whether it is still there
	$(BIN)/jupyter-book build . --all -n --keep-going --builder linkcheck

test: book  ## build the site, then test everything that guards the book
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow"

test-all: book  ## the same, with the slow studies in full
	$(BIN)/python -m pytest -q -n auto --dist loadfile

check: $(READY)  ## the fast loop: lint, types, unit tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not slow and not full" --hypothesis-profile=fast \
	  tests/engine tests/laws tests/topics tests/figures tests/book/test_layers.py scalinglib

notebooks: $(READY)  ## run the chapters and store their reference outputs
	$(BIN)/python -m tools.notebooks -j 2

$(LAB): $(READY) requirements-lab.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-lab.txt
	@touch $@

lab: $(LAB)  ## open the chapters in JupyterLab, whose packages are installed on first use
	cd chapters && ../$(BIN)/jupyter lab

serve: book  ## build the site and serve it on this machine
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory $(SITE) 8000

data: $(READY)  ## write rows, size and hash of each table into its descriptions
	$(BIN)/python -m tools.tables

shape: $(READY)  ## count lines, files and functions, and say what is too large
	$(BIN)/python -m tools.shape

bench: $(READY)  ## measure speed as ratios within one run
	$(BIN)/python -m benchmarks

$(TRAIN)/.ready: experiments/requirements.txt pyproject.toml
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r experiments/requirements.txt
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

measured: $(TRAIN)/.ready  ## train the small models of "A law measured here"; PLAN=smoke is a miniature
	$(TRAIN)/bin/python -m experiments --plan $(PLAN)

dist: $(READY)  ## build the sdist and the wheel into dist, and check them as the index does
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

lock: $(READY)  ## compile every list of requirements, with hashes
	for list in requirements requirements-lab experiments/requirements; do \
	  $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --generate-hashes --python-version 3.11 \
	    --no-header --no-annotate --no-emit-index-url $$list.in --output-file $$list.txt || exit 1; done

clean:  ## remove what was built, but not the environment
	rm -rf _build .pytest_cache .ruff_cache .mypy_cache .hypothesis dist
