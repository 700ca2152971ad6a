# Written by `make outputs-infra` from infra/names/locals.names.tf. Do not edit: tests hold both equal.
CLUSTER := gbj-dmd-dev-aks
ENDPOINT := gbj-dmd-dev-fc
GROUP := gbj-dmd-dev-rg
IDENTITY := gbj-dmd-dev-id
IMAGE_BUILD_COMPUTE := image-build
KUBERNETES_COMPUTE := aks-inference
KUBERNETES_NAMESPACE := demand
SIGNING_KEY := model-signing
SNOWFLAKE_SECRET := snowflake-private-key
STATE_CONTAINER := tfstate
STATE_GROUP := gbj-dmd-dev-tfstate-rg
STATE_KEY := dev.tfstate
TRAINING_COMPUTE := cpu-cluster
WORKSPACE := gbj-dmd-dev-mlw
-include infra/outputs/dev.deployed.mk
