# Two commands do it all: `make lab` to chat, `make test` to check. Both are safe to run twice.

PYTHON ?= python3
VENV ?= .venv
BIN := $(CURDIR)/$(VENV)/bin
STAMPS := .stamps
CONSTRAINTS := requirements/constraints.txt
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint $(CONSTRAINTS)
# The labextension is built by its own rule; pip must not build it a second time.
EDITABLE := HATCH_JUPYTER_BUILDER_SKIP_NPM=1 $(PIP) --editable
LABEXTENSION := $(shell git ls-files labextension 2>/dev/null)
ROOT_ARGS := $(if $(filter 0,$(shell id -u)),--allow-root)
LAB_ARGS ?=
PYTEST_ARGS ?=
# What a person or a kernel would do goes on beside all else: one process for each.
PAGE := tests/browser tests/magics
PYTEST := $(BIN)/pytest -m "not stress and not timed"
# That a part has no test that PYTEST_ARGS chooses (5) is no failure of it.
CHOSEN := $(if $(PYTEST_ARGS),|| [ $$? -eq 5 ])
export PATH := $(BIN):$(PATH)
# Else each process compiles the package anew, and each run all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: lab test lint lint-typescript typescript pytest pytest-page pytest-rest stress lowest benchmarks protocol rooms behaviours format lock wheel clean

lab: $(STAMPS)/lab ## Start JupyterLab with the chat open and the local model ready.
	$(BIN)/jupyter stop-chat install-local-model
	$(BIN)/jupyter lab $(ROOT_ARGS) --StopChatApp.open_chat=True $(LAB_ARGS)

test: lint typescript pytest ## Run everything that must pass.

lint: lint-typescript
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lint-typescript: $(STAMPS)/dev
	cd labextension && jlpm run lint:check

typescript: lint-typescript
	cd labextension && jlpm run test

# What a clock decides runs alone, behind the rest.
pytest: $(STAMPS)/dev $(STAMPS)/chromium
	$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target pytest-page pytest-rest
	$(BIN)/pytest -m "timed and not stress" tests/timed $(PYTEST_ARGS) $(CHOSEN)

pytest-page: $(STAMPS)/dev $(STAMPS)/chromium ## Run the tests in a browser and in kernels.
	$(PYTEST) $(PAGE) $(PYTEST_ARGS) $(CHOSEN)

pytest-rest: $(STAMPS)/dev ## Run the other tests.
	$(PYTEST) $(PAGE:%=--ignore %) $(PYTEST_ARGS) $(CHOSEN)

stress: $(STAMPS)/dev ## Run what takes too long for every run.
	$(BIN)/pytest -m "stress or hypothesis" --hypothesis-profile stress --timeout 3600 $(PYTEST_ARGS)

lowest: $(STAMPS)/labextension ## Run the server's tests on the lowest versions that are declared.
	sh scripts/make-venv.sh $(PYTHON) .venv-lowest
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 .venv-lowest/bin/pip install --quiet \
		--disable-pip-version-check --constraint requirements/lowest.txt --editable ".[test]"
	.venv-lowest/bin/pytest -m "not stress" --ignore tests/browser $(PYTEST_ARGS)

benchmarks: $(STAMPS)/dev
	for each in benchmarks/bench_*.py; do $(BIN)/python $$each || exit 1; done

# The stations of a person's first two days, of which docs/pictures.md shows some.
pictures: $(STAMPS)/dev $(STAMPS)/chromium ## Take the pictures of the documentation anew.
	STOP_CHAT_SCREENSHOTS=1 $(BIN)/pytest tests/browser/walk -k mouse $(PYTEST_ARGS)
	for each in docs/images/walk-*.png; do cp artifacts/screenshots/$$(basename $$each) $$each; done

protocol: $(STAMPS)/dev ## Write the frames' TypeScript types anew.
	$(BIN)/python scripts/generate_protocol.py

rooms: $(STAMPS)/dev ## Draw the rooms from the imports anew.
	$(BIN)/python scripts/generate_rooms.py

behaviours: $(STAMPS)/dev ## Note which tests prove which behaviour.
	$(BIN)/python scripts/behaviours.py

format: $(STAMPS)/dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(STAMPS)/dev ## Note the versions that are installed.
	$(BIN)/python scripts/lock.py > $(CONSTRAINTS)

wheel: $(STAMPS)/labextension ## Build the wheel and the source distribution.
	$(PIP) build
	$(BIN)/python -m build --outdir dist .

$(STAMPS)/venv: $(CONSTRAINTS)
	sh scripts/make-venv.sh $(PYTHON) $(VENV)
	$(PIP) --upgrade pip jupyter-builder
	mkdir -p $(STAMPS) && touch $@

# The built folder goes first: a stale bundle must never be shipped.
$(STAMPS)/labextension: $(STAMPS)/venv $(LABEXTENSION)
	rm -rf jupyter_stop_chat/labextension labextension/lib labextension/tsconfig.tsbuildinfo
	cd labextension && jlpm install --immutable && jlpm run build:prod
	touch $@

$(STAMPS)/lab: $(STAMPS)/labextension pyproject.toml
	$(EDITABLE) ".[local]"
	touch $@

$(STAMPS)/dev: $(STAMPS)/labextension pyproject.toml
	$(EDITABLE) ".[dev]"
	touch $@ $(STAMPS)/lab

$(STAMPS)/chromium: $(STAMPS)/dev
	sh scripts/ensure-chromium.sh $(BIN)
	touch $@

clean:
	rm -rf $(VENV) .venv-lowest $(STAMPS) dist jupyter_stop_chat/labextension labextension/lib labextension/node_modules
