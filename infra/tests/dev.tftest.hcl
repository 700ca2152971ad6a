# What dev is.
# The first part of this block is environments/dev.tfvars word for word; tests/infra holds the two equal.
mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "azapi" {}

mock_provider "time" {}

variables {
  company     = "gbj"
  project     = "dmd"
  environment = "dev"
  location    = "eastus2"
  # Azure ML also calls from the region's pair.
  paired_location = "centralus"
  tags            = { cost_center = "demand-forecast" }

  address_space = "10.20.0.0/16"
  # A range kept for documentation, which reaches nobody: put your offices' and your own address here.
  allowed_ip_ranges         = ["203.0.113.0/24"]
  managed_network_isolation = "AllowInternetOutbound"

  storage_replication = "LRS"
  training_max_nodes  = 2

  aks_system          = { vm_size = "Standard_D2s_v5", min = 2, max = 3 }
  aks_user            = { vm_size = "Standard_D4s_v5", min = 1, max = 2 }
  inference_router_ha = false

  log_daily_quota_gb = 2
  alert_emails       = ["demand-platform@globojava.example"]
  budget_amount      = 750

  # What only a deployment knows.
  data_scientists_group_id = "12345678-1234-1234-1234-123456789abc"
  platform_group_id        = "12345678-1234-1234-1234-123456789abd"
  pipelines_federation = {
    dev = { issuer = "https://login.microsoftonline.com/tenant/v2.0", subject = "/eid1/c/pub/t/x/a/y/sc/z" }
  }
}

# Apart, so that a mix-up shows.
override_resource {
  target = azurerm_user_assigned_identity.main["workspace"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/workspace"
    client_id    = "00000000-0000-0000-0001-000000000000"
    principal_id = "00000000-0000-0000-0002-000000000000"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.main["training"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/training"
    client_id    = "00000000-0000-0000-0001-000000000001"
    principal_id = "00000000-0000-0000-0002-000000000001"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.main["build"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/build"
    client_id    = "00000000-0000-0000-0001-000000000002"
    principal_id = "00000000-0000-0000-0002-000000000002"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.main["serving"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/serving"
    client_id    = "00000000-0000-0000-0001-000000000003"
    principal_id = "00000000-0000-0000-0002-000000000003"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.main["cluster"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/cluster"
    client_id    = "00000000-0000-0000-0001-000000000004"
    principal_id = "00000000-0000-0000-0002-000000000004"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.main["kubelet"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/kubelet"
    client_id    = "00000000-0000-0000-0001-000000000005"
    principal_id = "00000000-0000-0000-0002-000000000005"
  }
}

override_resource {
  target = azurerm_user_assigned_identity.main["pipelines"]
  values = {
    id           = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/pipelines"
    client_id    = "00000000-0000-0000-0001-000000000006"
    principal_id = "00000000-0000-0000-0002-000000000006"
  }
}

override_resource {
  target = azurerm_subnet.main["aks"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/aks"
  }
}

override_resource {
  target = azurerm_subnet.main["endpoints"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints"
  }
}

override_resource {
  target = azurerm_subnet.main["agents"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/agents"
  }
}

override_resource {
  target = azurerm_subnet.main["training"]
  values = {
    id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/training"
  }
}

# One apply, since every run plans anew. The comments name the rules that the assertions below them hold.
run "dev_holds_every_rule" {
  command = apply

  # the environment is built
  assert {
    condition     = azurerm_machine_learning_workspace.main.name == "gbj-dmd-dev-mlw" && azurerm_kubernetes_cluster.main.name == "gbj-dmd-dev-aks" && azurerm_resource_group.main.name == "gbj-dmd-dev-rg"
    error_message = "The resources carry the names of the convention."
  }
  assert {
    condition     = azurerm_resource_group.main.tags["environment"] == "dev" && azurerm_resource_group.main.tags["managed_by"] == "terraform"
    error_message = "Every resource says which environment it belongs to and what made it."
  }

  # every subnet has its network security group
  assert {
    condition     = toset(keys(azurerm_subnet.main)) == toset(keys(azurerm_subnet_network_security_group_association.main)) && length(azurerm_subnet.main) >= 4
    error_message = "A subnet without a network security group: dev."
  }
  assert {
    condition     = alltrue([for nsg in azurerm_network_security_group.main : anytrue([for rule in nsg.security_rule : rule.access == "Deny" && rule.direction == "Inbound" && rule.priority == 4096 && rule.source_address_prefix == "*" && rule.destination_port_range == "*"])])
    error_message = "Every network security group ends by refusing what no rule allows."
  }
  assert {
    condition     = alltrue(flatten([for nsg in azurerm_network_security_group.main : [for rule in nsg.security_rule : !contains(["*", "0.0.0.0/0", "Internet", "Any"], rule.source_address_prefix) if rule.access == "Allow"]]))
    error_message = "No rule lets the internet in."
  }
  assert {
    condition     = alltrue([for subnet in azurerm_subnet.main : subnet.default_outbound_access_enabled == false])
    error_message = "Subnets go out through the NAT gateway only."
  }
  assert {
    condition     = toset(keys(azurerm_subnet_nat_gateway_association.main)) == toset(["aks", "agents", "training"])
    error_message = "The NAT gateway serves every subnet that opens connections."
  }

  # everything stands in its own subnet
  assert {
    condition     = alltrue([for key, link in azurerm_subnet_network_security_group_association.main : link.subnet_id == azurerm_subnet.main[key].id])
    error_message = "A network security group guards another subnet than its own."
  }
  assert {
    condition     = alltrue([for endpoint in azurerm_private_endpoint.main : endpoint.subnet_id == azurerm_subnet.main["endpoints"].id]) && azurerm_kubernetes_cluster.main.default_node_pool[0].vnet_subnet_id == azurerm_subnet.main["aks"].id && azurerm_kubernetes_cluster_node_pool.user.vnet_subnet_id == azurerm_subnet.main["aks"].id
    error_message = "Endpoints and nodes stand in their own subnets."
  }

  # every data service has a private endpoint
  assert {
    condition     = toset([for endpoint in azurerm_private_endpoint.main : endpoint.private_service_connection[0].subresource_names[0]]) == toset(["blob", "file", "vault", "registry", "amlworkspace"])
    error_message = "A private endpoint is missing."
  }
  assert {
    condition     = length(azurerm_private_endpoint.main["workspace"].private_dns_zone_group[0].private_dns_zone_ids) == 2
    error_message = "The workspace's endpoint needs the zones of its API and of its notebooks."
  }
  assert {
    condition     = toset(keys(azurerm_private_dns_zone.main)) == toset(keys(azurerm_private_dns_zone_virtual_network_link.main))
    error_message = "A private zone that is not linked to the network resolves for nobody."
  }

  # storage takes entra id only and forgives deletion
  assert {
    condition     = azurerm_storage_account.main.shared_access_key_enabled == false && azurerm_storage_account.main.default_to_oauth_authentication && azurerm_storage_account.main.local_user_enabled == false
    error_message = "Storage must take Entra ID only."
  }
  assert {
    condition     = azurerm_storage_account.main.allow_nested_items_to_be_public == false && azurerm_storage_account.main.cross_tenant_replication_enabled == false && alltrue([for container in azurerm_storage_container.main : container.container_access_type == "private"])
    error_message = "No blob may be public."
  }
  assert {
    condition     = azurerm_storage_account.main.min_tls_version == "TLS1_2" && azurerm_storage_account.main.https_traffic_only_enabled
    error_message = "Storage speaks TLS 1.2 and nothing else."
  }
  assert {
    condition     = azurerm_storage_account.main.blob_properties[0].versioning_enabled && azurerm_storage_account.main.blob_properties[0].delete_retention_policy[0].days >= 7 && azurerm_storage_account.main.blob_properties[0].container_delete_retention_policy[0].days >= 7
    error_message = "Versions and soft delete bring a lost blob back."
  }
  assert {
    condition     = toset(azurerm_storage_management_policy.main.rule[*].name) == toset(["old-versions", "job-logs", "collected", "cold-data"]) && alltrue(azurerm_storage_management_policy.main.rule[*].enabled)
    error_message = "The lifecycle rules must all be on."
  }
  assert {
    condition     = alltrue([for rule in azurerm_storage_management_policy.main.rule : alltrue([for prefix in rule.filters[0].prefix_match : endswith(prefix, "/modelDataCollector/")]) if rule.name == "collected"])
    error_message = "Collected rows go after a time; nothing else of the workspace's container does: models are in it."
  }
  assert {
    condition     = azurerm_storage_account.main.network_rules[0].default_action == "Deny" && azurerm_key_vault.main.network_acls[0].default_action == "Deny" && tolist(azurerm_container_registry.main.network_rule_set)[0].default_action == "Deny"
    error_message = "Storage, vault and registry refuse every address that is not listed."
  }

  # vault and registry hold no shared credential
  assert {
    condition     = azurerm_key_vault.main.rbac_authorization_enabled && azurerm_key_vault.main.purge_protection_enabled && azurerm_key_vault.main.soft_delete_retention_days == 90
    error_message = "The vault decides by role and cannot be purged."
  }
  assert {
    condition     = azurerm_container_registry.main.sku == "Premium" && azurerm_container_registry.main.admin_enabled == false && azurerm_container_registry.main.anonymous_pull_enabled == false
    error_message = "The registry is Premium, without an admin account or anonymous pulls."
  }
  assert {
    condition     = azurerm_machine_learning_workspace.main.storage_account_access_type == "Identity"
    error_message = "The workspace's datastores must hold no account key."
  }
  assert {
    condition     = azurerm_log_analytics_workspace.main.local_authentication_enabled == false
    error_message = "Log Analytics takes no shared key."
  }

  # computes sleep at zero without public addresses
  assert {
    condition     = toset(keys(azurerm_machine_learning_compute_cluster.main)) == toset(["training", "build"]) && alltrue([for cluster in azurerm_machine_learning_compute_cluster.main : cluster.scale_settings[0].min_node_count == 0])
    error_message = "Idle computes cost nothing."
  }
  assert {
    condition     = alltrue([for cluster in azurerm_machine_learning_compute_cluster.main : !cluster.node_public_ip_enabled && !cluster.ssh_public_access_enabled && !cluster.local_auth_enabled])
    error_message = "Nodes have no public address, no SSH and no local account."
  }
  assert {
    condition     = azurerm_machine_learning_workspace.main.image_build_compute_name == azurerm_machine_learning_compute_cluster.main["build"].name
    error_message = "Images are built on the compute that reaches the private registry."
  }

  # nobody holds more than the task needs
  assert {
    condition = length(setintersection(
      concat([for table in [azurerm_role_assignment.workspace, azurerm_role_assignment.cluster, azurerm_role_assignment.main, azurerm_role_assignment.people] : [for grant in table : grant.role_definition_name]]...),
      ["Owner", "User Access Administrator", "Role Based Access Control Administrator", "Key Vault Administrator", "Storage Blob Data Owner", "Azure AI Administrator"],
    )) == 0
    error_message = "A grant is too wide: nobody holds Owner or a role that hands out roles."
  }
  assert {
    condition = [for key, grant in azurerm_role_assignment.main : key if grant.role_definition_name == "Contributor"] == ["workspace-cluster-control", "workspace-itself"] && length(setintersection(
      concat([for table in [azurerm_role_assignment.workspace, azurerm_role_assignment.cluster, azurerm_role_assignment.people] : [for grant in table : grant.role_definition_name]]...), ["Contributor"],
    )) == 0
    error_message = "Contributor is granted twice: to the workspace's identity, on the workspace itself and on the cluster of trusted access."
  }
  assert {
    condition     = azurerm_role_assignment.main["workspace-cluster-control"].scope == azurerm_kubernetes_cluster.main.id && azurerm_role_assignment.main["workspace-itself"].scope == azurerm_machine_learning_workspace.main.id
    error_message = "The two Contributor grants reach one resource each."
  }
  assert {
    condition     = alltrue([for key, grant in local.grants : grant.scope != azurerm_resource_group.main.id || grant.role == "Reader"])
    error_message = "Only Reader is granted on the whole group."
  }
  assert {
    condition     = [for key, grant in local.grants : grant.who if grant.role == "Key Vault Secrets User"] == ["training"] && endswith(azurerm_role_assignment.main["training-snowflake"].scope, "/secrets/snowflake-private-key")
    error_message = "Only the training identity reads Snowflake's key, and only that secret."
  }
  assert {
    condition     = toset([for key, grant in local.grants : grant.who if grant.role == "AcrPush"]) == toset(["build"])
    error_message = "Only the building identity and the workspace push images."
  }
  assert {
    condition     = alltrue([for key, grant in local.grants : !contains([local.storage, local.vault], grant.scope) || startswith(grant.role, "Storage Blob Data ")])
    error_message = "On storage and vault, identities hold data roles only."
  }
  assert {
    condition     = toset([for key, grant in local.grants : grant.role if grant.who == "serving"]) == toset(["AcrPull", "Storage Blob Data Contributor"])
    error_message = "The scoring pods pull images and use blobs; nothing else."
  }

  # every grant reaches the identity that it is written for
  assert {
    condition     = alltrue([for key, grant in local.grants : azurerm_role_assignment.main[key].principal_id == azurerm_user_assigned_identity.main[grant.who].principal_id && azurerm_role_assignment.main[key].role_definition_name == grant.role && azurerm_role_assignment.main[key].scope == grant.scope])
    error_message = "A grant goes to another identity, role or scope than its row says."
  }
  assert {
    condition     = alltrue([for grant in azurerm_role_assignment.workspace : grant.principal_id == azurerm_user_assigned_identity.main["workspace"].principal_id]) && alltrue([for grant in azurerm_role_assignment.cluster : grant.principal_id == azurerm_user_assigned_identity.main["cluster"].principal_id])
    error_message = "The workspace's and the cluster's grants go to their own identities."
  }
  assert {
    condition     = azurerm_role_assignment.cluster["subnet"].scope == azurerm_subnet.main["aks"].id
    error_message = "AKS joins its own subnet and no other."
  }
  assert {
    condition     = alltrue([for key, cluster in azurerm_machine_learning_compute_cluster.main : cluster.identity[0].identity_ids == toset([azurerm_user_assigned_identity.main[key].id])])
    error_message = "Jobs run as the training identity, image builds as the building one."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.identity[0].identity_ids == toset([azurerm_user_assigned_identity.main["cluster"].id]) && azurerm_kubernetes_cluster.main.kubelet_identity[0].user_assigned_identity_id == azurerm_user_assigned_identity.main["kubelet"].id && azurerm_machine_learning_workspace.main.primary_user_assigned_identity == azurerm_user_assigned_identity.main["workspace"].id
    error_message = "Cluster, kubelet and workspace run as their own identities."
  }

  # pipelines sign in without a secret
  assert {
    condition     = alltrue([for link in azurerm_federated_identity_credential.pipelines : link.audience == tolist(["api://AzureADTokenExchange"]) && startswith(link.issuer, "https://")]) && length(azurerm_federated_identity_credential.pipelines) == 1
    error_message = "Azure Pipelines signs in by federation."
  }

  # an endpoint runs as the identity that may read models, and whoever creates it may hand it over
  assert {
    condition     = azurerm_role_assignment.main["pipelines-serving"].scope == azurerm_user_assigned_identity.main["serving"].id && azurerm_role_assignment.main["pipelines-serving"].role_definition_name == "Managed Identity Operator"
    error_message = "Pipelines may give an endpoint the serving identity."
  }

  # grants are awaited
  assert {
    condition     = time_sleep.creation_grants.create_duration == "90s" && time_sleep.grants.create_duration == "90s"
    error_message = "What needs a grant is made once Azure knows the grant."
  }

  # the workspace works as its user-assigned identity and has one of its own for trusted access
  assert {
    condition     = azurerm_machine_learning_workspace.main.identity[0].type == "SystemAssigned, UserAssigned" && azurerm_machine_learning_workspace.main.identity[0].identity_ids == toset([azurerm_user_assigned_identity.main["workspace"].id])
    error_message = "The workspace has both identities."
  }

  # the studio's rule on the storage account is ours, so a plan does not take it away
  assert {
    condition     = contains(azurerm_storage_account.main.blob_properties[0].cors_rule[0].allowed_origins, "https://ml.azure.com") && length(azurerm_storage_account.main.blob_properties[0].cors_rule[0].allowed_origins) == 5
    error_message = "The studio's CORS rule is missing."
  }
  assert {
    condition     = azurerm_container_registry.main.zone_redundancy_enabled
    error_message = "Every registry is zone redundant: a false would one day replace it."
  }

  # a teardown also deletes what application insights made by itself
  assert {
    condition     = toset([for action in azapi_resource_action.generated : action.resource_id]) == toset(["${azurerm_resource_group.main.id}/providers/Microsoft.AlertsManagement/smartDetectorAlertRules/Failure Anomalies - ${azurerm_application_insights.main.name}", "${azurerm_resource_group.main.id}/providers/Microsoft.Insights/actionGroups/Application Insights Smart Detection"]) && alltrue([for action in azapi_resource_action.generated : action.method == "DELETE" && action.when == "destroy"])
    error_message = "The resource group would stay, with an alert rule in it that Terraform does not know."
  }

  # whoever is neither private nor approved by Azure ML has a rule
  assert {
    condition     = local.approved_only || !local.managed_network || !local.public || toset([for rule in azapi_resource.outbound_rule : "${rule.body.properties.destination.serviceResourceId} ${rule.body.properties.destination.subresourceTarget}" if rule.body.properties.type == "PrivateEndpoint"]) == toset([for endpoint in azurerm_private_endpoint.main : "${endpoint.private_service_connection[0].private_connection_resource_id} ${endpoint.private_service_connection[0].subresource_names[0]}"])
    error_message = "A service with an open side has no endpoint in the managed network: jobs would be refused by its firewall."
  }
  assert {
    condition     = alltrue([for rule in azapi_resource.outbound_rule : rule.locks == tolist([azurerm_machine_learning_workspace.main.id]) && rule.parent_id == azurerm_machine_learning_workspace.main.id])
    error_message = "Outbound rules are made one after another."
  }

  # the cluster is hardened
  assert {
    condition     = azurerm_kubernetes_cluster.main.oidc_issuer_enabled && azurerm_kubernetes_cluster.main.workload_identity_enabled && azurerm_kubernetes_cluster.main.azure_active_directory_role_based_access_control[0].azure_rbac_enabled
    error_message = "AKS has an OIDC issuer, workload identity and Azure RBAC."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.network_profile[0].network_plugin_mode == "overlay" && azurerm_kubernetes_cluster.main.network_profile[0].network_data_plane == "cilium" && azurerm_kubernetes_cluster.main.network_profile[0].network_policy == "cilium" && azurerm_kubernetes_cluster.main.network_profile[0].outbound_type == "userAssignedNATGateway"
    error_message = "CNI overlay with cilium, out through the NAT gateway."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.automatic_upgrade_channel == "patch" && azurerm_kubernetes_cluster.main.node_os_upgrade_channel == "NodeImage"
    error_message = "Patches arrive by themselves."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.default_node_pool[0].only_critical_addons_enabled && azurerm_kubernetes_cluster.main.default_node_pool[0].auto_scaling_enabled && azurerm_kubernetes_cluster_node_pool.user.auto_scaling_enabled && azurerm_kubernetes_cluster_node_pool.user.mode == "User"
    error_message = "A system pool for the system, a user pool for the model, both scale."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.local_account_disabled == false
    error_message = "The Azure ML extension is documented to need local accounts."
  }
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].extension_type == "Microsoft.AzureML.Kubernetes" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["enableInference"] == "True" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["enableTraining"] == "False" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["inferenceRouterServiceType"] == "LoadBalancer"
    error_message = "The Azure ML extension serves."
  }
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["internalLoadBalancerProvider"] == "azure" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["scoringFe.serviceType.internalLoadBalancer"] == "true"
    error_message = "The scoring address is inside the network."
  }

  # logs and alerts reach somebody
  assert {
    condition     = toset(keys(azurerm_monitor_diagnostic_setting.main)) == toset(["workspace", "vault", "registry", "blob", "cluster"])
    error_message = "A resource sends no logs."
  }
  assert {
    condition     = toset(keys(azurerm_monitor_metric_alert.main)) == toset(["failed-jobs", "failed-deployments", "silent-jobs", "unusable-nodes", "compute-quota", "node-cpu", "node-memory", "node-disk", "vault-availability", "storage-availability"]) && toset(keys(azurerm_monitor_scheduled_query_rules_alert_v2.main)) == toset(["endpoint-errors", "endpoint-latency", "monitor", "failed-scaling"])
    error_message = "An alert is missing: endpoint errors, latency, failed jobs, node pressure."
  }
  assert {
    condition     = alltrue([for alert in azurerm_monitor_metric_alert.main : length(alert.action) == 1]) && alltrue([for alert in azurerm_monitor_scheduled_query_rules_alert_v2.main : length(alert.action) == 1]) && alltrue([for alert in azurerm_monitor_activity_log_alert.health : length(alert.action) == 1]) && length(azurerm_monitor_activity_log_alert.health) == 2
    error_message = "An alert without the action group reaches nobody."
  }
  assert {
    condition     = length(azurerm_monitor_action_group.main.email_receiver) == length(var.alert_emails) && length(azurerm_monitor_action_group.main.short_name) <= 12
    error_message = "Everybody in alert_emails gets the alerts; Azure allows 12 characters as the group's short name."
  }

  assert {
    condition     = alltrue([for key, alert in azurerm_monitor_metric_alert.main : one(alert.criteria[0].dimension).name == "node" && one(alert.criteria[0].dimension).values == tolist(["*"]) if startswith(key, "node-")])
    error_message = "Each node is looked at by itself, not the average of all."
  }
  assert {
    condition     = alltrue([for key, alert in azurerm_monitor_metric_alert.main : alert.criteria[0].operator == (endswith(key, "-availability") ? "LessThan" : "GreaterThan")])
    error_message = "Availability alerts from below, everything else from above."
  }

  # the budget warns before and after
  assert {
    condition     = azurerm_consumption_budget_subscription.main.amount == 750 && azurerm_consumption_budget_subscription.main.time_grain == "Monthly"
    error_message = "The environment has its monthly budget."
  }
  assert {
    condition     = azurerm_consumption_budget_subscription.main.time_period[0].start_date == formatdate("YYYY-MM-'01T00:00:00Z'", plantimestamp())
    error_message = "The budget begins in the month of the first apply."
  }
  assert {
    condition     = toset([for note in azurerm_consumption_budget_subscription.main.notification : "${note.threshold_type} ${note.threshold}"]) == toset(["Actual 50", "Actual 80", "Actual 100", "Forecasted 100"])
    error_message = "The budget warns at 50, 80 and 100 % spent and at 100 % forecast."
  }
  assert {
    condition     = alltrue([for note in azurerm_consumption_budget_subscription.main.notification : length(note.contact_emails) > 0])
    error_message = "A budget warning without a reader."
  }
  assert {
    condition     = one(azurerm_consumption_budget_subscription.main.filter[0].dimension).values == tolist(["gbj-dmd-dev-rg", "gbj-dmd-dev-aks-nodes-rg"]) && azurerm_kubernetes_cluster.main.node_resource_group == "gbj-dmd-dev-aks-nodes-rg"
    error_message = "The budget covers the nodes' own resource group."
  }

  # outputs feed the makefile
  assert {
    condition     = output.make.GROUP == "gbj-dmd-dev-rg" && output.make.WORKSPACE == "gbj-dmd-dev-mlw" && output.make.CLUSTER == "gbj-dmd-dev-aks" && output.make.STATE_KEY == "dev.tfstate"
    error_message = "The Makefile gets the names of this environment."
  }
  assert {
    condition     = output.deployed.CLUSTER_ID == azurerm_kubernetes_cluster.main.id && output.deployed.SUBSCRIPTION_ID == "11111111-2222-3333-4444-555555555555"
    error_message = "The Makefile gets the ids of this deployment."
  }

  # dev is open to listed ranges only
  assert {
    condition     = alltrue([for open in [azurerm_storage_account.main.public_network_access_enabled, azurerm_key_vault.main.public_network_access_enabled, azurerm_container_registry.main.public_network_access_enabled, azurerm_machine_learning_workspace.main.public_network_access_enabled] : open])
    error_message = "dev opens its public side to the listed ranges."
  }
  assert {
    condition     = azurerm_storage_account.main.network_rules[0].ip_rules == toset(["203.0.113.0/24"]) && azurerm_key_vault.main.network_acls[0].ip_rules == toset(["203.0.113.0/24"]) && [for rule in tolist(azurerm_container_registry.main.network_rule_set)[0].ip_rule : rule.ip_range] == ["203.0.113.0/24"]
    error_message = "dev lists the ranges that may come in."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.private_cluster_enabled == false && azurerm_kubernetes_cluster.main.api_server_access_profile[0].authorized_ip_ranges == toset(["203.0.113.0/24", "198.51.100.7/32", "192.0.2.0/28"])
    error_message = "dev's API server answers the listed ranges, Azure ML and its own nodes."
  }
  assert {
    condition     = output.deployed.ALLOWED_IP_RANGES == "203.0.113.0/24"
    error_message = "attach.sh gets the workspace's allow-list."
  }
  assert {
    condition     = azapi_resource_action.workspace[0].body.properties.networkAcls.defaultAction == "Deny" && [for rule in azapi_resource_action.workspace[0].body.properties.networkAcls.ipRules : rule.value] == ["203.0.113.0/24"] && azapi_resource_action.workspace[0].resource_id == azurerm_machine_learning_workspace.main.id
    error_message = "The workspace answers the listed ranges only."
  }
  assert {
    condition     = toset(keys(data.azurerm_network_service_tags.azureml)) == toset(["eastus2", "centralus"])
    error_message = "Azure ML calls the API server from the region and from its pair."
  }
  assert {
    condition     = contains(keys(azapi_resource.outbound_rule), "own-registry") && length(azapi_resource.outbound_rule) == 5
    error_message = "Jobs reach storage, vault, registry and workspace by endpoints of the managed network."
  }

  # dev serves http inside the network with one router
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["allowInsecureConnections"] == "True" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["inferenceRouterHA"] == "False" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["clusterPurpose"] == "DevTest"
    error_message = "dev serves HTTP with one router."
  }
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_protected_settings == null
    error_message = "Without TLS there is nothing to protect."
  }
  assert {
    condition     = [for rule in azurerm_network_security_group.main["aks"].security_rule : one(rule.destination_port_ranges) if rule.name == "allow-scoring"] == ["80"]
    error_message = "The scoring port follows TLS."
  }

  # dev has no locks and costs less
  assert {
    condition     = length(azurerm_management_lock.main) == 0
    error_message = "dev can be taken down and built again."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.sku_tier == "Free" && azurerm_storage_account.main.account_replication_type == "LRS" && azurerm_kubernetes_cluster_node_pool.user.min_count == 1
    error_message = "dev takes the cheap tiers."
  }
  assert {
    condition     = azurerm_role_assignment.people["scientists-workspace"].role_definition_name == "AzureML Data Scientist"
    error_message = "Data scientists work in dev."
  }
  assert {
    condition     = azurerm_role_assignment.people["platform-storage"].role_definition_name == "Storage Blob Data Contributor" && azurerm_role_assignment.people["platform-jobs"].role_definition_name == "AzureML Data Scientist" && azurerm_role_assignment.people["platform-cluster"].role_definition_name == "Azure Kubernetes Service RBAC Cluster Admin"
    error_message = "Whoever deploys dev can make the namespace and submit the first job."
  }
}

run "dev_closes_when_nothing_is_listed" {
  command = plan
  variables {
    allowed_ip_ranges = []
  }

  # dev closes when nothing is listed
  assert {
    condition     = azurerm_storage_account.main.public_network_access_enabled == false && azurerm_key_vault.main.public_network_access_enabled == false && azurerm_machine_learning_workspace.main.public_network_access_enabled == false && azurerm_container_registry.main.public_network_access_enabled == false
    error_message = "An empty list means closed, not open to all."
  }
  assert {
    condition     = length(azapi_resource.outbound_rule) == 0 && length(azapi_resource_action.workspace) == 0
    error_message = "What is closed gets its endpoints from Azure ML."
  }
}

run "dev_with_other_choices" {
  command = plan
  variables {
    allowed_ip_ranges         = ["198.51.100.9/32"]
    managed_network_isolation = "Disabled"
    data_scientists_group_id  = null
    platform_group_id         = null
    pipelines_federation      = {}
    purge_on_destroy          = true
  }

  # a single address reaches storage without its mask
  assert {
    condition     = azurerm_storage_account.main.network_rules[0].ip_rules == toset(["198.51.100.9"])
    error_message = "Storage refuses /32."
  }

  # without a managed network computes join the subnet
  assert {
    condition     = alltrue([for cluster in azurerm_machine_learning_compute_cluster.main : cluster.subnet_resource_id == azurerm_subnet.main["training"].id]) && length(azurerm_role_assignment.workspace) == 9 && length(azapi_resource.outbound_rule) == 0 && !contains(keys(azurerm_role_assignment.main), "workspace-endpoint")
    error_message = "Without a managed network the computes stand in the training subnet, and nobody approves endpoints."
  }

  # without groups whoever applies can go on
  assert {
    condition     = alltrue([for key, grant in azurerm_role_assignment.people : startswith(key, "platform-") && grant.principal_id == data.azurerm_client_config.current.object_id]) && length(azurerm_federated_identity_credential.pipelines) == 0
    error_message = "Groups and federation are optional; without a platform group whoever applies gets its rows."
  }

  # what soft delete keeps is purged only when asked
  assert {
    condition     = var.purge_on_destroy && azurerm_key_vault.main.purge_protection_enabled
    error_message = "Purging never reaches the vault."
  }
}
