#!/usr/bin/env bash
# Make what Terraform needs before its first plan: the storage account of the remote state, the resource providers, and
# two identities for pipelines (plan: reads; apply: changes). It may run again at any time; what exists stays as it is. A
# second run after the first deployment adds what needs the environment's own group. Needs: az signed in, as Owner of the
# subscription, or as Contributor and User Access Administrator (no other built-in role may set locks).
# Usage: infra/bootstrap.sh dev|prod      (make bootstrap-infra ENV=dev)
set -euo pipefail

env=${1:-}
case $env in
  dev | prod) ;;
  *) echo "usage: infra/bootstrap.sh dev|prod" >&2; exit 2 ;;
esac

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
region=$(sed -n 's/^location *= *"\(.*\)"/\1/p' "$root/infra/environments/$env.tfvars")
providers=$(sed -n '/resource_providers_to_register/,/]/s/^ *"\([^"]*\)".*/\1/p' "$root/infra/versions.tf")
python=${PYTHON:-$root/.venv/bin/python}
tries=${BOOTSTRAP_TRIES:-60} pause=${BOOTSTRAP_PAUSE:-15}

signed_in=$(az account show --query id --output tsv)
[[ -n $signed_in ]] || { echo "error: az is signed in to no subscription: az login" >&2; exit 2; }
subscription=${ARM_SUBSCRIPTION_ID:-$signed_in}
if [[ $subscription != "$signed_in" ]]; then
  echo "error: ARM_SUBSCRIPTION_ID is $subscription, az works in $signed_in:" \
    "az account set --subscription $subscription" >&2
  exit 2
fi

# Names come from infra/names, as everywhere: KEY=value lines.
names=$("$python" -m infra.names --env "$env" --subscription "$subscription" --format shell)
name() { sed -n "s/^$1=//p" <<<"$names"; }
group=$(name state_group) account=$(name state_account) container=$(name state_container)
echo "state of $env: $account/$container in $group"

# until_true WHAT COMMAND...: run the command until it ends well.
until_true() {
  local what=$1 try
  shift
  for ((try = 1; try <= tries; try++)); do
    "$@" && return
    ((try > 1)) || echo "waiting for $what"
    sleep "$pause"
  done
  echo "error: $what did not come within $((tries * pause / 60)) minutes: run this again later" >&2
  exit 1
}

az group create --name "$group" --location "$region" --tags environment="$env" managed_by=bootstrap --output none

# Entra ID only: no key of this account opens the state. Its public side stays on, because laptops and hosted agents
# plan from anywhere; versions and soft delete bring a broken state back. A policy of the tenant may forbid that.
az storage account create --name "$account" --resource-group "$group" --location "$region" \
  --kind StorageV2 --sku Standard_ZRS --https-only true --min-tls-version TLS1_2 \
  --allow-blob-public-access false --allow-shared-key-access false --output none
az storage account blob-service-properties update --account-name "$account" --resource-group "$group" \
  --enable-versioning true --enable-delete-retention true --delete-retention-days 30 \
  --enable-container-delete-retention true --container-delete-retention-days 30 --output none
az storage container-rm create --name "$container" --storage-account "$account" --resource-group "$group" --output none
account_id=$(az storage account show --name "$account" --resource-group "$group" --query id --output tsv)
state=$account_id/blobServices/default/containers/$container

# grant OBJECT-ID KIND ROLE SCOPE: by object id, which works for guests and without rights in Microsoft Graph.
grant() {
  az role assignment create --assignee-object-id "$1" --assignee-principal-type "$2" --role "$3" --scope "$4" --output none
}

# Whoever runs this may read and write the state; others get the same grant on the container, not on the account.
read -r who kind <<<"$("$python" -m infra.principal)"
grant "$who" "$kind" "Storage Blob Data Contributor" "$state"
readable() {
  az storage blob list --container-name "$container" --account-name "$account" --auth-mode login --num-results 1 \
    --output none 2>/dev/null
}
until_true "the grant on the state to take effect" readable

# Registered here, so that the plan's identity needs no right to register.
for provider in $providers; do
  provider_state=$(az provider show --namespace "$provider" --query registrationState --output tsv)
  [[ $provider_state == Registered ]] || az provider register --namespace "$provider" --wait --output none
done

# Disks of the AKS nodes are encrypted on their hosts. The feature counts only when it is Registered and the provider was
# registered again after that: https://learn.microsoft.com/azure/aks/enable-host-encryption
az feature register --namespace Microsoft.Compute --name EncryptionAtHost --output none
encrypts() {
  [[ $(az feature show --namespace Microsoft.Compute --name EncryptionAtHost \
    --query properties.state --output tsv) == Registered ]]
}
until_true "the feature EncryptionAtHost, some minutes the first time" encrypts
az provider register --namespace Microsoft.Compute --wait --output none

# identity NAME: make a user-assigned identity and print its object id and client id.
identity() {
  az identity create --name "$1" --resource-group "$group" --location "$region" \
    --tags environment="$env" managed_by=bootstrap --query "[principalId, clientId]" --output tsv | tr '\n' ' '
}
plan=$(name identity)-terraform-plan apply=$(name identity)-terraform-apply
read -r plan_object plan_client <<<"$(identity "$plan")"
read -r apply_object apply_client <<<"$(identity "$apply")"

# Plan reads everything and writes the state's lock. Apply changes everything, but hands out no role that could widen its
# own: Owner, User Access Administrator and Role Based Access Control Administrator stay with people.
all=/subscriptions/$subscription
grant "$plan_object" ServicePrincipal "Reader" "$all"
grant "$plan_object" ServicePrincipal "Storage Blob Data Contributor" "$state"
grant "$apply_object" ServicePrincipal "Contributor" "$all"
grant "$apply_object" ServicePrincipal "Storage Blob Data Contributor" "$state"
owners="8e3af657-a8ff-443c-a75c-2fe8c4bcb635, 18d7d88d-d35e-4fb5-a5c3-7773c20a72d9, f58310d9-a9f6-439a-9e8d-f62e7b41a168"
not_owners() {
  echo "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/$1'})) OR" \
    "(@$2[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {$owners}))"
}
az role assignment create --assignee-object-id "$apply_object" --assignee-principal-type ServicePrincipal \
  --role "User Access Administrator" --scope "$all" --condition-version 2.0 \
  --condition "$(not_owners write Request) AND $(not_owners delete Resource)" --output none

# After the first deployment: reading a cluster's resource, the provider also reads its user and admin credentials, which
# Reader may not; and the state's own access log goes where the environment's logs are.
workload=$(name group)
if az monitor log-analytics workspace show --name "$(name log)" --resource-group "$workload" --output none 2>/dev/null; then
  grant "$plan_object" ServicePrincipal "Azure Kubernetes Service Cluster User Role" "$all/resourceGroups/$workload"
  grant "$plan_object" ServicePrincipal "Azure Kubernetes Service Cluster Admin Role" "$all/resourceGroups/$workload"
  az monitor diagnostic-settings create --name state --resource "$account_id/blobServices/default" \
    --workspace "$all/resourceGroups/$workload/providers/Microsoft.OperationalInsights/workspaces/$(name log)" \
    --logs '[{"categoryGroup": "audit", "enabled": true}]' --output none
else
  echo "run this again after the first deployment: it then logs who reads the state, and lets $plan read the cluster"
fi

"$python" -m infra.names --env "$env" --subscription "$subscription" --format backend >"$root/infra/outputs/$env.backend.hcl"
cat <<EOF
identities of the pipelines, for service connections (infra/README.md, "Pipelines"):
  plan   $plan   $plan_client
  apply  $apply  $apply_client
EOF

# The last step, because it needs the most: whoever lacks the right has all the rest by now.
az lock create --name "$account-lock" --lock-type CanNotDelete --resource-group "$group" --resource "$account" \
  --resource-type Microsoft.Storage/storageAccounts --notes "Terraform state of $env" --output none
echo "ready: make plan-infra ENV=$env"
