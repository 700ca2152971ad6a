# Every verb of this repo, `make` alone prints them. Each is one call of ./demand, which does the work; `make VERB
# NAME=value` is `./demand VERB --name value`. ENV=local (the default) runs on this machine with the embedded engine and
# needs no account; ENV=dev and ENV=prod run the same verbs on Azure ML through the Azure CLI.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Make exports what stands on its command line; these say which of its variables that is, and for which verbs.
export DEMAND_GIVEN := $(strip $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name))))
export DEMAND_GOALS := $(MAKECMDGOALS)

MAIN_JOB := run-pipeline estimate watch job-state cancel import-data forecast monitor schedules run-due replay \
  simulate-year sweep verdict open ui register-assets ready environments
SERVING := deploy rollback status predict load soak instance-types setup-serving verify-model export-model promote \
  signing-key
DATA := start sales-query seed-sales workspace stop start-warehouse
CHECKS := test test-fast bench results docs pictures check fmt review bump hooks \
  check-specs check-types check-sql check-lint check-format check-yaml check-versions
AUTOMATION := ci bootstrap-devops agent-tools comment release-notes scan-secrets audit sbom canary
INFRASTRUCTURE := bootstrap-infra plan-infra deploy-infra attach-infra outputs-infra destroy-infra lock-infra \
  renew-certificate drift test-infra mutate-infra
SET_UP := ml setup doctor clean rename lock help

VERBS := $(MAIN_JOB) $(SERVING) $(DATA) $(CHECKS) $(AUTOMATION) $(INFRASTRUCTURE) $(SET_UP)

.PHONY: $(VERBS)
$(VERBS):
	@./demand $@ --from-make

# A mistyped verb is answered by the program, which knows what was meant.
.DEFAULT:
	@./demand $@ --from-make
