# Images of jobs and of the scoring server. Premium, because only that tier has private endpoints.
resource "azurerm_container_registry" "main" {
  #checkov:skip=CKV_AZURE_139:Off in prod and allow-listed in dev; tests/prod.tftest.hcl and tests/dev.tftest.hcl hold it
  #checkov:skip=CKV_AZURE_164:Docker content trust is being retired and provider 5 removed the argument
  #checkov:skip=CKV_AZURE_165:One region: images are built again from the repo wherever they are needed
  #checkov:skip=CKV_AZURE_166:Quarantine is a preview that Azure ML image builds do not release from
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
  data_endpoint_enabled = true
  # Azure makes every registry zone redundant; a false here would one day read as a change that replaces it.
  zone_redundancy_enabled  = true
  retention_policy_in_days = var.image_retention_days
}
