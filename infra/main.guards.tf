# Money and mistakes.

# On the subscription and filtered, because the nodes of AKS are billed to a resource group of their own.
resource "azurerm_consumption_budget_subscription" "main" {
  name            = local.names.budget
  subscription_id = "/subscriptions/${data.azurerm_client_config.current.subscription_id}"
  amount          = var.budget_amount
  time_grain      = "Monthly"

  time_period {
    # Azure refuses a start before the current month, so it is the month of the first apply unless it is given.
    start_date = coalesce(var.budget_start, formatdate("YYYY-MM-'01T00:00:00Z'", plantimestamp()))
  }
  filter {
    dimension {
      name   = "ResourceGroupName"
      values = [local.names.group, local.names.nodes_group]
    }
  }

  dynamic "notification" {
    for_each = { half = ["Actual", 50], near = ["Actual", 80], over = ["Actual", 100], forecast = ["Forecasted", 100] }
    content {
      threshold_type = notification.value[0]
      threshold      = notification.value[1]
      operator       = "GreaterThanOrEqualTo"
      contact_emails = var.alert_emails
      contact_groups = [azurerm_monitor_action_group.main.id]
    }
  }

  lifecycle {
    ignore_changes = [time_period] # Azure fills in the end, and a past start cannot be changed
  }
}

# prevent_destroy cannot depend on a variable. In prod these locks and the plan guard do its work; they also stop a
# deletion in the portal. What hangs below a locked resource cannot be deleted either, so the workspace has none: each
# rollout deletes an online deployment, which is a child of it. The guard protects it, and soft delete keeps it 14 days.
resource "azurerm_management_lock" "main" {
  for_each = local.is_prod ? {
    storage = azurerm_storage_account.main.id
    vault   = azurerm_key_vault.main.id
  } : {}

  name       = "${local.names.lock}-${each.key}"
  scope      = each.value
  lock_level = "CanNotDelete"
  notes      = "Holds what cannot be made again. make destroy-infra ENV=prod removes the lock, after its question."

  # A lock reaches what hangs below its resource, so it is made last and lifted first. None stands on the group:
  # that would keep the computes from scaling down.
  depends_on = [
    azurerm_machine_learning_compute_cluster.main,
    azurerm_machine_learning_workspace.main,
    azurerm_monitor_diagnostic_setting.main,
    azurerm_private_endpoint.main,
    azurerm_role_assignment.main,
    azurerm_role_assignment.people,
    azurerm_role_assignment.workspace,
    azurerm_storage_container.main,
    azurerm_storage_management_policy.main,
  ]
}
