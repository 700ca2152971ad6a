# A hub is optional: a network that is already connected to offices, and the private DNS zones that it serves.
locals {
  hub = var.hub == null ? { network_id = null, use_gateway = false, zone_ids = {} } : var.hub
}

# Our half. The hub's owner makes the other one, towards the output NETWORK_ID; until then the peering is "Initiated".
resource "azurerm_virtual_network_peering" "hub" {
  count = local.hub.network_id == null ? 0 : 1

  name                         = local.names.peering
  resource_group_name          = azurerm_resource_group.main.name
  virtual_network_name         = azurerm_virtual_network.main.name
  remote_virtual_network_id    = local.hub.network_id
  allow_virtual_network_access = true
  allow_forwarded_traffic      = true # a hub's gateway or firewall forwards what offices send
  use_remote_gateways          = local.hub.use_gateway
}
