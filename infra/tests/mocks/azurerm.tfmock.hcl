# Ids in the shape that the provider checks. Resources of one type share an id unless a test overrides one.
mock_data "azurerm_client_config" {
  defaults = {
    subscription_id = "11111111-2222-3333-4444-555555555555"
    tenant_id       = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    object_id       = "bbbbbbbb-bbbb-cccc-dddd-eeeeeeeeeeee"
  }
}

mock_data "azurerm_network_service_tags" {
  defaults = { ipv4_cidrs = ["192.0.2.0/28"] }
}

mock_resource "azurerm_resource_group" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg" }
}

mock_resource "azurerm_virtual_network" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet" }
}

mock_resource "azurerm_subnet" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/snet" }
}

mock_resource "azurerm_network_security_group" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/networkSecurityGroups/nsg" }
}

mock_resource "azurerm_public_ip" {
  defaults = {
    id         = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/publicIPAddresses/pip"
    ip_address = "198.51.100.7"
  }
}

mock_resource "azurerm_nat_gateway" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/natGateways/ng" }
}

mock_resource "azurerm_private_dns_zone" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/zone" }
}

mock_resource "azurerm_private_endpoint" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/privateEndpoints/pep" }
}

mock_resource "azurerm_storage_account" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st" }
}

mock_resource "azurerm_key_vault" {
  defaults = {
    id        = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv"
    vault_uri = "https://kv.vault.azure.net/"
  }
}

mock_resource "azurerm_container_registry" {
  defaults = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/cr"
    login_server = "cr.azurecr.io"
  }
}

mock_resource "azurerm_log_analytics_workspace" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/log" }
}

mock_resource "azurerm_application_insights" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Insights/components/appi" }
}

mock_resource "azurerm_machine_learning_workspace" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/mlw" }
}

mock_resource "azurerm_kubernetes_cluster" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks" }
}

mock_resource "azurerm_user_assigned_identity" {
  defaults = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
    client_id    = "99999999-8888-7777-6666-555555555555"
    principal_id = "99999999-8888-7777-6666-444444444444"
  }
}

mock_resource "azurerm_monitor_action_group" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Insights/actionGroups/ag" }
}

mock_resource "azurerm_monitor_data_collection_rule" {
  defaults = { id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Insights/dataCollectionRules/dcr" }
}
