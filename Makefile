# Every target installs what it needs into .venv.
#   make demo       train a CNN on real heartbeats and report on it
#   make test       run all tests
#   make lint       check style and format
#   make typecheck  check types
#   make docs       build the documentation into docs/_build/html
#   make site       build the documentation and check its external links
#   make dist       build the distributions into dist and check them

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint format typecheck docs site dist clean
.DEFAULT_GOAL := test

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

# One stamp file for each set of optional dependencies.
$(VENV)/installed-%: pyproject.toml constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[$*]'
	touch $@

demo: $(VENV)/installed
	$(BIN)/python examples/quickstart.py

# Neighbouring tests share fixtures, so each process gets one half of them.
test: $(VENV)/installed-test
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal

lint: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(VENV)/installed-test
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

typecheck: $(VENV)/installed-test
	$(BIN)/mypy

docs: $(VENV)/installed-docs $(VENV)/installed-test
	$(BIN)/sphinx-build -E -W --keep-going -b html docs docs/_build/html
	$(BIN)/python -m pytest tests/test_docs_site.py

site: docs
	$(BIN)/sphinx-build -W --keep-going -b linkcheck -D plot_gallery=0 docs docs/_build/links

dist: $(VENV)/installed-release
	rm -rf dist
	$(BIN)/python -m build
	$(BIN)/twine check --strict dist/*

clean:
	rm -rf $(VENV) build dist docs/_build docs/gallery docs/api/generated ecgclf-demo
