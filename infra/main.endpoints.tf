# Private endpoints and the zones that make their public names resolve to them. Both environments have them; only
# whether the public side is open differs.
locals {
  zones = {
    blob      = "privatelink.blob.core.windows.net"
    file      = "privatelink.file.core.windows.net"
    vault     = "privatelink.vaultcore.azure.net"
    registry  = "privatelink.azurecr.io"
    workspace = "privatelink.api.azureml.ms"
    notebooks = "privatelink.notebooks.azure.net"
  }

  endpoints = {
    blob      = { target = azurerm_storage_account.main.id, part = "blob", zones = ["blob"] }
    file      = { target = azurerm_storage_account.main.id, part = "file", zones = ["file"] }
    vault     = { target = azurerm_key_vault.main.id, part = "vault", zones = ["vault"] }
    registry  = { target = azurerm_container_registry.main.id, part = "registry", zones = ["registry"] }
    workspace = { target = azurerm_machine_learning_workspace.main.id, part = "amlworkspace", zones = ["workspace", "notebooks"] }
  }
}

locals {
  # A hub's zones serve every network that shares its DNS; only what it lacks is made here.
  own_zones = { for key, name in local.zones : key => name if !contains(keys(local.hub.zone_ids), key) }
  zone_ids  = merge({ for key, zone in azurerm_private_dns_zone.main : key => zone.id }, local.hub.zone_ids)
}

resource "azurerm_private_dns_zone" "main" {
  for_each = local.own_zones

  name                = each.value
  resource_group_name = azurerm_resource_group.main.name
  tags                = local.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "main" {
  for_each = local.own_zones

  name                 = "${local.names.network}-${each.key}"
  private_dns_zone_id  = azurerm_private_dns_zone.main[each.key].id
  virtual_network_id   = azurerm_virtual_network.main.id
  registration_enabled = false
  tags                 = local.tags
}

resource "azurerm_private_endpoint" "main" {
  for_each = local.endpoints

  name                = "${local.names.endpoint}-${each.key}"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  subnet_id           = azurerm_subnet.main["endpoints"].id
  tags                = local.tags

  private_service_connection {
    name                           = "${local.names.endpoint}-${each.key}"
    is_manual_connection           = false
    private_connection_resource_id = each.value.target
    subresource_names              = [each.value.part]
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [for zone in each.value.zones : local.zone_ids[zone]]
  }

  # A record made before the zone is linked would not resolve from the network.
  depends_on = [azurerm_private_dns_zone_virtual_network_link.main]
}
