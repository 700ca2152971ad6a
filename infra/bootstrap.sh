#!/usr/bin/env bash
# Make what Terraform needs before its first plan: the storage account of the remote state, one per environment.
# It may run again at any time; what exists stays as it is. Needs: az signed in, as Owner of the subscription or as
# Contributor and Role Based Access Control Administrator.
# Usage: infra/bootstrap.sh dev|prod      (make bootstrap-infra ENV=dev)
set -euo pipefail

env=${1:-}
case $env in
  dev | prod) ;;
  *) echo "usage: infra/bootstrap.sh dev|prod" >&2; exit 2 ;;
esac

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
region=$(sed -n 's/^location *= *"\(.*\)"/\1/p' "$root/infra/environments/$env.tfvars")
python=${PYTHON:-$root/.venv/bin/python}
export PYTHONPATH=$root/scripts

subscription=${ARM_SUBSCRIPTION_ID:-$(az account show --query id --output tsv)}
[[ -n $subscription ]] || { echo "error: az is signed in to no subscription: az login" >&2; exit 2; }

# Names come from infra/names, as everywhere: KEY=value lines.
names=$("$python" -m infra.names --env "$env" --subscription "$subscription" --format shell)
name() { sed -n "s/^$1=//p" <<<"$names"; }
group=$(name state_group) account=$(name state_account) container=$(name state_container)
echo "state of $env: $account/$container in $group"

az group create --name "$group" --location "$region" --tags environment="$env" managed_by=bootstrap --output none

# Entra ID only: no key of this account opens the state. Its public side stays on, because laptops and hosted agents
# plan from anywhere; versions and soft delete bring a broken state back.
az storage account create --name "$account" --resource-group "$group" --location "$region" \
  --kind StorageV2 --sku Standard_ZRS --https-only true --min-tls-version TLS1_2 \
  --allow-blob-public-access false --allow-shared-key-access false --output none
az storage account blob-service-properties update --account-name "$account" --resource-group "$group" \
  --enable-versioning true --enable-delete-retention true --delete-retention-days 30 --output none
az storage container-rm create --name "$container" --storage-account "$account" --resource-group "$group" --output none

# Whoever runs this may read and write the state; others get the same grant on the container, not on the account.
who=$(az account show --query user.name --output tsv)
scope=$(az storage account show --name "$account" --resource-group "$group" --query id --output tsv)
az role assignment create --assignee "$who" --role "Storage Blob Data Contributor" \
  --scope "$scope/blobServices/default/containers/$container" --output none

az lock create --name "$account-lock" --lock-type CanNotDelete --resource-group "$group" --resource "$account" \
  --resource-type Microsoft.Storage/storageAccounts --notes "Terraform state of $env" --output none

# Disks of the AKS nodes are encrypted on their hosts. Registering takes some minutes, the first time.
az feature register --namespace Microsoft.Compute --name EncryptionAtHost --output none

"$python" -m infra.names --env "$env" --subscription "$subscription" --format backend >"$root/infra/outputs/$env.backend.hcl"
echo "ready: make plan-infra ENV=$env"
