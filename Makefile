# The words of this project; `make help` lists them.
#
# `make run` and `make test` need nothing but Python 3.11, 3.12 or 3.13: they make an environment in
# .venv first. To use an environment of your own as it is: make run VENV=/path/to/it

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

# The first supported Python of the machine; or say which: make run PYTHON=/path/to/python3.12
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && { echo $$name; break; }; done)

# Without byte-code TensorFlow takes twice as long to import.
unexport PYTHONDONTWRITEBYTECODE

ifeq ($(VENV),.venv)
RUN_READY := .venv/.ready-to-run
DEV_READY := .venv/.ready-to-develop
else
RUN_READY :=
DEV_READY :=
endif

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list these words
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo '  ARGS reach the command: make run ARGS="--env smoke"'

.PHONY: run
run: $(RUN_READY)  ## MNIST to a trained, evaluated and plotted CNN; sets everything up first
	$(BIN)/kedro run $(ARGS)

.PHONY: test
test: $(DEV_READY)  ## run the quick tests, or those in ARGS; sets everything up first
	$(BIN)/python -m pytest $(or $(ARGS),$(PARALLEL) --cov-fail-under=85 -m "not slow")

.PHONY: test-all
test-all: $(DEV_READY)  ## run all tests, with those of environments and crashes
	$(BIN)/python -m pytest $(PARALLEL) --cov-fail-under=90 $(ARGS)

.PHONY: test-lowest
test-lowest: $(DEV_READY)  ## lint, run and test with the lowest versions that pyproject.toml allows
	$(BIN)/uv venv --quiet --clear --seed --python $(BIN)/python $(LOWEST)
	$(BIN)/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct \
		--editable ".[dev]"
	$(MAKE) lint VENV=$(LOWEST)
	$(LOWEST)/bin/kedro run --env smoke
	$(LOWEST)/bin/python -m pytest $(or $(ARGS),$(PARALLEL) -m "not slow")

LOWEST := build/lowest
PARALLEL := --numprocesses=auto --maxprocesses=4 --dist=loadfile --no-loadscope-reorder --cov

.PHONY: fuzz
fuzz: $(DEV_READY)  ## ingest 20,000 damaged files: nothing crashes, hangs or passes for MNIST
	$(BIN)/python -m tests.reliability.fuzz $(or $(ARGS),--times 20000)

.PHONY: kill
kill: $(DEV_READY)  ## kill 200 runs at random moments: nothing is lost
	$(BIN)/python -m tests.reliability.kill $(ARGS)

.PHONY: disk-full
disk-full: $(DEV_READY)  ## fill the disk of 200 runs at random sizes: nothing is lost; needs root
	unshare --mount $(BIN)/python -m tests.reliability.disk_full $(ARGS)

.PHONY: bench
bench: $(DEV_READY)  ## this project beside what one would use instead; an hour, on a quiet machine
	$(BIN)/python -m benchmarks $(ARGS)

.PHONY: lint
lint: $(DEV_READY)  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: $(DEV_READY)  ## mend what can be mended of style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: app
app: $(DEV_READY)  ## draw digits in the browser and see them read; trains a model first if need be
	$(BIN)/python -m mnist_kedro.serving $(ARGS)

.PHONY: viz
viz: $(DEV_READY)  ## look at the pipelines and their data in the browser
	$(BIN)/kedro viz run --include-hooks $(ARGS)

.PHONY: viz-build
viz-build: $(DEV_READY)  ## the same as a static site, in build/
	$(BIN)/kedro viz build --include-hooks --include-previews $(ARGS)

.PHONY: notebook
notebook: $(DEV_READY)  ## the workflow, cell by cell
	$(BIN)/jupyter lab notebooks/mnist_classification.ipynb $(ARGS)

.PHONY: install
install: $(DEV_READY)  ## make .venv with everything for use and development

.PHONY: requirements
requirements: $(DEV_READY)  ## compile requirements*.txt from pyproject.toml anew
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(COMPILE) --extra dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile $(COMPILE) --group serving --constraints requirements-dev.txt \
		-o requirements-serving.txt

COMPILE := --quiet --universal --python-version 3.11 --upgrade \
	--no-header --no-emit-index-url --no-emit-find-links

.PHONY: clean
clean:  ## remove the environment and what was built; data/ stays
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache

.venv/.ready-to-run: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed and none was found." \
		"Install one, or name it: make run PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Setting up .venv with $(PYTHON): some minutes, once."
	test -x .venv/bin/pip || $(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile -r requirements.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile \
		--no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-to-develop: requirements-dev.txt .venv/.ready-to-run
	@echo "Adding the tools of development."
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile \
		-r requirements-dev.txt
	@touch $@
