# Agents of Azure Pipelines inside the network: the way into a closed environment. They exist only while a job runs.
# azurerm 5.2 has the pool too; azapi is taken for all three, so that one provider makes them.
locals {
  agents = var.agent_pool == null ? {} : { main = var.agent_pool }

  # Azure's own application puts the agents' machines into the subnet, and is asked for both roles on the whole network:
  # https://learn.microsoft.com/azure/devops/managed-devops-pools/configure-networking
  agent_grants = merge([for key, pool in local.agents : {
    agents-network-read = { id = pool.infrastructure_principal_id, scope = azurerm_virtual_network.main.id, role = "Reader", type = "ServicePrincipal" }
    agents-network-join = { id = pool.infrastructure_principal_id, scope = azurerm_virtual_network.main.id, role = "Network Contributor", type = "ServicePrincipal" }
  }]...)
}

resource "azapi_resource" "dev_center" {
  for_each = local.agents

  type      = "Microsoft.DevCenter/devcenters@2024-02-01"
  name      = local.names.dev_center
  parent_id = azurerm_resource_group.main.id
  location  = var.location
  tags      = local.tags
  body      = { properties = {} }
}

resource "azapi_resource" "dev_project" {
  for_each = local.agents

  type      = "Microsoft.DevCenter/projects@2024-02-01"
  name      = local.names.dev_project
  parent_id = azurerm_resource_group.main.id
  location  = var.location
  tags      = local.tags
  body      = { properties = { devCenterId = azapi_resource.dev_center[each.key].id } }
}

resource "azapi_resource" "agent_pool" {
  for_each = local.agents

  type      = "Microsoft.DevOpsInfrastructure/pools@2024-10-19"
  name      = local.names.agent_pool
  parent_id = azurerm_resource_group.main.id
  location  = var.location
  tags      = local.tags
  body = {
    properties = {
      devCenterProjectResourceId = azapi_resource.dev_project[each.key].id
      maximumConcurrency         = each.value.max
      organizationProfile = {
        kind = "AzureDevOps"
        organizations = [{
          url         = each.value.organization
          projects    = each.value.projects
          parallelism = each.value.max
        }]
        permissionProfile = { kind = "CreatorOnly" }
      }
      # A new machine for each job: nothing of one job is left for the next.
      agentProfile = { kind = "Stateless" }
      fabricProfile = {
        kind           = "Vmss"
        sku            = { name = each.value.vm_size }
        images         = [{ wellKnownImageName = each.value.image, buffer = "*" }]
        networkProfile = { subnetId = azurerm_subnet.main["agents"].id }
        osProfile      = { logonType = "Service" }
      }
    }
  }

  depends_on = [
    azurerm_nat_gateway_public_ip_association.main,
    azurerm_subnet_nat_gateway_association.main,
    azurerm_subnet_network_security_group_association.main,
    time_sleep.grants,
  ]
}
