# Written by `make outputs-infra` from infra/names/locals.names.tf. Do not edit: tests hold both equal.
CLUSTER := gbj-dmd-prod-aks
ENDPOINT := gbj-dmd-prod-fc
GROUP := gbj-dmd-prod-rg
IDENTITY := gbj-dmd-prod-id
IMAGE_BUILD_COMPUTE := image-build
KUBERNETES_COMPUTE := aks-inference
KUBERNETES_NAMESPACE := demand
SIGNING_KEY := model-signing
SNOWFLAKE_SECRET := snowflake-private-key
STATE_CONTAINER := tfstate
STATE_GROUP := gbj-dmd-prod-tfstate-rg
STATE_KEY := prod.tfstate
TRAINING_COMPUTE := cpu-cluster
WORKSPACE := gbj-dmd-prod-mlw
-include infra/outputs/prod.deployed.mk
