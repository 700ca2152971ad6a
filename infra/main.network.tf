# Every subnet has its own network security group and goes out through one NAT gateway: a single, known address
# that Snowflake's network policy can allow. Jobs in the managed network do not: they leave from Azure's addresses.
locals {
  subnets = {
    aks       = { name = local.names.subnet_aks, newbits = 6, netnum = 0 }       # /22 of a /16: nodes; pods are overlay
    endpoints = { name = local.names.subnet_endpoints, newbits = 8, netnum = 4 } # /24: private endpoints
    agents    = { name = local.names.subnet_agents, newbits = 8, netnum = 5 }    # /24: build agents of the pipelines
    training  = { name = local.names.subnet_training, newbits = 8, netnum = 6 }  # /24: compute, if not in a managed network
  }

  # Who may open connections into a subnet. What is not listed is refused by the last rule, also from inside the network.
  inbound = {
    aks = {
      nodes-and-pods = { priority = 100, source = cidrsubnet(var.address_space, 6, 0), ports = ["0-65535"], protocol = "*" }
      overlay-pods   = { priority = 110, source = var.pod_cidr, ports = ["0-65535"], protocol = "*" }
      load-balancer  = { priority = 120, source = "AzureLoadBalancer", ports = ["0-65535"], protocol = "*" }
      scoring        = { priority = 130, source = "VirtualNetwork", ports = [local.tls ? "443" : "80"], protocol = "Tcp" }
    }
    endpoints = {
      private-endpoints = { priority = 100, source = "VirtualNetwork", ports = ["443", "445"], protocol = "Tcp" }
    }
    agents = {}
    training = {
      nodes         = { priority = 100, source = cidrsubnet(var.address_space, 8, 6), ports = ["0-65535"], protocol = "*" }
      load-balancer = { priority = 110, source = "AzureLoadBalancer", ports = ["0-65535"], protocol = "*" }
    }
  }
}

resource "azurerm_virtual_network" "main" {
  name                = local.names.network
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  address_space       = [var.address_space]
  tags                = local.tags
}

resource "azurerm_subnet" "main" {
  for_each = local.subnets

  name                              = each.value.name
  resource_group_name               = azurerm_resource_group.main.name
  virtual_network_name              = azurerm_virtual_network.main.name
  address_prefixes                  = [cidrsubnet(var.address_space, each.value.newbits, each.value.netnum)]
  default_outbound_access_enabled   = false
  private_endpoint_network_policies = "NetworkSecurityGroupEnabled"

  # A pool of agents wants the subnet for itself.
  dynamic "delegation" {
    for_each = each.key == "agents" ? local.agents : {}
    content {
      name = "agents"
      service_delegation {
        name    = "Microsoft.DevOpsInfrastructure/pools"
        actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
      }
    }
  }
}

resource "azurerm_network_security_group" "main" {
  for_each = local.subnets

  name                = "${local.names.nsg}-${each.key}"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  tags                = local.tags

  dynamic "security_rule" {
    for_each = local.inbound[each.key]
    content {
      name                       = "allow-${security_rule.key}"
      direction                  = "Inbound"
      access                     = "Allow"
      priority                   = security_rule.value.priority
      protocol                   = security_rule.value.protocol
      source_address_prefix      = security_rule.value.source
      source_port_range          = "*"
      destination_address_prefix = "*"
      destination_port_ranges    = security_rule.value.ports
    }
  }

  security_rule {
    name                       = "deny-the-rest"
    direction                  = "Inbound"
    access                     = "Deny"
    priority                   = 4096
    protocol                   = "*"
    source_address_prefix      = "*"
    source_port_range          = "*"
    destination_address_prefix = "*"
    destination_port_range     = "*"
  }
}

resource "azurerm_subnet_network_security_group_association" "main" {
  for_each = local.subnets

  subnet_id                 = azurerm_subnet.main[each.key].id
  network_security_group_id = azurerm_network_security_group.main[each.key].id
}

resource "azurerm_public_ip" "nat" {
  name                = local.names.nat_ip
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  allocation_method   = "Static"
  sku                 = "Standard"
  tags                = local.tags
}

resource "azurerm_nat_gateway" "main" {
  name                    = local.names.nat
  resource_group_name     = azurerm_resource_group.main.name
  location                = var.location
  sku_name                = "Standard"
  idle_timeout_in_minutes = 10
  tags                    = local.tags
}

resource "azurerm_nat_gateway_public_ip_association" "main" {
  nat_gateway_id       = azurerm_nat_gateway.main.id
  public_ip_address_id = azurerm_public_ip.nat.id
}

resource "azurerm_subnet_nat_gateway_association" "main" {
  # Private endpoints only answer; everything that opens connections goes out here.
  for_each = { for key, subnet in local.subnets : key => subnet if key != "endpoints" }

  subnet_id      = azurerm_subnet.main[each.key].id
  nat_gateway_id = azurerm_nat_gateway.main.id
}
