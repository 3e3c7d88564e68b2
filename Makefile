# Every target installs what it needs; `make` lists them.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory --warn-undefined-variables

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
GENERATED := generated/deerapi_remix_generated
export PATH := $(CURDIR)/$(BIN):$(PATH)
export PYTHONDONTWRITEBYTECODE := 1

.PHONY: help install client client-check test contract demo mock lint type build lock check clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

install: $(INSTALLED) ## make .venv with everything that development needs

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
	  echo "Python 3.11 or newer is needed, and $(PYTHON) is not. Try: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || {
	  echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt install python3-venv" >&2; exit 1; }
	echo "Installing the development tools into .venv (half a minute, once) ..."
	$(PYTHON) -m venv --clear .venv
	pip() { $(BIN)/python -m pip --disable-pip-version-check --quiet "$$@"; }
	pip install --require-hashes --only-binary=:all: -r requirements-dev.txt && pip install --no-deps --no-build-isolation -e . || {
	  echo "The installation failed: see pip's message above. It needs a package index that pip can reach." >&2; exit 1; }
	touch $@

# Generates from openapi.yaml into the empty folder $(1); a failure leaves everything else untouched.
define generate
rm -rf $(1)
mkdir -p $(dir $(1))
openapi-spec-validator --subschema-errors all openapi.yaml
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
