# Verbs of the infrastructure; the Makefile includes them, and its variables hold here.

##@ Infrastructure

# Asked once, and only by a verb that needs it: the provider takes no subscription from the CLI by itself.
SUBSCRIPTION = $(eval SUBSCRIPTION := $(or $(ARM_SUBSCRIPTION_ID),$(shell ! command -v az >/dev/null || az account show --query id --output tsv)))$(SUBSCRIPTION)
TF = ARM_SUBSCRIPTION_ID=$(SUBSCRIPTION) terraform -chdir=infra
TF_PLAN := infra/outputs/$(ENV).tfplan
TF_GUARD = $(PY) -m infra.plan_guard --env $(ENV)
# Addresses that a plan may delete or replace although they are protected; the environment's name for a teardown.
ALLOW ?=
CONFIRM ?=
# Where an environment comes and goes, its names must be free again; soft delete holds a workspace's for 14 days.
PURGE ?= $(if $(filter dev,$(ENV)),yes,no)

# Terraform comes from the machine, not from the lock: `make doctor` says what is missing.
infra-ready: $(VENV)/.ready
ifeq ($(ENV),local)
	@echo "error: ENV=local is this machine and has no infrastructure: make $(firstword $(MAKECMDGOALS)) ENV=dev (or prod)" >&2; exit 2
endif
	@command -v terraform >/dev/null || { echo "error: terraform is not on PATH: make doctor says what to install" >&2; exit 2; }

# In a pipeline, which must not choose versions by itself. TF_BUILD is set by Azure Pipelines, CI by most others.
infra-lock: infra-ready
ifneq ($(TF_BUILD)$(CI),)
	@test -f infra/.terraform.lock.hcl || { echo "error: infra/.terraform.lock.hcl is missing, so this pipeline would take providers that nobody has seen: make lock-infra where a registry can be reached, commit it" >&2; exit 2; }
endif

infra-init: infra-lock
	@$(PY) -m infra.names --env $(ENV) --format backend --subscription "$(SUBSCRIPTION)" > infra/outputs/$(ENV).backend.hcl
	@$(TF) init -input=false -reconfigure $(if $(TF_BUILD)$(CI),-lockfile=readonly) -backend-config=outputs/$(ENV).backend.hcl > infra/outputs/$(ENV).init.log || \
	  { tail -n 20 infra/outputs/$(ENV).init.log >&2; echo "error: no remote state for $(ENV) yet, or no access to it: make bootstrap-infra ENV=$(ENV)" >&2; exit 1; }

doctor: $(VENV)/.ready ## Say what this machine lacks for Azure, with the fix (ENV=dev|prod asks Azure too)
	@$(PY) -m infra.doctor --env $(ENV)

bootstrap-infra: infra-ready ## Make the storage of Terraform's state, once (ENV=dev|prod)
	@PYTHON="$(PY)" infra/bootstrap.sh $(ENV)

plan-infra: infra-init ## Save a plan and say what it would delete or replace (ENV=dev|prod)
	@$(TF) plan -input=false -var-file=environments/$(ENV).tfvars -out=outputs/$(ENV).tfplan
	@$(TF) show -json outputs/$(ENV).tfplan | $(TF_GUARD) --allow "$(ALLOW)" || \
	  { code=$$?; [ $$code = 3 ] || exit $$code; echo "make deploy-infra would refuse this plan"; }

saved-plan: infra-ready
	@test -f $(TF_PLAN) || { echo "error: no saved plan for $(ENV): make plan-infra ENV=$(ENV), read it, then deploy" >&2; exit 2; }

# init, because the plan may come from another machine: a pipeline plans in one stage and applies in the next.
deploy-infra: saved-plan infra-init ## Apply the saved plan, unless the guard refuses it (ENV=dev|prod ALLOW=address)
	@$(TF) show -json outputs/$(ENV).tfplan | $(TF_GUARD) --allow "$(ALLOW)"
	@$(TF) apply -input=false outputs/$(ENV).tfplan
	@rm -f $(TF_PLAN)
	@$(MAKE) outputs-infra ENV=$(ENV)
	@# A make of its own, because it reads what the one above wrote.
	@$(MAKE) attach-infra ENV=$(ENV)

# The names that Terraform put out, in the environment of the script.
ATTACH = $(foreach name,$(ATTACH_VALUES),$(name)="$($(name))") PYTHON="$(PY)" infra/attach.sh
ATTACH_VALUES := GROUP WORKSPACE CLUSTER CLUSTER_ID KUBERNETES_COMPUTE KUBERNETES_NAMESPACE SERVING_IDENTITY_ID \
  OUTBOUND_FQDNS VAULT SCORING_CERTIFICATE SCORING_SECRET SCORING_HOST EXTENSION_INSTALLED

attach-infra: infra-ready ## Namespace, certificate, attached cluster: what Terraform cannot do (deploy calls it)
	@test -n "$(CLUSTER_ID)" || { echo "error: nothing is known of a deployed $(ENV): make outputs-infra ENV=$(ENV)" >&2; exit 2; }
	@$(ATTACH)

outputs-infra: infra-init ## Write the names and ids that the other verbs use (ENV=dev|prod)
	@$(TF) output -json | $(PY) -m infra.outputs --env $(ENV) --deployed

destroy-infra: infra-init ## List what goes, ask for the environment's name, destroy (ENV=dev|prod PURGE=yes|no)
	@$(TF) plan -destroy -input=false -var-file=environments/$(ENV).tfvars -out=outputs/$(ENV).destroy.tfplan \
	  -var=destroying=true -var=purge_on_destroy=$(if $(filter yes,$(PURGE)),true,false) > infra/outputs/$(ENV).destroy.log || \
	  { tail -n 20 infra/outputs/$(ENV).destroy.log >&2; exit 1; }
	@# The plan goes to a file, because the question reads the terminal.
	@$(TF) show -json outputs/$(ENV).destroy.tfplan > infra/outputs/$(ENV).destroy.tfplan.json
	@$(TF_GUARD) --destroy --plan infra/outputs/$(ENV).destroy.tfplan.json $(if $(CONFIRM),--confirm "$(CONFIRM)")
	@$(TF) apply -input=false outputs/$(ENV).destroy.tfplan
	@rm -f infra/outputs/$(ENV).destroy.* infra/outputs/$(ENV).deployed.mk

# Where a registry can be reached. Every platform that plans or applies stands in it: agents, laptops.
lock-infra: infra-ready ## Write the checksums of Terraform's providers for every platform, to be committed (ENV=dev)
	@$(TF) providers lock -platform=linux_amd64 -platform=darwin_arm64 -platform=windows_amd64

# The certificate is renewed in the vault; this brings it into the cluster.
renew-certificate: infra-ready ## Bring the scoring certificate from the vault into the cluster (ENV=prod)
	@test -n "$(SCORING_CERTIFICATE)" || { echo "error: $(ENV) serves no TLS, or nothing is known of its deployment: make outputs-infra ENV=$(ENV)" >&2; exit 2; }
	@$(ATTACH) --only certificate

# The workspace of this machine (LOCAL_WORKSPACE) has no Terraform behind it.
drift: az-$(ENV) $(if $(or $(filter local,$(ENV)),$(LOCAL_WORKSPACE)),$(VENV)/.ready,infra-init) ## Say where the cloud differs from git; exit 3 if it does (ENV=local|dev|prod)
	@ARM_SUBSCRIPTION_ID="$(if $(or $(filter local,$(ENV)),$(LOCAL_WORKSPACE)),,$(SUBSCRIPTION))" $(PY) -m drift

# checkov's pins clash with ours, so it lives apart and only here.
.venv-checkov/.ready: infra/requirements-checkov.txt requirements-uv.txt $(VENV)/.ready
	@"$(PYTHON)" -m venv .venv-checkov
	@$(VENV)/bin/uv pip install -q --python .venv-checkov/bin/python --require-hashes -r infra/requirements-checkov.txt
	@touch $@

test-infra: $(VENV)/.ready .venv-checkov/.ready ## Test Terraform, its tools and its security rules, without Azure
	@.venv-checkov/bin/checkov --config-file infra/.checkov.yml --directory infra
	@$(PY) -m pytest tests/infra -rs

mutate-infra: $(VENV)/.ready ## Break each rule of infra/ in turn and see its test fail (ONLY=words of the rule)
	@cd tests/infra && "$(abspath $(PY))" mutations.py $(ONLY)

.PHONY: infra-ready infra-lock infra-init saved-plan lock-infra renew-certificate drift doctor bootstrap-infra plan-infra deploy-infra attach-infra outputs-infra destroy-infra test-infra mutate-infra
