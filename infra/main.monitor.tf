resource "azurerm_log_analytics_workspace" "main" {
  name                         = local.names.log
  resource_group_name          = azurerm_resource_group.main.name
  location                     = var.location
  sku                          = "PerGB2018"
  retention_in_days            = var.log_retention_days
  daily_quota_gb               = var.log_daily_quota_gb
  local_authentication_enabled = false
  tags                         = local.tags
}

resource "azurerm_application_insights" "main" {
  name                = local.names.insights
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  workspace_id        = azurerm_log_analytics_workspace.main.id
  application_type    = "web"
  ip_masking_enabled  = true
  tags                = local.tags

  # Azure ML hands its scoring servers only the connection string, so Entra-only ingestion would lose their requests.
  local_authentication_enabled = true
}

# Application Insights makes this alert rule and its mail group by itself. Terraform does not know them, and the
# resource group is not deleted while something unknown is in it: they go first, at a teardown only.
resource "azapi_resource_action" "generated" {
  for_each = {
    alert = "Microsoft.AlertsManagement/smartDetectorAlertRules/Failure Anomalies - ${local.names.insights}"
    group = "Microsoft.Insights/actionGroups/Application Insights Smart Detection"
  }

  type        = each.key == "alert" ? "Microsoft.AlertsManagement/smartDetectorAlertRules@2021-04-01" : "Microsoft.Insights/actionGroups@2023-01-01"
  resource_id = "${azurerm_resource_group.main.id}/providers/${each.value}"
  method      = "DELETE"
  when        = "destroy"

  depends_on = [azurerm_application_insights.main]
}

locals {
  # What each resource sends to Log Analytics. Audit logs of AKS without reads: the full ones are the dearest of all.
  diagnostics = {
    workspace = { target = azurerm_machine_learning_workspace.main.id, groups = ["allLogs"], logs = [], metrics = ["AllMetrics"] }
    vault     = { target = azurerm_key_vault.main.id, groups = ["audit"], logs = [], metrics = [] }
    registry  = { target = azurerm_container_registry.main.id, groups = ["allLogs"], logs = [], metrics = [] }
    blob = {
      target = "${azurerm_storage_account.main.id}/blobServices/default", groups = [], metrics = ["Transaction"]
      logs   = ["StorageRead", "StorageWrite", "StorageDelete"]
    }
    cluster = {
      target = azurerm_kubernetes_cluster.main.id, groups = [], metrics = []
      logs   = ["kube-audit-admin", "guard", "kube-apiserver", "cluster-autoscaler"]
    }
  }
}

resource "azurerm_monitor_diagnostic_setting" "main" {
  for_each = local.diagnostics

  name                           = "to-log-analytics"
  target_resource_id             = each.value.target
  log_analytics_workspace_id     = azurerm_log_analytics_workspace.main.id
  log_analytics_destination_type = each.key == "cluster" ? "Dedicated" : null

  dynamic "enabled_log" {
    for_each = each.value.groups
    content {
      category_group = enabled_log.value
    }
  }
  dynamic "enabled_log" {
    for_each = each.value.logs
    content {
      category = enabled_log.value
    }
  }
  dynamic "enabled_metric" {
    for_each = each.value.metrics
    content {
      category = enabled_metric.value
    }
  }
}

# Container logs and pod inventory of the cluster, which the agent sends with the cluster's identity.
resource "azurerm_monitor_data_collection_rule" "cluster" {
  name                = local.names.rule
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  kind                = "Linux"
  tags                = local.tags

  destinations {
    log_analytics {
      name                  = "logs"
      workspace_resource_id = azurerm_log_analytics_workspace.main.id
    }
  }
  data_flow {
    streams      = local.container_streams
    destinations = ["logs"]
  }
  data_sources {
    extension {
      name           = "containers"
      extension_name = "ContainerInsights"
      streams        = local.container_streams
      extension_json = jsonencode({ dataCollectionSettings = { interval = "1m", namespaceFilteringMode = "Include", namespaces = ["azureml", local.names.kubernetes_namespace], enableContainerLogV2 = true } })
    }
  }
}

locals {
  container_streams = ["Microsoft-ContainerLogV2", "Microsoft-KubeEvents", "Microsoft-KubePodInventory"]
}

resource "azurerm_monitor_data_collection_rule_association" "cluster" {
  # The name that the portal and the CLI use: with another one, switching Container Insights on there doubles the rows.
  name                    = "ContainerInsightsExtension"
  target_resource_id      = azurerm_kubernetes_cluster.main.id
  data_collection_rule_id = azurerm_monitor_data_collection_rule.cluster.id
}
