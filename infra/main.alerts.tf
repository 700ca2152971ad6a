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
  metric_alerts = {
    failed-jobs = {
      scope  = azurerm_machine_learning_workspace.main.id, namespace = "Microsoft.MachineLearningServices/workspaces"
      metric = "Failed Runs", aggregation = "Total", threshold = 0, severity = 2, window = "PT1H", every = "PT15M"
      text   = "A job of the workspace failed in the last hour."
    }
    failed-deployments = {
      scope  = azurerm_machine_learning_workspace.main.id, namespace = "Microsoft.MachineLearningServices/workspaces"
      metric = "Model Deploy Failed", aggregation = "Total", threshold = 0, severity = 2, window = "PT1H", every = "PT15M"
      text   = "A deployment of a model failed in the last hour."
    }
    node-cpu = {
      scope  = azurerm_kubernetes_cluster.main.id, namespace = "Microsoft.ContainerService/managedClusters"
      metric = "node_cpu_usage_percentage", aggregation = "Average", threshold = 85, severity = 3, window = "PT15M", every = "PT5M"
      text   = "A node is above 85 % CPU: is the user pool at its maximum?"
    }
    node-memory = {
      scope  = azurerm_kubernetes_cluster.main.id, namespace = "Microsoft.ContainerService/managedClusters"
      metric = "node_memory_working_set_percentage", aggregation = "Average", threshold = 85, severity = 2, window = "PT15M", every = "PT5M"
      text   = "A node is above 85 % memory: pods will be evicted."
    }
    node-disk = {
      scope  = azurerm_kubernetes_cluster.main.id, namespace = "Microsoft.ContainerService/managedClusters"
      metric = "node_disk_usage_percentage", aggregation = "Average", threshold = 80, severity = 2, window = "PT15M", every = "PT5M"
      text   = "A node's disk is above 80 %: images will be removed, then pods."
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
  scopes              = [each.value.scope]
  severity            = each.value.severity
  window_size         = each.value.window
  frequency           = each.value.every
  tags                = local.tags

  criteria {
    metric_namespace = each.value.namespace
    metric_name      = each.value.metric
    aggregation      = each.value.aggregation
    operator         = "GreaterThan"
    threshold        = each.value.threshold
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
