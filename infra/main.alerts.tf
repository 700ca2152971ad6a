resource "azurerm_monitor_action_group" "main" {
  name                = local.names.alerts
  resource_group_name = azurerm_resource_group.main.name
  short_name          = substr("${var.project}-${var.environment}", 0, 12)
  tags                = local.tags

  dynamic "email_receiver" {
    for_each = var.alert_emails
    content {
      name                    = "mail-${email_receiver.key}"
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

locals {
  ml_metrics      = { scope = azurerm_machine_learning_workspace.main.id, namespace = "Microsoft.MachineLearningServices/workspaces" }
  node_metrics    = { scope = azurerm_kubernetes_cluster.main.id, namespace = "Microsoft.ContainerService/managedClusters" }
  vault_metrics   = { scope = azurerm_key_vault.main.id, namespace = "Microsoft.KeyVault/vaults" }
  storage_metrics = { scope = azurerm_storage_account.main.id, namespace = "Microsoft.Storage/storageAccounts" }

  # The five of Azure ML and the two on availability are those of the Azure Monitor baseline alerts; `of` splits a metric,
  # so that one full node of six is seen.
  metric_alerts = {
    failed-jobs = {
      on    = local.ml_metrics, metric = "Failed Runs", aggregation = "Total", threshold = 0, severity = 2, window = "PT1H", every = "PT15M"
      text  = "A job of the workspace failed in the last hour."
      below = false, of = null
    }
    failed-deployments = {
      on    = local.ml_metrics, metric = "Model Deploy Failed", aggregation = "Total", threshold = 0, severity = 2, window = "PT1H", every = "PT15M"
      text  = "A deployment of a model failed in the last hour."
      below = false, of = null
    }
    silent-jobs = {
      on    = local.ml_metrics, metric = "Not Responding Runs", aggregation = "Total", threshold = 0, severity = 2, window = "PT1H", every = "PT15M"
      text  = "A job no longer answers."
      below = false, of = null
    }
    unusable-nodes = {
      on    = local.ml_metrics, metric = "Unusable Nodes", aggregation = "Total", threshold = 0, severity = 3, window = "PT1H", every = "PT15M"
      text  = "A node of the workspace's computes cannot be used."
      below = false, of = null
    }
    compute-quota = {
      on    = local.ml_metrics, metric = "Quota Utilization Percentage", aggregation = "Average", threshold = 90, severity = 3, window = "PT1H", every = "PT15M"
      text  = "More than 90 % of the workspace's cores are in use: further jobs wait."
      below = false, of = null
    }
    node-cpu = {
      on    = local.node_metrics, metric = "node_cpu_usage_percentage", aggregation = "Average", threshold = 85, severity = 3, window = "PT15M", every = "PT5M"
      text  = "A node is above 85 % CPU: is the user pool at its maximum?"
      below = false, of = "node"
    }
    node-memory = {
      on    = local.node_metrics, metric = "node_memory_working_set_percentage", aggregation = "Average", threshold = 85, severity = 2, window = "PT15M", every = "PT5M"
      text  = "A node is above 85 % memory: pods will be evicted."
      below = false, of = "node"
    }
    node-disk = {
      on    = local.node_metrics, metric = "node_disk_usage_percentage", aggregation = "Average", threshold = 80, severity = 2, window = "PT15M", every = "PT5M"
      text  = "A node's disk is above 80 %: images will be removed, then pods."
      below = false, of = "node"
    }
    vault-availability = {
      on    = local.vault_metrics, metric = "Availability", aggregation = "Average", threshold = 90, severity = 1, window = "PT5M", every = "PT5M"
      text  = "The vault answers fewer than 90 % of its requests: imports and deployments will fail."
      below = true, of = null
    }
    storage-availability = {
      on    = local.storage_metrics, metric = "Availability", aggregation = "Average", threshold = 90, severity = 1, window = "PT5M", every = "PT5M"
      text  = "The storage account answers fewer than 90 % of its requests: jobs will fail."
      below = true, of = null
    }
  }

  # The scoring server writes one AppRequests row per request (app_insights_enabled in the deployment).
  log_alerts = {
    endpoint-errors = {
      severity = 1, threshold = 0, text = "More than 2 % of the scoring requests of 15 minutes failed on the server's side."
      query    = <<-KQL
        AppRequests
        | summarize requests = count(), failed = countif(toint(ResultCode) >= 500)
        | where requests >= 10 and 100.0 * failed / requests > 2
      KQL
    }
    endpoint-latency = {
      severity = 2, threshold = 0, text = "The 95th percentile of the scoring time is above ${var.latency_alert_ms} ms."
      query    = <<-KQL
        AppRequests
        | summarize requests = count(), p95 = percentile(DurationMs, 95)
        | where requests >= 10 and p95 > ${var.latency_alert_ms}
      KQL
    }
    monitor = {
      severity = 2, threshold = 0, text = "The monitor has alarms: make status ENV=${var.environment} says which, docs/monitoring.md what to do."
      query    = <<-KQL
        AppMetrics
        | where Name startswith "signal_" and tostring(Properties.state) == "breached"
      KQL
    }
    failed-scaling = {
      severity = 2, threshold = 0, text = "Pods of the endpoint cannot be placed on any node."
      query    = <<-KQL
        KubeEvents
        | where Reason == "FailedScheduling" and Namespace in ("azureml", "${local.names.kubernetes_namespace}")
      KQL
    }
  }
}

resource "azurerm_monitor_metric_alert" "main" {
  for_each = local.metric_alerts

  name                = "${local.names.alert}-${each.key}"
  resource_group_name = azurerm_resource_group.main.name
  description         = each.value.text
  scopes              = [each.value.on.scope]
  severity            = each.value.severity
  window_size         = each.value.window
  frequency           = each.value.every
  tags                = local.tags

  criteria {
    metric_namespace = each.value.on.namespace
    metric_name      = each.value.metric
    aggregation      = each.value.aggregation
    operator         = each.value.below ? "LessThan" : "GreaterThan"
    threshold        = each.value.threshold

    dynamic "dimension" {
      for_each = each.value.of == null ? [] : [each.value.of]
      content {
        name     = dimension.value
        operator = "Include"
        values   = ["*"]
      }
    }
  }
  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}

resource "azurerm_monitor_scheduled_query_rules_alert_v2" "main" {
  for_each = local.log_alerts

  name                    = "${local.names.alert}-${each.key}"
  resource_group_name     = azurerm_resource_group.main.name
  location                = var.location
  description             = each.value.text
  scopes                  = [azurerm_log_analytics_workspace.main.id]
  severity                = each.value.severity
  evaluation_frequency    = "PT5M"
  window_duration         = "PT15M"
  auto_mitigation_enabled = true
  # A table exists only after its first row; the rule is made before the first request.
  skip_query_validation = true
  tags                  = local.tags

  criteria {
    query                   = each.value.query
    time_aggregation_method = "Count"
    operator                = "GreaterThan"
    threshold               = each.value.threshold
    failing_periods {
      number_of_evaluation_periods             = 1
      minimum_failing_periods_to_trigger_alert = 1
    }
  }
  action {
    action_groups = [azurerm_monitor_action_group.main.id]
  }
}

# What Azure itself says of its region and of our resources. Such rules cost nothing.
resource "azurerm_monitor_activity_log_alert" "health" {
  for_each = {
    service  = { category = "ServiceHealth", scope = "/subscriptions/${data.azurerm_client_config.current.subscription_id}" }
    resource = { category = "ResourceHealth", scope = azurerm_resource_group.main.id }
  }

  name                = "${local.names.health_alert}-${each.key}"
  resource_group_name = azurerm_resource_group.main.name
  location            = "global"
  description         = each.key == "service" ? "Azure reports an incident, a maintenance or a security notice to the subscription." : "Azure reports a resource of the group as not available."
  scopes              = [each.value.scope]
  tags                = local.tags

  criteria {
    category = each.value.category

    dynamic "service_health" {
      for_each = each.key == "service" ? [1] : []
      content {
        events = ["Incident", "Maintenance", "Security"] # of every region that the subscription uses
      }
    }
    dynamic "resource_health" {
      for_each = each.key == "resource" ? [1] : []
      content {
        current = ["Degraded", "Unavailable"]
        reason  = ["PlatformInitiated", "Unknown"] # what a user did is no alert
      }
    }
  }
  action {
    action_group_id = azurerm_monitor_action_group.main.id
  }
}
