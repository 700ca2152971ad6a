terraform {
  required_version = ">= 1.9.0"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.2"
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
    "Microsoft.Consumption",
    "Microsoft.ContainerRegistry",
    "Microsoft.ContainerService",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.KubernetesConfiguration",
    "Microsoft.MachineLearningServices",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
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
