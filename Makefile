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

ifeq ($(filter $(ENV),local dev prod),)
$(error ENV=$(ENV) is not an environment: give local, dev or prod)
endif

# A mistyped variable would be ignored in silence: what stands on the command line has to be one that a recipe names.
override GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name))))
ifneq ($(GIVEN),)
override UNKNOWN := $(shell awk -v given="$(GIVEN)" -f scripts/unknown_variables.awk Makefile infra/infra.mk infra/outputs/dev.mk)
ifneq ($(UNKNOWN),)
$(error $(UNKNOWN))
endif
endif

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
# The endpoint runs as the identity that Terraform gave the roles of serving, under a name of its environment.
export ENV AZ_ML SERVING_IDENTITY_ID ENDPOINT

help: ## Print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-zA-Z_-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' Makefile infra/infra.mk

##@ Main job

# A run's name is ours, so that its verdict can be asked for on either engine.
run-pipeline: JOB := train-$(shell date -u +%Y%m%d-%H%M%S)-$(shell echo $$$$)
run-pipeline: ready-$(ENV) ## Train: sales to a registered model. SALES=file HOLDOUT_MONTHS=6 GRAIN=store|category|product STRICT=1 ENV=local|dev|prod
	@settings=$$($(PY) -m pipeline start $(JOB) --grain "$(GRAIN)" --set $(RUN_SETTINGS)); $(SETTINGS_AS_ARGUMENTS); \
	$(PY) -m pipeline.submit $(JOB) --then-summary --file ml/pipelines/train.yml --set "$$@"
	@$(PY) -m pipeline summary $(JOB) $(if $(filter 1,$(STRICT)),--strict)

# One setting a line, each an argument of its own, in the words of the bash that macOS brings.
SETTINGS_AS_ARGUMENTS = set --; while IFS= read -r line; do set -- "$$@" "$$line"; done <<<"$$settings"
# Where the local warehouse is, and its password, which never stands in a process argument.
WAREHOUSE = warehouse=$$($(PY) -m warehouse env); eval "$$warehouse";
RUN_SETTINGS = $(if $(HOLDOUT_MONTHS),inputs.holdout_months=$(HOLDOUT_MONTHS)) $(SET)
# What a monthly row stands for; each grain has models, a champion and an endpoint of its own.
GRAIN ?= store

watch: az-$(ENV) $(VENV)/.ready ## Follow a job that was submitted before, to its end. JOB=train-20261201-060000-1
	@test -n "$(JOB)" || { echo "error: which job? make watch JOB=<name>" >&2; exit 2; }
	@$(PY) -m pipeline.submit "$(JOB)" --file ml/pipelines/$(firstword $(subst -, ,$(JOB))).yml --watch

import-data: JOB := import-$(shell date -u +%Y%m%d-%H%M%S)-$(shell echo $$$$)
import-data: $(if $(filter local,$(ENV)),environments,register-assets) $(if $(filter local,$(ENV)),start-warehouse) ## Import: sales from the warehouse to the data asset `sales`
	@$(if $(filter local,$(ENV)),$(WAREHOUSE)) \
	$(PY) -m pipeline.submit $(JOB) --file ml/pipelines/import.yml $(IMPORT_SETTINGS)
	@$(if $(filter local,$(ENV)),cat $(IMPORTED_FROM) > "$$LOCALML_HOME/warehouse/imported")

# What an import follows: what was seeded, and the specs that say how. Where one changed, it is imported anew.
IMPORTED_FROM = "$$LOCALML_HOME/warehouse/seeded.json" $(IMPORT_SPECS)
IMPORT_SPECS ?= $(wildcard ml/data/*.yml) ml/components/ingest.yml ml/pipelines/import.yml

# On Azure the private key comes from the vault of the environment; here the warehouse has a password of its own.
IMPORT_SETTINGS = $(if $(VAULT_URI),--set jobs.import.inputs.vault_url=$(VAULT_URI) inputs.key_name=$(SNOWFLAKE_SECRET))

forecast: JOB := forecast-$(shell date -u +%Y%m%d-%H%M%S)-$(shell echo $$$$)
forecast: ready-$(ENV) $(if $(filter local,$(ENV)),start-warehouse) ## Forecast every store's next months. HORIZON=6 PLAN=file GRAIN=store MODEL_VERSION= FORCE=1
	@settings=$$($(PY) -m pipeline forecast --grain "$(GRAIN)" $(if $(filter 1,$(FORCE)),--force) $(if $(HORIZON),--horizon "$(HORIZON)") $(if $(PLAN),--plan "$(PLAN)") \
	  $(if $(MODEL_VERSION),--model-version "$(MODEL_VERSION)")); $(SETTINGS_AS_ARGUMENTS); \
	$(if $(filter local,$(ENV)),$(WAREHOUSE)) \
	$(PY) -m pipeline.submit $(JOB) --then-summary --file ml/pipelines/forecast.yml --set "$$@" \
	  $(if $(VAULT_URI),jobs.publish.inputs.vault_url=$(VAULT_URI) inputs.key_name=$(SNOWFLAKE_SECRET))
	@$(PY) -m pipeline forecasts $(JOB)

sweep: JOB := sweep-$(shell date -u +%Y%m%d-%H%M%S)-$(shell echo $$$$)
sweep: ready-$(ENV) ## Tune the booster on the training months and say the best settings. TRIALS=16 GRAIN=store SALES=file
	@settings=$$($(PY) -m pipeline sweep --grain "$(GRAIN)" $(if $(TRIALS),--trials "$(TRIALS)") --set $(RUN_SETTINGS)); $(SETTINGS_AS_ARGUMENTS); \
	$(PY) -m pipeline.submit $(JOB) --then-summary --file ml/pipelines/sweep.yml --set "$$@"
	@$(PY) -m pipeline best $(JOB)

verdict: az-$(ENV) $(VENV)/.ready ## Print the last run's verdict as JSON
	@$(PY) -m pipeline verdict

ui: $(VENV)/.ready ## Open MLflow's page with every run and model (local engine)
	@echo "MLflow: http://127.0.0.1:$(UI_PORT) (Ctrl-C ends it)"
	@MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false $(VENV)/bin/mlflow ui --host 127.0.0.1 --workers 1 \
	  --port $(UI_PORT) --backend-store-uri "sqlite:///$$LOCALML_HOME/mlflow.db"

UI_PORT ?= 5000

# Azure ML needs versions that a review has seen. On a laptop the pipeline refers to its components as files, so that
# an edit runs at once; only the environment is registered, since components name it by version.
register-assets: environments ## Register environments and components under their versions
	@printf '%s\0' $(wildcard ml/components/*.yml) | $(SIDE_BY_SIDE) $(AZ_ML) component create --file {} --output none

# A call of az takes seconds, most of them its own start.
SIDE_BY_SIDE := xargs -0 -I {} -P 4
ENVIRONMENTS := $(wildcard ml/environments/*.yml)
REGISTER_ENVIRONMENTS = printf '%s\0' $(ENVIRONMENTS) | $(SIDE_BY_SIDE) $(AZ_ML) environment create --file {} --output none
ifeq ($(ENV),local)
# The state folder may have a blank in its path, which make cannot have in a target: the recipe compares the times.
environments: $(VENV)/.ready
	@noted="$$LOCALML_HOME/.environments"; missing=; \
	for file in $(ENVIRONMENTS) $(wildcard ml/environments/*/*); do [ "$$noted" -nt "$$file" ] || missing=1; done; \
	[ -z "$$missing" ] || { $(REGISTER_ENVIRONMENTS); touch "$$noted"; }
else
environments: az-$(ENV) $(VENV)/.ready
	@$(PY) -m pipeline.extension
	@$(REGISTER_ENVIRONMENTS)
endif

# Asked first by every verb that calls the Azure CLI.
az-local: ;
az-dev az-prod:
	@command -v az >/dev/null || { echo "error: ENV=$(ENV) needs the Azure CLI, and az is not on PATH: make doctor says what to install" >&2; exit 2; }

ready-dev ready-prod: register-assets

# Whatever is missing here: a warehouse with sales in it, and their import.
ready-local: $(VENV)/.ready environments
	@$(if $(SALES),$(MAKE) seed-sales FILE="$(SALES)")
	@[ -f "$$LOCALML_HOME/warehouse/seeded.json" ] || $(MAKE) seed-sales
	@cat $(IMPORTED_FROM) | cmp -s - "$$LOCALML_HOME/warehouse/imported" || $(MAKE) import-data

.PHONY: run-pipeline watch import-data forecast sweep verdict ui register-assets environments ready-local ready-dev ready-prod
.PHONY: az-local az-dev az-prod

##@ Serving

# The inference server's pins clash with ours, so it lives apart, as on Azure ML where it has an image of its own.
setup-serving: .venv-score/.ready

deploy: serving-$(ENV) ## Put the champion behind the endpoint, step by step. GRAIN=store COLOUR= MODEL_VERSION= BATCH=file
	@$(PY) -m rollout deploy --grain "$(GRAIN)" $(if $(MODEL_VERSION),--model-version "$(MODEL_VERSION)") \
	  $(if $(COLOUR),--colour "$(COLOUR)") $(if $(BATCH),--batch "$(BATCH)")

rollback: serving-$(ENV) ## Give all traffic back to the version before
	@$(PY) -m rollout rollback --grain "$(GRAIN)"

status: az-$(ENV) $(VENV)/.ready ## Show the endpoint's deployments: version, share of the traffic, health
	@$(PY) -m rollout status --grain "$(GRAIN)"

predict: az-$(ENV) $(VENV)/.ready ## Ask the live endpoint and say why. STORE=S001 MONTH=2026-12 GRAIN=store FIELDS="Price=4.5 Promotion=true"
	@test -n "$(STORE)" -a -n "$(MONTH)" || { echo "error: which store and month? make predict STORE=S001 MONTH=2026-12" >&2; exit 2; }
	@$(PY) -m predict --grain "$(GRAIN)" --store "$(STORE)" --month "$(MONTH)" $(if $(FIELDS),--set $(FIELDS))

MINUTES ?= 10
RATE ?= 20

# In a state of its own, so that it neither touches the endpoint in use nor registers versions beside the real ones.
soak: .venv-score/.ready environments ## Serve under load through two rollouts and a failed one. MINUTES=10 RATE=20 (local)
	@LOCALML_HOME=$$(scripts/rollout/soak_home.sh); export LOCALML_HOME; trap '$(AZ_ML) _stop' EXIT; \
	$(PY) -m rollout deploy --model-version 1; \
	$(PY) -m rollout.soak --minutes $(MINUTES) --rate $(RATE) --good 2 1 --bad 3

instance-types: az-$(ENV) $(VENV)/.ready ## Apply the pods' sizes to the cluster, once and after each change (ENV=dev|prod)
	@test -n "$(CLUSTER)" || { echo "error: ENV=local has no cluster: make instance-types ENV=dev (or prod)" >&2; exit 2; }
	@$(PY) -m infra.instance_types --name "$(CLUSTER)" --group "$(GROUP)"

serving-local: .venv-score/.ready environments
	@$(AZ_ML) compute attach --file ml/deploy/compute.yml --output none
serving-dev serving-prod: environments

.venv-score/.ready: ml/environments/score/requirements.txt requirements-uv.txt | $(VENV)/.ready
	@echo "Installing the inference server's locked packages into .venv-score"
	@"$(PYTHON)" -m venv .venv-score
ifeq ($(UV),no)
	@.venv-score/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
else
	@$(VENV)/bin/uv pip install -q --python .venv-score/bin/python --require-hashes -r $<
endif
	@touch $@

.PHONY: setup-serving deploy rollback status predict soak instance-types serving-local serving-dev serving-prod

##@ Warehouse and data

start: $(VENV)/.ready ## Your own sales, from an export to a model. FILE=.xlsx|.csv|.parquet YES=1 MAP= DATE_FORMAT= DECIMAL= FREQUENCY= SHEET=
	@[ -n "$(FILE)" ] || { echo "error: which file? make start FILE=sales.xlsx" >&2; exit 2; }
	@sales=$$($(PY) -m ownsales prepare "$(FILE)" --map "$(MAP)" $(if $(DATE_FORMAT),--date-format "$(DATE_FORMAT)") \
	  $(if $(DECIMAL),--decimal "$(DECIMAL)") $(if $(FREQUENCY),--frequency "$(FREQUENCY)") $(if $(SHEET),--sheet "$(SHEET)") \
	  $(if $(filter 1,$(YES)),--yes)); $(MAKE) run-pipeline SALES="$$sales"

sales-query: $(VENV)/.ready ## Print how make start read an export as a query for Snowflake. TABLE=SHOP.PUBLIC.SALES_RAW
	@$(PY) -m ownsales query "$(or $(TABLE),SALES_RAW)"

seed-sales: $(VENV)/.ready ## Fill the local warehouse: generated sales, or FILE=your.csv, .csv.gz, .parquet
	@$(PY) -m warehouse seed $(if $(FILE),--file "$(FILE)")

# The azure-ai-ml that this version of az's ml extension carries; its pins clash with those of the other.
AZ_VERSION ?= 2.44
# Jobs that come in over it read the local warehouse, so it has to be told where that is.
workspace: $(VENV)/.ready .venv-score/.ready .venv-az-$(AZ_VERSION)/.ready start-warehouse ## Serve this machine's engine as an Azure ML workspace for the real SDK and az. PORT= GROUP= NAME= AZ_VERSION=2.44|2.45 (ENV=dev takes its names)
	@$(PY) -m localml compute attach --file ml/deploy/compute.yml --output none
	@$(WAREHOUSE) $(PY) -m workspace start --az .venv-az-$(AZ_VERSION)/bin/python \
	  $(if $(PORT),--port "$(PORT)") $(if $(GROUP),--group "$(GROUP)") $(if $(or $(NAME),$(WORKSPACE)),--name "$(or $(NAME),$(WORKSPACE))")

.venv-az-%/.ready: scripts/workspace/az/locks/az-%.txt requirements-uv.txt | $(VENV)/.ready
	@echo "Installing the locked packages of az ml $* into .venv-az-$*"
	@"$(PYTHON)" -m venv .venv-az-$*
	@$(VENV)/bin/uv pip install -q --python .venv-az-$*/bin/python --require-hashes -r $<
	@touch $@

stop: $(VENV)/.ready ## End the local warehouse, the workspace and the local endpoints' servers, and say which
	@$(PY) -m servers stop

# Other recipes need a server; $(WAREHOUSE) then tells them where it is.
start-warehouse: $(VENV)/.ready
	@$(PY) -m warehouse start

.PHONY: start sales-query seed-sales workspace stop start-warehouse

##@ Checks

# Two workers: the suite starts servers and pipelines of its own, more would only wait for each other.
PYTEST = $(PY) -m pytest -n $(TEST_WORKERS) --dist worksteal
TEST_WORKERS ?= 2

test: $(VENV)/.ready ## Every test, with whole pipelines and servers
	@$(PYTEST) -rs $(TESTS)

test-fast: $(VENV)/.ready ## The tests that need no pipeline and no server, in under a minute
	@$(PYTEST) -m "not slow" $(TESTS)

bench: $(VENV)/.ready ## Measure speed and memory side by side, write bench.json (ONLY=name); about 15 minutes in all
	@$(PY) -m bench $(if $(ONLY),--only $(ONLY))

# Real sales lie beside the checkout or are named: SALES="name=file.parquet other=file.parquet".
results: $(VENV)/.ready ## Measure every candidate on real and generated sales, write docs/results.md. SALES="name=file" (some 15 minutes)
	@$(PY) -m results $(if $(SALES),--sales $(SALES))

.PHONY: test test-fast bench results

# What the work at hand will be merged into. With BASE, `make check` holds versions against it too.
BASE ?=
# YAML that people write; the broken specs of the corpus are wrong on purpose, and fixtures are as a tool wrote them.
YAML_FILES = $(shell git ls-files --cached --others --exclude-standard -- '*.yml' '*.yaml' ':!:tests/specs/broken' ':!:tests/*/fixtures/*')
# Findings read `path:line: message`, whoever made them; the column is dropped.
NO_COLUMN = sed -E 's/^([^: ]+:[0-9]+):[0-9]+: /\1: /'
# The slowest first; they run side by side, and their output is joined in this order.
CHECKS = specs types sql lint format yaml $(if $(BASE),versions)

check: $(VENV)/.ready ## Every check, side by side; findings as path:line: message (BASE=rev adds versions)
	@$(PY) -m checks "$(MAKE)" $(CHECKS)

check-specs: $(VENV)/.ready
	@$(PY) -m speccheck

check-types: $(VENV)/.ready
	@$(VENV)/bin/mypy --no-error-summary

# SQL and connector settings that the local warehouse takes and Snowflake refuses.
check-sql: $(VENV)/.ready
	@$(PY) -m sqlcheck

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

# Without BASE, review and bump take the default branch of origin.
review: $(VENV)/.ready ## Say what merging will do ([BASE=rev] [VERDICT=file] [PLAN=file] [OUTPUT=json])
	@$(PY) -m review report $(if $(BASE),--base "$(BASE)") --output $(or $(OUTPUT),markdown) \
	  $(if $(VERDICT),--verdict "$(VERDICT)") $(if $(PLAN),--plan "$(PLAN)")

bump: $(VENV)/.ready ## Set the versions that changed content needs ([BASE=rev])
	@$(PY) -m review bump $(if $(BASE),--base "$(BASE)")

needs-base: $(VENV)/.ready
	@test -n "$(BASE)" || { echo "error: say what the work is merged into: make $(firstword $(MAKECMDGOALS)) BASE=origin/main" >&2; exit 2; }

# The hooks call make targets, so that nobody keeps two lists of checks. pre-commit is a tool of the user, as git is.
hooks: $(VENV)/.ready ## Run the checks before each commit and push (needs pre-commit on PATH)
	@command -v pre-commit >/dev/null || { echo "error: pre-commit is not on PATH: pipx install pre-commit" >&2; exit 2; }
	@pre-commit install

.PHONY: check $(CHECKS:%=check-%) check-versions fmt review bump needs-base hooks

##@ Set-up

setup: $(VENV)/.ready ## Make the virtual environment from the hashed lock (other verbs call it)

# pip alone can do it (UV=no); a pinned uv is some seven times faster.
$(VENV)/.ready: requirements.lock requirements-uv.txt scripts/quiet_interrupt.py
	@command -v "$(PYTHON)" >/dev/null || \
	  { echo "error: no Python on PATH: install Python 3.11, or make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "error: Python 3.11 is needed, $(PYTHON) is another: make setup PYTHON=/path/to/python3.11" >&2; exit 2; }
	@echo "Installing the locked packages into $(VENV)"
	@"$(PYTHON)" -m venv $(VENV)
ifeq ($(UV),no)
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
else
	@$(PY) -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.txt
	@$(VENV)/bin/uv pip install -q --python $(PY) --require-hashes -r requirements.lock
endif
	@# Our programs run in any folder (`python -m localml`) by this one path file, and nothing else sets PYTHONPATH for them.
	@# Not by an installed package: that would need a build backend in the lock, and its path file would hold for the steps
	@# of a job too (LOCALML_STEP), which must not see more than their own snapshot.
	@echo 'import os, sys; os.environ.get("LOCALML_STEP") or (sys.path.extend(["$(CURDIR)/scripts", "$(CURDIR)/src"]), __import__("quiet_interrupt"))' \
	  > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/localml.pth"
	@touch $@

lock: $(VENV)/.ready ## Pin pyproject.toml's dependencies anew, for the laptop and for the Azure ML image
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --group local --group check --group test \
	  pyproject.toml -o requirements.lock
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header -c requirements.lock \
	  pyproject.toml -o ml/environments/demand/requirements.txt
	$(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header --group score \
	  -o ml/environments/score/requirements.txt
	for version in 2.44 2.45; do $(VENV)/bin/uv pip compile -q --universal --generate-hashes --no-header \
	  scripts/workspace/az/locks/az-$$version.in -o scripts/workspace/az/locks/az-$$version.txt; done
	$(VENV)/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header \
	  scripts/judge/requirements.in -o scripts/judge/requirements.txt

.PHONY: help setup lock

include infra/infra.mk
