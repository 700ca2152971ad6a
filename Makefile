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

##@ Infrastructure

# Asked once, and only by a verb that needs it: the provider takes no subscription from the CLI by itself.
SUBSCRIPTION = $(eval SUBSCRIPTION := $(or $(ARM_SUBSCRIPTION_ID),$(shell az account show --query id --output tsv)))$(SUBSCRIPTION)
TF = ARM_SUBSCRIPTION_ID=$(SUBSCRIPTION) terraform -chdir=infra
TF_PLAN := infra/outputs/$(ENV).tfplan
TF_GUARD = $(PY) -m infra.plan_guard --env $(ENV)
# Addresses that a plan may delete or replace although they are protected; the environment's name for a teardown.
ALLOW ?=
CONFIRM ?=
PURGE ?= no

# Terraform comes from the machine, not from the lock: `make doctor` says what is missing.
infra-ready: $(VENV)/.ready
ifeq ($(ENV),local)
	@echo "error: ENV=local is this machine and has no infrastructure: make $(firstword $(MAKECMDGOALS)) ENV=dev (or prod)" >&2; exit 2
endif
	@command -v terraform >/dev/null || { echo "error: terraform is not on PATH: make doctor says what to install" >&2; exit 2; }

infra-init: infra-ready
	@$(PY) -m infra.names --env $(ENV) --format backend --subscription "$(SUBSCRIPTION)" > infra/outputs/$(ENV).backend.hcl
	@$(TF) init -input=false -reconfigure -backend-config=outputs/$(ENV).backend.hcl > infra/outputs/$(ENV).init.log || \
	  { tail -n 20 infra/outputs/$(ENV).init.log >&2; echo "error: no remote state for $(ENV) yet, or no access to it: make bootstrap-infra ENV=$(ENV)" >&2; exit 1; }

doctor: $(VENV)/.ready ## Say what this machine lacks for Azure, with the fix (ENV=dev|prod asks Azure too)
	@$(PY) -m infra.doctor --env $(ENV)

bootstrap-infra: infra-ready ## Make the storage of Terraform's state, once (ENV=dev|prod)
	@infra/bootstrap.sh $(ENV)

plan-infra: infra-init ## Save a plan and say what it would delete or replace (ENV=dev|prod)
	@$(TF) plan -input=false -var-file=environments/$(ENV).tfvars -out=outputs/$(ENV).tfplan
	@$(TF) show -json outputs/$(ENV).tfplan | $(TF_GUARD) --allow "$(ALLOW)" || \
	  { code=$$?; [ $$code = 3 ] || exit $$code; echo "make deploy-infra would refuse this plan"; }

deploy-infra: infra-ready ## Apply the saved plan, unless the guard refuses it (ENV=dev|prod ALLOW=address)
	@test -f $(TF_PLAN) || { echo "error: no saved plan for $(ENV): make plan-infra ENV=$(ENV), read it, then deploy" >&2; exit 2; }
	@$(TF) show -json outputs/$(ENV).tfplan | $(TF_GUARD) --allow "$(ALLOW)"
	@$(TF) apply -input=false outputs/$(ENV).tfplan
	@rm -f $(TF_PLAN)
	@$(MAKE) outputs-infra ENV=$(ENV)
	@# A make of its own, because it reads what the one above wrote.
	@$(MAKE) attach-infra ENV=$(ENV)

attach-infra: infra-ready ## Namespace, attached cluster, allow-list: what Terraform cannot do (deploy calls it)
	@test -n "$(CLUSTER_ID)" || { echo "error: nothing is known of a deployed $(ENV): make outputs-infra ENV=$(ENV)" >&2; exit 2; }
	@GROUP="$(GROUP)" WORKSPACE="$(WORKSPACE)" CLUSTER="$(CLUSTER)" CLUSTER_ID="$(CLUSTER_ID)" \
	  KUBERNETES_COMPUTE="$(KUBERNETES_COMPUTE)" KUBERNETES_NAMESPACE="$(KUBERNETES_NAMESPACE)" \
	  SERVING_IDENTITY_ID="$(SERVING_IDENTITY_ID)" ALLOWED_IP_RANGES="$(ALLOWED_IP_RANGES)" infra/attach.sh

outputs-infra: infra-init ## Write the names and ids that the other verbs use (ENV=dev|prod)
	@$(TF) output -json | $(PY) -m infra.outputs --env $(ENV) --deployed

destroy-infra: infra-init ## List what goes, ask for the environment's name, destroy (ENV=dev|prod PURGE=yes)
	@$(TF) plan -destroy -input=false -var-file=environments/$(ENV).tfvars -out=outputs/$(ENV).destroy.tfplan \
	  -var=purge_on_destroy=$(if $(filter yes,$(PURGE)),true,false) > infra/outputs/$(ENV).destroy.log || \
	  { tail -n 20 infra/outputs/$(ENV).destroy.log >&2; exit 1; }
	@# The plan goes to a file, because the question reads the terminal.
	@$(TF) show -json outputs/$(ENV).destroy.tfplan > infra/outputs/$(ENV).destroy.tfplan.json
	@$(TF_GUARD) --destroy --plan infra/outputs/$(ENV).destroy.tfplan.json $(if $(CONFIRM),--confirm "$(CONFIRM)")
	@$(TF) apply -input=false outputs/$(ENV).destroy.tfplan
	@rm -f infra/outputs/$(ENV).destroy.* infra/outputs/$(ENV).deployed.mk

# checkov's pins clash with ours, so it lives apart and only here.
.venv-checkov/.ready: infra/requirements-checkov.txt requirements-uv.txt $(VENV)/.ready
	@$(PYTHON) -m venv .venv-checkov
	@$(VENV)/bin/uv pip install -q --python .venv-checkov/bin/python --require-hashes -r infra/requirements-checkov.txt
	@touch $@

test-infra: $(VENV)/.ready .venv-checkov/.ready ## Test Terraform, its tools and its security rules, without Azure
	@.venv-checkov/bin/checkov --config-file infra/.checkov.yml --directory infra
	@$(PY) -m pytest tests/infra -rs

mutate-infra: $(VENV)/.ready ## Break each rule of infra/ in turn and see its test fail (ONLY=words of the rule)
	@cd tests/infra && $(abspath $(PY)) mutations.py $(ONLY)

.PHONY: infra-ready infra-init doctor bootstrap-infra plan-infra deploy-infra attach-infra outputs-infra destroy-infra test-infra mutate-infra

.PHONY: help setup lock
