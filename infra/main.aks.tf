# The cluster that serves the model. System pods have a pool of their own; everything else, the Azure ML extension
# included, lands on the user pool.
#
# Left out, on purpose: Defender for Containers and managed Prometheus with Grafana (each is priced by core or sample; the
# subscription's owner decides, and both are switched on beside this plan), the secrets store driver (no pod reads the
# vault), image integrity (a preview that Azure retires).
resource "azurerm_kubernetes_cluster" "main" {
  #checkov:skip=CKV_AZURE_141:The Azure ML extension is documented to need local accounts; a variable switches them off
  #checkov:skip=CKV_AZURE_226:The v5 sizes in use have no local disk to hold an ephemeral system disk
  #checkov:skip=CKV_AZURE_117:Disks are encrypted with platform keys and on the host; the cluster keeps no data of its own
  #checkov:skip=CKV_AZURE_172:The secrets store driver is not installed: pods read no secret from the vault
  name                = local.names.cluster
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  node_resource_group = local.names.nodes_group
  dns_prefix          = local.names.cluster
  kubernetes_version  = var.kubernetes_version
  sku_tier            = local.is_prod ? "Standard" : "Free"
  tags                = local.tags

  oidc_issuer_enabled               = true
  workload_identity_enabled         = true
  role_based_access_control_enabled = true
  azure_policy_enabled              = true
  run_command_enabled               = true # attach.sh makes the namespace through it, also on a private cluster

  # The Azure ML extension is documented to need local accounts. Trusted access (below) is the newer way; whoever
  # has proved it on a test cluster sets aks_local_accounts_disabled.
  local_account_disabled = var.aks_local_accounts_disabled

  private_cluster_enabled             = local.is_prod
  private_cluster_public_fqdn_enabled = false # Azure ML does not support a private cluster with a public name
  private_dns_zone_id                 = local.is_prod ? "System" : null

  automatic_upgrade_channel    = "patch"
  node_os_upgrade_channel      = "NodeImage"
  image_cleaner_enabled        = true
  image_cleaner_interval_hours = 168

  dynamic "api_server_access_profile" {
    for_each = local.is_prod ? [] : [local.api_server_ranges]
    content {
      authorized_ip_ranges = api_server_access_profile.value
    }
  }

  default_node_pool {
    name                         = "system"
    vm_size                      = var.aks_system.vm_size
    vnet_subnet_id               = azurerm_subnet.main["aks"].id
    zones                        = var.aks_zones
    auto_scaling_enabled         = true
    min_count                    = var.aks_system.min
    max_count                    = var.aks_system.max
    max_pods                     = 60
    os_sku                       = "AzureLinux"
    only_critical_addons_enabled = true
    node_public_ip_enabled       = false
    host_encryption_enabled      = var.aks_host_encryption
    temporary_name_for_rotation  = "systemtmp"
    tags                         = local.tags

    upgrade_settings {
      max_surge                = "33%"
      drain_timeout_in_minutes = 30
    }
  }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.main["cluster"].id]
  }

  kubelet_identity {
    client_id                 = azurerm_user_assigned_identity.main["kubelet"].client_id
    object_id                 = azurerm_user_assigned_identity.main["kubelet"].principal_id
    user_assigned_identity_id = azurerm_user_assigned_identity.main["kubelet"].id
  }

  azure_active_directory_role_based_access_control {
    azure_rbac_enabled     = true
    admin_group_object_ids = []
    tenant_id              = data.azurerm_client_config.current.tenant_id
  }

  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_data_plane  = "cilium"
    network_policy      = "cilium"
    load_balancer_sku   = "standard"
    outbound_type       = "userAssignedNATGateway"
    pod_cidr            = var.pod_cidr
    service_cidr        = var.service_cidr
    dns_service_ip      = cidrhost(var.service_cidr, 10)
  }

  node_provisioning_profile {
    mode = "Manual"
  }

  oms_agent {
    log_analytics_workspace_id      = azurerm_log_analytics_workspace.main.id
    msi_auth_for_monitoring_enabled = true
  }

  maintenance_window_auto_upgrade {
    frequency   = "Weekly"
    interval    = 1
    day_of_week = "Sunday"
    start_time  = "02:00"
    utc_offset  = "-06:00" # the middle of the night in the stores' time zones
    duration    = 4
  }

  maintenance_window_node_os {
    frequency   = "Weekly"
    interval    = 1
    day_of_week = "Saturday"
    start_time  = "02:00"
    utc_offset  = "-06:00"
    duration    = 4
  }

  lifecycle {
    # The patch channel moves the version between two applies.
    ignore_changes = [kubernetes_version]

    precondition {
      condition     = local.is_prod || length(local.api_server_ranges) <= 200
      error_message = "The API server takes 200 ranges at most: list fewer allowed_ip_ranges."
    }
  }

  # The way out stands before the nodes and goes after them: without it the extension neither arrives nor leaves.
  depends_on = [
    azurerm_nat_gateway_public_ip_association.main,
    azurerm_subnet_nat_gateway_association.main,
    azurerm_subnet_network_security_group_association.main,
    time_sleep.creation_grants,
  ]
}

# Azure ML's control plane calls a cluster's API server from these, of the region and of its pair:
# https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension
data "azurerm_network_service_tags" "azureml" {
  for_each = local.is_prod ? toset([]) : toset(compact([var.location, var.paired_location]))

  location        = var.location
  service         = "AzureMachineLearning"
  location_filter = each.value
}

locals {
  # Offices, Azure ML, and the nodes themselves, which call from the NAT gateway's address.
  api_server_ranges = distinct(concat(
    var.allowed_ip_ranges,
    flatten([for tag in data.azurerm_network_service_tags.azureml : tag.ipv4_cidrs]),
    ["${azurerm_public_ip.nat.ip_address}/32"],
  ))
}

resource "azurerm_kubernetes_cluster_node_pool" "user" {
  name                        = "user"
  mode                        = "User"
  kubernetes_cluster_id       = azurerm_kubernetes_cluster.main.id
  vm_size                     = var.aks_user.vm_size
  vnet_subnet_id              = azurerm_subnet.main["aks"].id
  zones                       = var.aks_zones
  auto_scaling_enabled        = true
  min_count                   = var.aks_user.min
  max_count                   = var.aks_user.max
  max_pods                    = 60
  os_sku                      = "AzureLinux"
  node_public_ip_enabled      = false
  host_encryption_enabled     = var.aks_host_encryption
  temporary_name_for_rotation = "usertmp"
  tags                        = local.tags

  upgrade_settings {
    max_surge                = "33%"
    drain_timeout_in_minutes = 30
  }
}

# Lets the workspace call the API server of a private or allow-listed cluster.
resource "azurerm_kubernetes_cluster_trusted_access_role_binding" "workspace" {
  name                  = "azureml"
  kubernetes_cluster_id = azurerm_kubernetes_cluster.main.id
  roles                 = ["Microsoft.MachineLearningServices/workspaces/mlworkload"]
  source_resource_id    = azurerm_machine_learning_workspace.main.id
}

locals {
  tls = var.inference_tls_cname != null

  # The Azure CLI fills in the keys of the second and third group when a person installs the extension with it;
  # Terraform talks to the service directly, so they are written out.
  extension_settings = merge(
    {
      enableTraining               = "False" # jobs run on the workspace's own computes
      enableInference              = "True"
      inferenceRouterServiceType   = "LoadBalancer"
      inferenceRouterHA            = var.inference_router_ha ? "True" : "False"
      internalLoadBalancerProvider = "azure"
      allowInsecureConnections     = local.tls ? "False" : "True"
    },
    {
      clusterId                 = azurerm_kubernetes_cluster.main.id
      cluster_name              = azurerm_kubernetes_cluster.main.id
      cluster_name_friendly     = local.names.cluster
      clusterPurpose            = var.inference_router_ha ? "FastProd" : "DevTest"
      domain                    = "${var.location}.cloudapp.azure.com"
      location                  = var.location
      jobSchedulerLocation      = var.location
      "nginxIngress.enabled"    = "true"
      "relayserver.enabled"     = "false"
      "servicebus.enabled"      = "false"
      installNvidiaDevicePlugin = "false"

      "prometheus.prometheusSpec.externalLabels.cluster_name" = azurerm_kubernetes_cluster.main.id # of the endpoint's CPU and memory metrics
    },
    { "scoringFe.serviceType.internalLoadBalancer" = "true" },
    # Certificate and key go from the vault into this Kubernetes secret (make attach-infra), never through plan and state.
    # The second key is the CLI's; without it the router serves plain HTTP (azurerm#24547).
    local.tls ? {
      sslCname              = var.inference_tls_cname
      sslSecret             = local.names.scoring_secret
      "scoringFe.sslSecret" = local.names.scoring_secret
    } : {},
  )

  # The router's pods wait for the secret, and the secret needs a cluster: with TLS the extension is a second deployment.
  extension = !local.tls || var.inference_tls_ready
}

resource "azurerm_kubernetes_cluster_extension" "azureml" {
  count = local.extension ? 1 : 0

  name              = "azureml"
  cluster_id        = azurerm_kubernetes_cluster.main.id
  extension_type    = "Microsoft.AzureML.Kubernetes"
  release_train     = "stable"
  release_namespace = "azureml"

  configuration_settings = local.extension_settings

  timeouts {
    create = "1h"
  }

  # Its pods tolerate no system taint: without the user pool they would wait for ever.
  depends_on = [
    azurerm_kubernetes_cluster_node_pool.user,
    azurerm_kubernetes_cluster_trusted_access_role_binding.workspace,
    azurerm_nat_gateway_public_ip_association.main,
    azurerm_subnet_network_security_group_association.main,
  ]
}
