locals {
  managed_network = var.managed_network_isolation != "Disabled"

  # Two clusters, so that what pushes images and what reads sales are different identities. Both cost nothing idle.
  compute = {
    training = {
      name      = local.names.training_compute
      vm_size   = var.training_vm_size
      max_nodes = var.training_max_nodes
      identity  = azurerm_user_assigned_identity.main["training"].id
      # Why: a longer idle time spares the next step of a pipeline the wait for a node.
      idle = "PT15M"
      why  = "Runs import, training and batch jobs."
    }
    build = {
      name      = local.names.image_build_compute
      vm_size   = var.build_vm_size
      max_nodes = 1
      identity  = azurerm_user_assigned_identity.main["build"].id
      idle      = "PT5M"
      why       = "Builds images where the private registry can be reached; the service's own builders cannot."
    }
  }
}

resource "azurerm_machine_learning_workspace" "main" {
  #checkov:skip=CKV2_AZURE_49:Off in prod and allow-listed in dev; tests/prod.tftest.hcl and tests/dev.tftest.hcl hold it
  name                = local.names.workspace
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  friendly_name       = "Demand forecast (${var.environment})"
  tags                = local.tags

  storage_account_id      = azurerm_storage_account.main.id
  key_vault_id            = azurerm_key_vault.main.id
  application_insights_id = azurerm_application_insights.main.id
  container_registry_id   = azurerm_container_registry.main.id

  # The datastores hold no account key: each job reads with its own identity.
  storage_account_access_type    = "Identity"
  primary_user_assigned_identity = var.workspace_system_identity ? null : azurerm_user_assigned_identity.main["workspace"].id
  public_network_access_enabled  = local.public
  image_build_compute_name       = local.names.image_build_compute
  v1_legacy_mode_enabled         = false
  high_business_impact           = false

  # Works as the user-assigned one, whose grants are the tables of main.access.tf. The system-assigned one stands beside
  # it, because trusted access of AKS and the trusted-service rule of storage look for that one. On its own Azure gives it
  # Azure AI Administrator on the whole group, so it is alone only where workspace_system_identity says so.
  identity {
    type         = var.workspace_system_identity ? "SystemAssigned" : "SystemAssigned, UserAssigned"
    identity_ids = var.workspace_system_identity ? null : [azurerm_user_assigned_identity.main["workspace"].id]
  }

  managed_network {
    isolation_mode                = var.managed_network_isolation
    provision_on_creation_enabled = local.managed_network
  }

  # Making the managed network takes some 30 minutes, which is also the provider's patience.
  timeouts {
    create = "2h"
  }

  # Without its roles the workspace cannot reach its own storage, and creation fails.
  depends_on = [time_sleep.creation_grants]
}

resource "azurerm_machine_learning_compute_cluster" "main" {
  for_each = local.compute

  name                          = each.value.name
  description                   = each.value.why
  location                      = var.location
  machine_learning_workspace_id = azurerm_machine_learning_workspace.main.id
  vm_priority                   = "Dedicated"
  vm_size                       = each.value.vm_size
  local_auth_enabled            = false
  ssh_public_access_enabled     = false
  node_public_ip_enabled        = false
  subnet_resource_id            = local.managed_network ? null : azurerm_subnet.main["training"].id
  tags                          = local.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [each.value.identity]
  }

  scale_settings {
    min_node_count                       = 0
    max_node_count                       = each.value.max_nodes
    scale_down_nodes_after_idle_duration = each.value.idle
  }

  # Nodes without a public address reach the workspace only through its endpoint. The first compute also makes the
  # managed network, whose rules are there by then.
  depends_on = [
    azapi_resource.outbound_rule,
    azurerm_private_endpoint.main,
    azurerm_subnet_nat_gateway_association.main,
  ]
}
