# Two commands do it all: `make lab` to chat, `make test` to check. Both are safe to run twice.
# A third, `make dev`, is for who changes it.

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
# One process each, side by side, as most of them wait most of the time: what a person does in the
# chat, with the local model and through several servers; what is done in notebooks and kernels, and
# made of texts; a server, also one that ends and begins, with what it keeps and is told; and all
# else. They are meant to take as long each: the first two compute more, as browsers have processes
# of their own that compute at once. What waits most is first.
PAGE := tests/several tests/local_model tests/chat_handlers/local tests/browser
NOTEBOOKS := tests/browser/agent tests/browser/cells tests/browser/notebook tests/magics \
	tests/kernels tests/docs tests/documents tests/markdown
SERVERS := tests/faults tests/bus tests/mcp_servers tests/server tests/store
# A part that does not come to its end, whatever holds it, fails in time to be read.
BOUND := $(if $(shell command -v timeout),timeout --kill-after 60 2400)
# Where the parts that run beside others note which of their tests held an event loop; see `pytest`.
HELD := .held
HELD_TO :=
PYTEST = $(BOUND) $(BIN)/pytest -m "not stress and not timed" $(if $(HELD_TO),--held-to $(HELD_TO)/$@)
# That a part has no test that PYTEST_ARGS chooses (5) is no failure of it.
CHOSEN := $(if $(PYTEST_ARGS),|| [ $$? -eq 5 ])
export PATH := $(BIN):$(PATH)
# Else each process compiles the package anew, and each run all tests.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: lab dev dev-lab dev-types dev-bundle test lint lint-typescript typescript pytest pytest-page pytest-notebooks pytest-servers pytest-rest hub together release-check stress lowest benchmarks protocol rooms behaviours format lock wheel clean

lab: $(STAMPS)/lab ## Start JupyterLab with the chat open and the local model ready.
	$(BIN)/jupyter stop-chat install-local-model
	$(BIN)/jupyter lab $(ROOT_ARGS) --StopChatApp.open_chat=True $(LAB_ARGS)

# Ctrl+C ends all three. What is built goes where JupyterLab reads it: a reload of the page shows it.
dev: $(STAMPS)/dev ## Start JupyterLab; a change of the page is built at once, one in Python starts it anew.
	-$(BIN)/jupyter stop-chat install-local-model
	$(MAKE) --no-print-directory --jobs 3 dev-types dev-bundle dev-lab

dev-types:
	cd labextension && jlpm run watch:types

dev-bundle:
	cd labextension && jlpm run watch:bundle

dev-lab:
	$(BIN)/jupyter lab $(ROOT_ARGS) -y --autoreload --StopChatApp.open_chat=True $(LAB_ARGS)

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

# What a clock decides runs alone, behind the rest; so does again what held an event loop there.
pytest: $(STAMPS)/dev $(STAMPS)/chromium $(STAMPS)/servers $(STAMPS)/kernels
	rm -rf $(HELD) && mkdir -p $(HELD)
	$(MAKE) --no-print-directory --jobs 4 --keep-going --output-sync=target HELD_TO=$(HELD) \
		pytest-page pytest-notebooks pytest-servers pytest-rest
	$(BIN)/pytest -m "timed and not stress" tests/timed $(PYTEST_ARGS) $(CHOSEN)
	cat $(HELD)/pytest-* 2>/dev/null | sort -u > $(HELD)/again
	test ! -s $(HELD)/again || $(BIN)/pytest @$(HELD)/again

pytest-page: $(STAMPS)/dev $(STAMPS)/chromium ## Run the tests of the chat in a browser.
	$(PYTEST) $(PAGE) $(NOTEBOOKS:%=--ignore %) $(PYTEST_ARGS) $(CHOSEN)

pytest-notebooks: $(STAMPS)/dev $(STAMPS)/chromium $(STAMPS)/kernels ## Run the tests in notebooks and kernels.
	$(PYTEST) $(NOTEBOOKS) $(PYTEST_ARGS) $(CHOSEN)

pytest-servers: $(STAMPS)/dev $(STAMPS)/servers ## Run the tests of servers, also of those that end and begin.
	$(PYTEST) $(SERVERS) $(PYTEST_ARGS) $(CHOSEN)

pytest-rest: $(STAMPS)/dev $(STAMPS)/servers ## Run the other tests.
	$(PYTEST) $(patsubst %,--ignore %,$(PAGE) $(NOTEBOOKS) $(SERVERS)) $(PYTEST_ARGS) $(CHOSEN)

hub: $(STAMPS)/hub $(STAMPS)/chromium ## Run the tests behind a real JupyterHub.
	STOP_CHAT_SCREENSHOTS=1 $(BIN)/pytest -m hub tests/hub -s $(PYTEST_ARGS)

together: $(STAMPS)/together $(STAMPS)/chromium ## Run the chat beside other extensions of JupyterLab.
	STOP_CHAT_SCREENSHOTS=1 $(BIN)/pytest -m together tests/together -s $(PYTEST_ARGS)

stress: $(STAMPS)/dev $(STAMPS)/servers $(STAMPS)/kernels ## Run what takes too long for every run.
	$(BIN)/pytest -m "stress or hypothesis" --hypothesis-profile stress --timeout 3600 $(PYTEST_ARGS)

lowest: $(STAMPS)/labextension $(STAMPS)/servers $(STAMPS)/kernels ## Run the server's tests on the lowest versions that are declared.
	sh scripts/make-venv.sh $(PYTHON) .venv-lowest
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 .venv-lowest/bin/pip install --quiet \
		--disable-pip-version-check --constraint requirements/lowest.txt --editable ".[test]"
	.venv-lowest/bin/pytest -m "not stress" --ignore tests/browser $(PYTEST_ARGS)

benchmarks: $(STAMPS)/dev
	for each in benchmarks/bench_*.py; do $(BIN)/python $$each || exit 1; done

# A person's first two days, the states of an agent, and Stop at work, as the pages show them.
.PHONY: pictures
pictures: $(STAMPS)/dev $(STAMPS)/chromium ## Take the pictures of the documentation anew.
	STOP_CHAT_SCREENSHOTS=1 $(BIN)/pytest tests/browser/walk -k "not keyboard" $(PYTEST_ARGS)
	$(BIN)/python scripts/keep_pictures.py

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

# From a clean clone of what is committed. `build` makes the wheel of dist/ from the source
# distribution, as whoever has only that would; the other one is made from the clone.
wheel: $(STAMPS)/release ## Build the wheel and the source distribution.
	rm -rf dist .release/clone .release/direct
	git clone --quiet . .release/clone
	.release/venv/bin/python -m build --outdir dist .release/clone
	.release/venv/bin/python -m build --wheel --outdir .release/direct .release/clone

# To install takes minutes on a slow machine, once for each application.
release-check: wheel $(STAMPS)/dev $(STAMPS)/chromium ## Build what would be released, look at it, and use it.
	.release/venv/bin/twine check --strict dist/*
	.release/venv/bin/check-wheel-contents dist/*.whl
	$(BOUND) $(BIN)/pytest -m wheel --timeout 1800 tests/wheel $(PYTEST_ARGS)

$(STAMPS)/venv: $(CONSTRAINTS)
	sh scripts/make-venv.sh $(PYTHON) $(VENV)
	$(PIP) --upgrade pip jupyter-builder
	mkdir -p $(STAMPS) && touch $@

# JupyterHub and what it starts have an environment of their own, and so has its proxy.
$(STAMPS)/hub: $(STAMPS)/dev requirements/hub.txt tests/hub/proxy/package-lock.json
	sh scripts/make-venv.sh $(PYTHON) .hub/venv
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 .hub/venv/bin/pip install --quiet --disable-pip-version-check \
		--constraint $(CONSTRAINTS) --requirement requirements/hub.txt --editable ".[openai]"
	mkdir -p .hub/proxy && cp tests/hub/proxy/package*.json .hub/proxy/
	cd .hub/proxy && npm ci --no-audit --no-fund
	touch $@

# The other extensions, and ours, have an environment of their own: no constraints, as they have theirs.
$(STAMPS)/together: $(STAMPS)/dev requirements/together.txt
	sh scripts/make-venv.sh $(PYTHON) .together
	.together/bin/pip install --quiet --disable-pip-version-check --requirement requirements/together.txt
	HATCH_JUPYTER_BUILDER_SKIP_NPM=1 .together/bin/pip install --quiet --disable-pip-version-check \
		--requirement requirements/together.txt --editable ".[openai]"
	touch $@

$(STAMPS)/release: requirements/release.txt
	sh scripts/make-venv.sh $(PYTHON) .release/venv
	.release/venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	mkdir -p $(STAMPS) && touch $@

# Kernels beside the newest have an environment of their own; where they are is told by their specs.
$(STAMPS)/kernels: requirements/kernels.txt
	sh scripts/make-venv.sh $(PYTHON) .kernels/venv
	.kernels/venv/bin/pip install --quiet --disable-pip-version-check \
		--requirement requirements/kernels.txt
	.kernels/venv/bin/python -m ipykernel install --prefix .kernels/specs --name ipykernel6
	.kernels/venv/bin/python -m bash_kernel.install --prefix .kernels/specs
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

# No stamp where one is missing: it is said again each time.
$(STAMPS)/servers:
	sh scripts/ensure-servers.sh && mkdir -p $(STAMPS) && touch $@ || test -z "$$STOP_CHAT_TEST_ALL"

clean:
	rm -rf $(VENV) .venv-lowest .hub .together .kernels .release $(STAMPS) $(HELD) dist jupyter_stop_chat/labextension labextension/lib labextension/node_modules
