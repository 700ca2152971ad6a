# Default storage of the workspace: data, job outputs, models. Entra ID is the only way in.
resource "azurerm_storage_account" "main" {
  #checkov:skip=CKV_AZURE_59:Off in prod and allow-listed in dev; tests/prod.tftest.hcl and tests/dev.tftest.hcl hold it
  #checkov:skip=CKV_AZURE_206:A validation refuses LRS in prod; dev holds copies only
  #checkov:skip=CKV_AZURE_43:The name is computed; tests/names.tftest.hcl holds the rules at their limits
  #checkov:skip=CKV_AZURE_33:No queue is used
  #checkov:skip=CKV2_AZURE_33:main.endpoints.tf makes it in a for_each that checkov does not follow; a test holds it
  #checkov:skip=CKV2_AZURE_1:Platform keys and infrastructure encryption; a key of our own would be one more thing to lose
  name                = local.names.storage
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  tags                = local.tags

  account_kind                      = "StorageV2"
  account_tier                      = "Standard"
  account_replication_type          = var.storage_replication
  infrastructure_encryption_enabled = true

  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  local_user_enabled               = false
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false
  https_traffic_only_enabled       = true
  min_tls_version                  = "TLS1_2"
  allowed_copy_scope               = "AAD"
  public_network_access_enabled    = local.public

  blob_properties {
    versioning_enabled       = true
    change_feed_enabled      = true
    last_access_time_enabled = true

    # Azure ML writes this rule for its studio when the workspace is made; without it here each later plan would take
    # it away.
    cors_rule {
      allowed_origins    = local.studio_origins
      allowed_methods    = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "POST", "PATCH"]
      allowed_headers    = ["*"]
      exposed_headers    = ["*"]
      max_age_in_seconds = 1800
    }

    delete_retention_policy {
      days = var.soft_delete_days
    }
    container_delete_retention_policy {
      days = var.soft_delete_days
    }
  }

  share_properties {
    retention_policy {
      days = var.soft_delete_days
    }
  }

  network_rules {
    default_action = "Deny"
    # The workspace and diagnostics are trusted services; nobody else passes.
    bypass   = ["AzureServices"]
    ip_rules = local.ip_rules
  }
}

locals {
  studio_origins = [
    "https://mlworkspace.azure.ai", "https://ml.azure.com", "https://*.ml.azure.com", "https://ai.azure.com", "https://*.ai.azure.com",
  ]
}

resource "azurerm_storage_container" "main" {
  #checkov:skip=CKV2_AZURE_21:main.monitor.tf logs reads, writes and deletions of the account in a for_each; a test holds it
  # sales: files that reach the platform without Snowflake. forecasts: what planners fetch.
  for_each = toset(["sales", "forecasts"])

  name                  = each.key
  storage_account_id    = azurerm_storage_account.main.id
  container_access_type = "private"
}

resource "azurerm_storage_management_policy" "main" {
  storage_account_id = azurerm_storage_account.main.id

  rule {
    name    = "old-versions"
    enabled = true
    filters {
      blob_types = ["blockBlob"]
    }
    actions {
      snapshot {
        delete_after_days_since_creation_greater_than = var.version_days
      }
      version {
        delete_after_days_since_creation = var.version_days
      }
    }
  }

  # Logs and figures of every run, also of a registered model's. The model's files and card are elsewhere
  # (azureml-blobstore-*) and stay.
  rule {
    name    = "job-logs"
    enabled = true
    filters {
      blob_types   = ["blockBlob", "appendBlob"]
      prefix_match = ["azureml/ExperimentRun/"]
    }
    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = var.job_log_days
      }
    }
  }

  # What the endpoint was asked and answered; the local engine keeps it as long (ml/deploy/collected.yml).
  rule {
    name    = "collected"
    enabled = true
    filters {
      blob_types   = ["blockBlob", "appendBlob"]
      prefix_match = ["azureml-blobstore-${azurerm_machine_learning_workspace.main.workspace_id}/modelDataCollector/"]
    }
    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = var.collected_days
      }
    }
  }

  rule {
    name    = "cold-data"
    enabled = true
    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["sales/", "forecasts/"]
    }
    actions {
      base_blob {
        tier_to_cool_after_days_since_last_access_time_greater_than = 60
      }
    }
  }
}
