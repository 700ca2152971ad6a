# Every verb of this repo. `make` alone prints them. ENV=local (the default) runs on this machine with the embedded
# engine and needs no account; ENV=dev and ENV=prod run the same recipes on Azure ML through the Azure CLI.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

ENV ?= local
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := $(VENV)/bin/python

# State of the local engine. Two checkouts, or two values, never meet.
export LOCALML_HOME ?= $(CURDIR)/.localml
# Some images switch bytecode off, which makes every import two to three times slower.
export PYTHONDONTWRITEBYTECODE =

ifeq ($(ENV),local)
AZ_ML := $(PY) -m localml
else
# Group, workspace and the other names come from Terraform's outputs; nobody types one twice.
include infra/outputs/$(ENV).mk
export AZURE_DEFAULTS_GROUP := $(GROUP)
export AZURE_DEFAULTS_WORKSPACE := $(WORKSPACE)
AZ_ML := az ml
endif

help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

##@ Set-up

setup: $(VENV)/.ready ## Make the virtual environment from the hashed lock (other verbs call it)

# pip alone can do it (UV=no); a pinned uv is some seven times faster.
$(VENV)/.ready: requirements.lock requirements-uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Python 3.11 is needed, $(PYTHON) is another: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "Installing the locked packages into $(VENV)"
	@$(PYTHON) -m venv $(VENV)
ifeq ($(UV),no)
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
else
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(VENV)/bin/uv pip install -q --python $(PY) --require-hashes -r requirements.lock
endif
	@# `python -m localml` works in any folder; a step of a job must not see more than its own snapshot.
	@echo 'import os, sys; os.environ.get("LOCALML_STEP") or sys.path.append("$(CURDIR)/scripts")' \
	  > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/localml.pth"
	@touch $@

lock: $(VENV)/.ready ## Pin pyproject.toml's dependencies anew, for the laptop and for the Azure ML image
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --group local --group check --group test \
	  pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header -c requirements.lock \
	  pyproject.toml -o ml/environments/demand/requirements.txt

##@ Checks

# What the work at hand will be merged into. With BASE, `make check` holds versions against it too.
BASE ?=
# YAML that people write; the broken specs of the corpus are wrong on purpose.
YAML_FILES = $(shell git ls-files --cached --others --exclude-standard -- '*.yml' '*.yaml' ':!:tests/specs/broken')
# Findings read `path:line: message`, whoever made them; the column is dropped.
NO_COLUMN = sed -E 's/^([^: ]+:[0-9]+):[0-9]+: /\1: /'
# The slowest first; they run side by side, and their output is joined in this order.
CHECKS = specs types lint format yaml $(if $(BASE),versions)

check: $(VENV)/.ready ## Every check, side by side; findings as path:line: message (BASE=rev adds versions)
	@out=$$(mktemp -d); trap 'rm -rf "$$out"' EXIT; pids=(); status=0; \
	for name in $(CHECKS); do $(MAKE) check-$$name >"$$out/$$name" 2>"$$out/$$name.err" & pids+=($$!); done; \
	for name in $(CHECKS); do \
	  wait "$${pids[0]}" || status=1; pids=("$${pids[@]:1}"); \
	  cat "$$out/$$name"; grep -v '^make' "$$out/$$name.err" >&2 || true; \
	done; exit $$status

check-specs: $(VENV)/.ready
	@$(PY) -m speccheck

check-types: $(VENV)/.ready
	@$(VENV)/bin/mypy --no-error-summary

check-lint: $(VENV)/.ready
	@$(VENV)/bin/ruff check --quiet --output-format concise | $(NO_COLUMN)

check-format: $(VENV)/.ready
	@$(VENV)/bin/ruff format --check --quiet --output-format concise | $(NO_COLUMN)

check-yaml: $(VENV)/.ready
	@$(VENV)/bin/yamllint --strict --format parsable $(YAML_FILES) | $(NO_COLUMN)

check-versions: needs-base
	@$(PY) -m review guard --base "$(BASE)"

fmt: $(VENV)/.ready ## Format specs (key order, one flag a line) and Python
	@$(PY) -m specfmt
	@$(VENV)/bin/ruff check --quiet --fix-only
	@$(VENV)/bin/ruff format --quiet

review: needs-base ## Say what merging will do (BASE=rev [VERDICT=file] [PLAN=file] [OUTPUT=json])
	@$(PY) -m review report --base "$(BASE)" --output $(or $(OUTPUT),markdown) \
	  $(if $(VERDICT),--verdict "$(VERDICT)") $(if $(PLAN),--plan "$(PLAN)")

bump: needs-base ## Set the versions that changed content needs (BASE=rev)
	@$(PY) -m review bump --base "$(BASE)"

needs-base: $(VENV)/.ready
	@test -n "$(BASE)" || { echo "error: say what the work is merged into: make $(firstword $(MAKECMDGOALS)) BASE=origin/main" >&2; exit 2; }

# The hooks call make targets, so that nobody keeps two lists of checks. pre-commit is a tool of the user, as git is.
hooks: $(VENV)/.ready ## Run the checks before each commit and push (needs pre-commit on PATH)
	@command -v pre-commit >/dev/null || { echo "error: pre-commit is not on PATH: pipx install pre-commit" >&2; exit 2; }
	@pre-commit install

.PHONY: check $(CHECKS:%=check-%) check-versions fmt review bump needs-base hooks

##@ Infrastructure

.PHONY: help setup lock
