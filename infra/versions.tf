terraform {
  # From 1.11.2 on the backend signs in with a pipeline's own token (CHANGELOG, #36458): no stored secret.
  required_version = ">= 1.11.2"

  # Exact, because no lock file with the registry's checksums is committed yet (README.md, first deployment).
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "5.2.0"
    }
    # For what azurerm has no argument for: outbound rules in one order, the firewall's tier, the workspace's allow-list,
    # the agents' pool.
    azapi = {
      source  = "azure/azapi"
      version = "2.7.0"
    }
    # Waits until Azure knows a grant everywhere.
    time = {
      source  = "hashicorp/time"
      version = "0.13.1"
    }
  }

  # Group, account, container and key come from outputs/<environment>.backend.hcl, which bootstrap.sh writes.
  backend "azurerm" {
    use_azuread_auth = true
  }
}

provider "azurerm" {
  # Subscription, tenant and credentials come from `az login` or from the ARM_* variables.
  # The account has no shared keys: what touches blobs does it with Entra ID.
  storage_use_azuread             = true
  resource_provider_registrations = "none"
  resource_providers_to_register = [
    "Microsoft.AlertsManagement",
    "Microsoft.Authorization",
    "Microsoft.Compute", # nodes of AKS
    "Microsoft.Consumption",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.DevCenter", # the project that a pool of agents stands in
    "Microsoft.DevOpsInfrastructure",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.OperationsManagement", # Container Insights
    "Microsoft.PolicyInsights",       # the Azure Policy add-on of AKS
    "Microsoft.Storage",
  ]

  features {
    key_vault {
      # The vault has purge protection, so its name can only be recovered, never freed.
      purge_soft_delete_on_destroy    = false
      recover_soft_deleted_key_vaults = true
    }
    machine_learning {
      purge_soft_deleted_workspace_on_destroy = var.purge_on_destroy
    }
    log_analytics_workspace {
      permanently_delete_on_destroy = var.purge_on_destroy
    }
    resource_group {
      prevent_deletion_if_contains_resources = true
    }
  }
}

# Signs in as azurerm does. In Azure Pipelines it wants the service connection's id as
# ARM_OIDC_AZURE_SERVICE_CONNECTION_ID, a name that azurerm reads too.
provider "azapi" {}
