# make demo    install into .venv and run the whole benchmark once
# make test    install into .venv and pass everything that CI checks
# make check   the same checks, with the Python that is active
# make rare    the slow tests, which CI runs after `make test`
# make docs    write the pages that are made from the code
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
DEV := $(VENV)/.installed-dev
WORKERS ?= 2

.PHONY: demo test check rare docs clean

demo: $(INSTALLED)
	$(BIN)/magbench run
	@echo
	@echo "Look at runs/revisit-nano: table.md, sheet.png, plots/, and a preview.mp4 in each folder of generations/."

test: $(DEV)
	$(MAKE) check PYTHON=$(BIN)/python

# The tests are shared by WORKERS processes of one thread each, so that they do not fight over a core.
check: export OMP_NUM_THREADS = 1
check:
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m mypy
	$(PYTHON) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"
	$(PYTHON) -m pytest -n $(WORKERS)

rare: export OMP_NUM_THREADS = 1
rare: $(DEV)
	$(BIN)/python -m pytest -m rare -n $(WORKERS)

# Editable, and without what an earlier build left beside the sources, so that no old copy is ever found.
$(INSTALLED): pyproject.toml constraints.txt
	rm -rf build *.egg-info
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(DEV): pyproject.toml constraints.txt
	rm -rf build *.egg-info
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(INSTALLED) $@

# docs/columns.md is made from the specs of the scores.
docs:
	$(PYTHON) -m magbench.report.export.columns_page > docs/columns.md

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache
