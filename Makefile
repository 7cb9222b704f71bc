# The targets of this project; `make help` lists them.
#
# `make run` and `make test` require only Python 3.11, 3.12 or 3.13, and first create the environment
# .venv. To use an existing environment without changing it: make run VENV=/path/to/environment

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=

# The first supported Python on this machine. To choose another: make run PYTHON=/path/to/python3.12
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' \
	2>/dev/null && { echo $$name; break; }; done)

# Without bytecode files TensorFlow takes twice as long to import.
unexport PYTHONDONTWRITEBYTECODE

ifeq ($(VENV),.venv)
RUN_READY := .venv/.ready-to-run
APP_READY := .venv/.ready-to-serve
DEV_READY := .venv/.ready-to-develop
else
RUN_READY :=
APP_READY :=
DEV_READY :=
endif

.DEFAULT_GOAL := help

.PHONY: help
help:  ## list all targets
	@awk -F ':.*## ' '/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo 'ARGS passes arguments to the command: make run ARGS="--env smoke"'

##@ Run

.PHONY: run
run: $(RUN_READY)  ## run the default pipeline: ingest MNIST, train the networks, write the report
	$(BIN)/kedro run $(ARGS)

.PHONY: app
app: $(APP_READY)  ## classify digits drawn in the browser; first trains a network if none exists
	$(BIN)/python -m mnist_kedro.serving --corrections data/01_raw/corrections $(ARGS)

##@ Visualize

.PHONY: viz
viz: $(DEV_READY)  ## open Kedro-Viz: the pipelines, with previews of their data
	$(BIN)/kedro viz run --include-hooks $(ARGS)

.PHONY: viz-build
viz-build: $(DEV_READY)  ## build Kedro-Viz as a static site in build/, with relative paths
	rm -rf build/lib build/bdist.*
	$(BIN)/kedro viz build --include-hooks --include-previews $(ARGS)
	@# Kedro-Viz writes the absolute paths of datasets, also in the errors of the last run.
	@find build/api -type f -exec sed -i.bak -e 's|$(CURDIR)/||g' -e 's|$(HOME)/|~/|g' {} +
	@find build/api -name '*.bak' -delete

.PHONY: notebook
notebook: $(DEV_READY)  ## open the notebook, which runs the workflow cell by cell
	$(BIN)/jupyter lab notebooks/mnist_classification.ipynb $(ARGS)

##@ Test

.PHONY: lint
lint: $(DEV_READY)  ## check style (ruff) and types (mypy)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

.PHONY: format
format: $(DEV_READY)  ## format the code, and fix style errors that ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: test
test: $(DEV_READY)  ## run the quick tests, or the tests in ARGS
	$(BIN)/python -m pytest $(or $(ARGS),$(PARALLEL) --cov-fail-under=85 -m "not slow")

.PHONY: test-all
test-all: $(DEV_READY)  ## run all tests, including slow tests of environments and crashes
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

##@ Fault injection and benchmarks

.PHONY: fuzz
fuzz: $(DEV_READY)  ## ingest 20,000 corrupt files: none may crash, hang or pass as MNIST
	$(BIN)/python -m tests.reliability.fuzz $(or $(ARGS),--times 20000)

.PHONY: fuzz-pictures
fuzz-pictures: $(DEV_READY)  ## classify 20,000 unusual pictures: each must return digits or an error
	$(BIN)/python -m tests.reliability.pictures $(ARGS)

.PHONY: kill
kill: $(DEV_READY)  ## kill 200 runs at random moments: no data may be lost
	$(BIN)/python -m tests.reliability.kill $(ARGS)

.PHONY: disk-full
disk-full: $(DEV_READY)  ## run 200 times on disks that fill up: no data may be lost; requires root
	unshare --mount $(BIN)/python -m tests.reliability.disk_full $(ARGS)

.PHONY: bench
bench: $(DEV_READY)  ## compare with Keras and PyTorch examples; takes an hour on an idle machine
	$(BIN)/python -m benchmarks $(ARGS)

##@ Environment

.PHONY: install
install: $(DEV_READY)  ## create .venv with all dependencies for use and development

.PHONY: requirements
requirements: $(DEV_READY)  ## recompile requirements*.txt from pyproject.toml
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile $(COMPILE) --extra dev pyproject.toml -o requirements-dev.txt
	$(BIN)/uv pip compile $(COMPILE) --group serving --constraints requirements-dev.txt \
		-o requirements-serving.txt

COMPILE := --quiet --universal --python-version 3.11 --upgrade \
	--no-header --no-emit-index-url --no-emit-find-links

.PHONY: clean
clean:  ## remove .venv, builds and caches; keep data/
	rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache

.venv/.ready-to-run: requirements.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is required, but none was found." \
		"Install one, or set its path: make run PYTHON=/path/to/python3.12" >&2; exit 1; }
	@echo "Creating .venv with $(PYTHON); this takes a few minutes, once."
	test -x .venv/bin/pip || $(PYTHON) -m venv --clear .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile -r requirements.txt
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile \
		--no-deps --no-build-isolation --editable .
	@touch $@

.venv/.ready-to-serve: requirements-serving.txt .venv/.ready-to-run
	@echo "Installing what the web app needs."
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile \
		--constraint requirements-dev.txt -r requirements-serving.txt onnx
	@touch $@

.venv/.ready-to-develop: requirements-dev.txt .venv/.ready-to-run
	@echo "Installing the development dependencies."
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --compile \
		-r requirements-dev.txt
	@touch $@
