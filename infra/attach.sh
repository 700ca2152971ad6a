#!/usr/bin/env bash
# The steps after `terraform apply` that no resource of the provider covers: the namespace of the scoring pods, the
# cluster as a compute of the workspace, and the workspace's allow-list (dev). It may run again at any time.
# `make deploy-infra` calls it with the names that `make outputs-infra` wrote.
set -euo pipefail

: "${GROUP:?}" "${WORKSPACE:?}" "${CLUSTER:?}" "${CLUSTER_ID:?}" "${SERVING_IDENTITY_ID:?}"
: "${KUBERNETES_COMPUTE:?}" "${KUBERNETES_NAMESPACE:?}"

# The list is set whole each time. Where it is empty, Terraform has closed the public side altogether.
if [[ -n ${ALLOWED_IP_RANGES:-} ]]; then
  az ml workspace update --name "$WORKSPACE" --resource-group "$GROUP" --network-acls "$ALLOWED_IP_RANGES" --output none
  echo "workspace $WORKSPACE answers $ALLOWED_IP_RANGES and its private endpoint"
fi

# Attaching neither makes nor checks the namespace; jobs and endpoints would fail later. Through the control plane,
# which also reaches a private cluster. apply, not create: a second run changes nothing.
exit_code=$(az aks command invoke --name "$CLUSTER" --resource-group "$GROUP" --query exitCode --output tsv \
  --command "kubectl create namespace $KUBERNETES_NAMESPACE --dry-run=client -o yaml | kubectl apply -f -")
if [[ ${exit_code:-0} != 0 ]]; then
  echo "error: namespace $KUBERNETES_NAMESPACE was not made on $CLUSTER (kubectl ended with $exit_code):" \
    "you need Azure Kubernetes Service RBAC Cluster Admin on it" >&2
  exit 1
fi

attached=$(az ml compute show --name "$KUBERNETES_COMPUTE" --workspace-name "$WORKSPACE" --resource-group "$GROUP" \
  --query resource_id --output tsv 2>/dev/null || true)
lower() { tr '[:upper:]' '[:lower:]' <<<"$1"; }
if [[ $(lower "$attached") == $(lower "$CLUSTER_ID") ]]; then
  echo "compute $KUBERNETES_COMPUTE is attached"
  exit 0
fi
if [[ -n $attached ]]; then
  echo "error: compute $KUBERNETES_COMPUTE of $WORKSPACE belongs to $attached: detach it first," \
    "az ml compute detach --name $KUBERNETES_COMPUTE" >&2
  exit 1
fi
az ml compute attach --type Kubernetes --name "$KUBERNETES_COMPUTE" --workspace-name "$WORKSPACE" \
  --resource-group "$GROUP" --resource-id "$CLUSTER_ID" --namespace "$KUBERNETES_NAMESPACE" \
  --identity-type UserAssigned --user-assigned-identities "$SERVING_IDENTITY_ID" --output none
echo "compute $KUBERNETES_COMPUTE attached to $WORKSPACE"
