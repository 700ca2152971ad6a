# Secrets of the workspace, and the slot of Snowflake's key pair. Terraform knows the slot's name and its reader
# (main.access.tf), never its value: README.md says who writes it and how it is rotated.
resource "azurerm_key_vault" "main" {
  #checkov:skip=CKV2_AZURE_32:main.endpoints.tf makes it in a for_each that checkov does not follow; a test holds it
  name                = local.names.vault
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  tenant_id           = data.azurerm_client_config.current.tenant_id
  sku_name            = "standard"
  tags                = local.tags

  rbac_authorization_enabled    = true
  purge_protection_enabled      = true
  soft_delete_retention_days    = 90
  public_network_access_enabled = local.public

  network_acls {
    default_action = "Deny"
    bypass         = "AzureServices"
    ip_rules       = local.ip_rules
  }
}
