data "azurerm_client_config" "current" {}

module "names" {
  source = "./names"

  company         = var.company
  project         = var.project
  environment     = var.environment
  subscription_id = data.azurerm_client_config.current.subscription_id
}

locals {
  names   = module.names.names
  is_prod = var.environment == "prod"

  # The public side is open only to listed ranges, and never in prod (a validation says so, this line holds it).
  public = !local.is_prod && length(var.allowed_ip_ranges) > 0
  # Storage wants a single address without its /32.
  ip_rules = local.public ? [for range in var.allowed_ip_ranges : trimsuffix(range, "/32")] : []

  tags = merge(var.tags, {
    company     = var.company
    project     = var.project
    environment = var.environment
    managed_by  = "terraform"
  })
}

resource "azurerm_resource_group" "main" {
  name     = local.names.group
  location = var.location
  tags     = local.tags
}
