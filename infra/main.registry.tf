# Images of jobs and of the scoring server. Premium, because only that tier has private endpoints.
resource "azurerm_container_registry" "main" {
  name                = local.names.registry
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  sku                 = "Premium"
  tags                = local.tags

  admin_enabled                 = false
  anonymous_pull_enabled        = false
  public_network_access_enabled = local.public
  network_rule_bypass_option    = "AzureServices"
  network_rule_set = [{
    default_action = "Deny"
    ip_rule        = [for range in local.ip_rules : { action = "Allow", ip_range = range }]
  }]
  data_endpoint_enabled    = true
  zone_redundancy_enabled  = local.is_prod
  retention_policy_in_days = var.image_retention_days
}
