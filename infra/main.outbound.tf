# What the managed network lets jobs and image builds reach, and who reaches the workspace from outside. azurerm sends
# rules side by side, and such rules are reported to undo each other (Azure/terraform-provider-azapi#453); it also knows
# neither the firewall's tier nor the workspace's allow-list. So this file is azapi's.
locals {
  approved_only = var.managed_network_isolation == "AllowOnlyApprovedOutbound"

  # Azure makes the endpoints of the managed network by itself where only approved traffic leaves, or where a service's
  # public side is off. Everywhere else a job would come from an address that no allow-list holds.
  endpoints_of_ours = local.managed_network && !local.approved_only && local.public

  own_endpoints = local.endpoints_of_ours ? {
    own-blob      = { target = local.storage, part = "blob" }
    own-file      = { target = local.storage, part = "file" }
    own-vault     = { target = local.vault, part = "vault" }
    own-registry  = { target = local.registry, part = "registry" }
    own-workspace = { target = azurerm_machine_learning_workspace.main.id, part = "amlworkspace" }
  } : {}

  # Snowflake's stage on Azure is a storage account, which this network reaches by an endpoint only.
  stage_endpoints = {
    for id in var.snowflake_stage_storage_ids : "stage-${substr(sha1(lower(id)), 0, 8)}" => { target = id, part = "blob" }
  }

  # Names by rule name. A stage's rule is named after its host, so that another order of the list changes no rule.
  outbound_names = merge(var.outbound_fqdns, {
    for host in var.snowflake_stage_fqdns : "stage-${substr(sha1(host), 0, 8)}" => host
  })

  outbound_rules = merge(
    { for name, host in local.outbound_names : name => { type = "FQDN", category = "UserDefined", destination = host } },
    { for name, endpoint in merge(local.own_endpoints, local.stage_endpoints) : name => {
      type     = "PrivateEndpoint"
      category = "UserDefined"
      destination = {
        serviceResourceId = endpoint.target
        subresourceTarget = endpoint.part
        sparkEnabled      = false
      }
    } },
  )

  # One PATCH, as `az ml workspace update` sends it.
  workspace_patch = { for key, value in {
    managedNetwork      = local.approved_only ? { isolationMode = var.managed_network_isolation, firewallSku = var.firewall_sku } : null
    publicNetworkAccess = local.public ? "Enabled" : null
    networkAcls         = local.public ? { defaultAction = "Deny", ipRules = [for range in var.allowed_ip_ranges : { value = range }] } : null
  } : key => value if value != null }
}

# An update of the workspace by azurerm leaves these settings out of its request, so each one sends them again.
resource "azapi_resource_action" "workspace" {
  count = length(local.workspace_patch) > 0 ? 1 : 0

  # The last version of the service's interface that has the allow-list.
  type        = "Microsoft.MachineLearningServices/workspaces@2024-10-01-preview"
  resource_id = azurerm_machine_learning_workspace.main.id
  method      = "PATCH"
  body        = { properties = local.workspace_patch }
  locks       = [azurerm_machine_learning_workspace.main.id]

  lifecycle {
    replace_triggered_by = [azurerm_machine_learning_workspace.main]
  }
}

# One after another, by the lock.
resource "azapi_resource" "outbound_rule" {
  for_each = local.outbound_rules

  type          = "Microsoft.MachineLearningServices/workspaces/outboundRules@2024-10-01"
  name          = each.key
  parent_id     = azurerm_machine_learning_workspace.main.id
  body          = { properties = each.value }
  locks         = [azurerm_machine_learning_workspace.main.id]
  ignore_casing = true

  # Waiting for its turn counts, and the first name also waits for the firewall.
  timeouts {
    create = "3h"
    update = "3h"
    delete = "3h"
  }

  # The firewall comes with the first name and keeps the tier that is set by then; an endpoint is approved with a grant.
  depends_on = [azapi_resource_action.workspace, time_sleep.grants]
}
