# What prod is.
# The first part of this block is environments/prod.tfvars word for word; tests/infra holds the two equal.
mock_provider "azurerm" {
  source = "./tests/mocks"
}

mock_provider "azapi" {}

mock_provider "time" {}

variables {
  company     = "gbj"
  project     = "dmd"
  environment = "prod"
  location    = "eastus2"
  tags        = { cost_center = "demand-forecast" }

  address_space             = "10.30.0.0/16"
  managed_network_isolation = "AllowOnlyApprovedOutbound"
  outbound_fqdns = {
    snowflake      = "*.snowflakecomputing.com"
    snowflake-ocsp = "ocsp.snowflakecomputing.com"
    python-index   = "pypi.org"
    python-files   = "files.pythonhosted.org"
    conda-forge    = "conda.anaconda.org"
  }
  # Required, and only your Snowflake account knows it: snowflake_stage_fqdns (its description holds the query), or
  # snowflake_stage_storage_ids where the account runs on Azure.

  storage_replication = "ZRS"
  version_days        = 180
  training_max_nodes  = 4

  aks_zones           = ["1", "2", "3"]
  aks_system          = { vm_size = "Standard_D4s_v5", min = 3, max = 5 }
  aks_user            = { vm_size = "Standard_D4s_v5", min = 3, max = 6 }
  inference_router_ha = true
  inference_tls_cname = "demand.prod.globojava.example"

  log_retention_days = 90
  alert_emails       = ["demand-platform@globojava.example", "on-call@globojava.example"]
  budget_amount      = 2500

  # What only a deployment knows.
  data_scientists_group_id = "12345678-1234-1234-1234-123456789abc"
  platform_group_id        = "12345678-1234-1234-1234-123456789abd"
  pipelines_federation = {
    prod = { issuer = "https://login.microsoftonline.com/tenant/v2.0", subject = "/eid1/c/pub/t/x/a/y/sc/z" }
  }
  snowflake_stage_fqdns = ["sfc-test-customer-stage.s3.us-west-2.amazonaws.com"]
  inference_tls_ready   = true
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
run "prod_holds_every_rule" {
  command = apply

  # the environment is built
  assert {
    condition     = azurerm_machine_learning_workspace.main.name == "gbj-dmd-prod-mlw" && azurerm_kubernetes_cluster.main.name == "gbj-dmd-prod-aks" && azurerm_resource_group.main.name == "gbj-dmd-prod-rg"
    error_message = "The resources carry the names of the convention."
  }
  assert {
    condition     = azurerm_resource_group.main.tags["environment"] == "prod" && azurerm_resource_group.main.tags["managed_by"] == "terraform"
    error_message = "Every resource says which environment it belongs to and what made it."
  }

  # every subnet has its network security group
  assert {
    condition     = toset(keys(azurerm_subnet.main)) == toset(keys(azurerm_subnet_network_security_group_association.main)) && length(azurerm_subnet.main) >= 4
    error_message = "A subnet without a network security group: prod."
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
    condition     = azurerm_consumption_budget_subscription.main.amount == 2500 && azurerm_consumption_budget_subscription.main.time_grain == "Monthly"
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
    condition     = one(azurerm_consumption_budget_subscription.main.filter[0].dimension).values == tolist(["gbj-dmd-prod-rg", "gbj-dmd-prod-aks-nodes-rg"]) && azurerm_kubernetes_cluster.main.node_resource_group == "gbj-dmd-prod-aks-nodes-rg"
    error_message = "The budget covers the nodes' own resource group."
  }

  # outputs feed the makefile
  assert {
    condition     = output.make.GROUP == "gbj-dmd-prod-rg" && output.make.WORKSPACE == "gbj-dmd-prod-mlw" && output.make.CLUSTER == "gbj-dmd-prod-aks" && output.make.STATE_KEY == "prod.tfstate"
    error_message = "The Makefile gets the names of this environment."
  }
  assert {
    condition     = output.deployed.CLUSTER_ID == azurerm_kubernetes_cluster.main.id && output.deployed.SUBSCRIPTION_ID == "11111111-2222-3333-4444-555555555555"
    error_message = "The Makefile gets the ids of this deployment."
  }

  # prod has no public side
  assert {
    condition     = !anytrue([azurerm_storage_account.main.public_network_access_enabled, azurerm_key_vault.main.public_network_access_enabled, azurerm_container_registry.main.public_network_access_enabled, azurerm_machine_learning_workspace.main.public_network_access_enabled])
    error_message = "prod is reached through private endpoints only."
  }
  assert {
    condition     = length(azurerm_storage_account.main.network_rules[0].ip_rules) == 0 && length(azurerm_key_vault.main.network_acls[0].ip_rules) == 0 && length(tolist(azurerm_container_registry.main.network_rule_set)[0].ip_rule) == 0
    error_message = "prod lists no public address."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.private_cluster_enabled && !azurerm_kubernetes_cluster.main.private_cluster_public_fqdn_enabled && length(azurerm_kubernetes_cluster.main.api_server_access_profile) == 0
    error_message = "prod's API server has no public address and no public name."
  }
  assert {
    condition     = output.deployed.ALLOWED_IP_RANGES == ""
    error_message = "prod allows nobody from outside."
  }

  # prod serves tls through protected settings
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["allowInsecureConnections"] == "False" && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["sslCname"] == "demand.prod.globojava.example"
    error_message = "prod serves HTTPS under its name."
  }
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["sslSecret"] == output.deployed.SCORING_SECRET && azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["scoringFe.sslSecret"] == output.deployed.SCORING_SECRET
    error_message = "The router reads the certificate from the cluster's secret."
  }
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_protected_settings == null && length(setintersection(keys(azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings), ["scoringFe.sslCert", "scoringFe.sslKey", "sslCertPemFile", "sslKeyPemFile"])) == 0
    error_message = "Neither certificate nor key passes through Terraform."
  }
  assert {
    condition     = [for rule in azurerm_network_security_group.main["aks"].security_rule : one(rule.destination_port_ranges) if rule.name == "allow-scoring"] == ["443"]
    error_message = "The scoring port follows TLS."
  }

  # prod survives a node and a zone
  assert {
    condition     = azurerm_kubernetes_cluster_extension.azureml[0].configuration_settings["inferenceRouterHA"] == "True" && azurerm_kubernetes_cluster_node_pool.user.min_count >= 3 && length(azurerm_kubernetes_cluster_node_pool.user.zones) == 3
    error_message = "prod runs three routers on three nodes in three zones."
  }
  assert {
    condition     = azurerm_kubernetes_cluster.main.sku_tier == "Standard" && azurerm_storage_account.main.account_replication_type == "ZRS" && azurerm_container_registry.main.zone_redundancy_enabled
    error_message = "prod takes the tiers with a service level."
  }

  # prod locks what cannot be made again
  assert {
    condition     = toset(keys(azurerm_management_lock.main)) == toset(["storage", "vault"]) && alltrue([for lock in azurerm_management_lock.main : lock.lock_level == "CanNotDelete"])
    error_message = "Storage and vault are locked in prod; the workspace is not, or no rollout could delete a deployment."
  }
  assert {
    condition     = azurerm_management_lock.main["storage"].scope == azurerm_storage_account.main.id && azurerm_management_lock.main["vault"].scope == azurerm_key_vault.main.id
    error_message = "Each lock holds its own resource."
  }

  # prod jobs reach approved names only
  assert {
    condition     = azurerm_machine_learning_workspace.main.managed_network[0].isolation_mode == "AllowOnlyApprovedOutbound" && toset([for rule in azapi_resource.outbound_rule : rule.body.properties.destination]) == toset(concat(values(var.outbound_fqdns), ["sfc-test-customer-stage.s3.us-west-2.amazonaws.com"])) && alltrue([for rule in azapi_resource.outbound_rule : rule.body.properties.type == "FQDN"])
    error_message = "prod's jobs reach Snowflake and what else is listed, nothing more."
  }
  assert {
    condition     = toset([for key in keys(azurerm_role_assignment.workspace) : key if endswith(key, "-endpoint")]) == toset(["storage-endpoint", "vault-endpoint", "registry-endpoint"])
    error_message = "The managed network must be able to approve its endpoints."
  }
  assert {
    condition     = alltrue([for cluster in azurerm_machine_learning_compute_cluster.main : cluster.subnet_resource_id != azurerm_subnet.main["training"].id])
    error_message = "In a managed network the computes stand in no subnet of ours."
  }

  assert {
    condition     = azapi_resource_action.workspace[0].body.properties.managedNetwork.firewallSku == "Basic" && azapi_resource_action.workspace[0].method == "PATCH" && !can(azapi_resource_action.workspace[0].body.properties.publicNetworkAccess)
    error_message = "prod takes the cheaper firewall and opens nothing."
  }
  assert {
    condition     = output.deployed.OUTBOUND_FQDNS == "*.snowflakecomputing.com,conda.anaconda.org,files.pythonhosted.org,ocsp.snowflakecomputing.com,pypi.org,sfc-test-customer-stage.s3.us-west-2.amazonaws.com"
    error_message = "attach.sh gets the names that the rules must show."
  }

  # prods data scientists read
  assert {
    condition     = azurerm_role_assignment.people["scientists-workspace"].role_definition_name == "Reader" && azurerm_role_assignment.people["scientists-storage"].role_definition_name == "Storage Blob Data Reader"
    error_message = "In prod data scientists change nothing."
  }
}

run "prod_before_the_certificate" {
  command = plan
  variables {
    inference_tls_ready = false
  }

  # the extension waits for the certificate
  assert {
    condition     = length(azurerm_kubernetes_cluster_extension.azureml) == 0 && output.deployed.EXTENSION_INSTALLED == "no" && output.deployed.SCORING_CERTIFICATE == "scoring-certificate"
    error_message = "The first deployment makes the cluster, attach.sh its certificate, the second deployment the extension."
  }
}

run "prod_in_a_hub_with_agents_and_snowflake_on_azure" {
  command = apply
  variables {
    snowflake_stage_fqdns       = []
    snowflake_stage_storage_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/sf/providers/Microsoft.Storage/storageAccounts/sfcstage"]
    hub = {
      network_id = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
      zone_ids   = { blob = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net" }
    }
    agent_pool = {
      organization                = "https://dev.azure.com/globojava"
      infrastructure_principal_id = "12345678-1234-1234-1234-123456789abf"
    }
  }

  # agents stand in their own subnet
  assert {
    condition     = azapi_resource.agent_pool["main"].body.properties.fabricProfile.networkProfile.subnetId == azurerm_subnet.main["agents"].id && azurerm_subnet.main["agents"].delegation[0].service_delegation[0].name == "Microsoft.DevOpsInfrastructure/pools" && length(azurerm_subnet.main["aks"].delegation) == 0
    error_message = "The pool has the agents' subnet to itself."
  }
  assert {
    condition     = toset([for key, grant in azurerm_role_assignment.people : grant.role_definition_name if startswith(key, "agents-")]) == toset(["Reader", "Network Contributor"]) && alltrue([for key, grant in azurerm_role_assignment.people : grant.scope == azurerm_virtual_network.main.id && grant.principal_id == "12345678-1234-1234-1234-123456789abf" if startswith(key, "agents-")])
    error_message = "Azure's application puts agents into this network and no other."
  }

  # a hub is met halfway and its zones are used
  assert {
    condition     = one(azurerm_virtual_network_peering.hub).remote_virtual_network_id == var.hub.network_id && toset(keys(azurerm_private_dns_zone.main)) == toset(["file", "vault", "registry", "workspace", "notebooks"]) && azurerm_private_endpoint.main["blob"].private_dns_zone_group[0].private_dns_zone_ids == tolist([var.hub.zone_ids["blob"]])
    error_message = "The hub's network is peered, and its zones serve the endpoints."
  }

  # snowflakes stage on azure is reached by an endpoint
  assert {
    condition     = contains([for rule in azapi_resource.outbound_rule : try(rule.body.properties.destination.serviceResourceId, "")], one(var.snowflake_stage_storage_ids))
    error_message = "A stage that is a storage account needs an endpoint: a name does not open it."
  }
}

run "prod_deployed_by_a_pipeline" {
  command = apply
  variables {
    platform_group_id   = null
    deployer_object_ids = ["12345678-1234-1234-1234-123456789ab1"]
  }

  # the identity that applies may attach, and the one that plans gets nothing
  assert {
    condition     = toset([for key, grant in azurerm_role_assignment.people : grant.role_definition_name if startswith(key, "deployer-")]) == toset(["Azure Kubernetes Service RBAC Cluster Admin", "Key Vault Secrets User"]) && alltrue([for key, grant in azurerm_role_assignment.people : grant.principal_id == "12345678-1234-1234-1234-123456789ab1" if startswith(key, "deployer-")])
    error_message = "Whoever deploys brings namespace and certificate into the cluster."
  }
  assert {
    condition     = alltrue([for grant in azurerm_role_assignment.people : grant.principal_id != data.azurerm_client_config.current.object_id]) && alltrue([for grant in azurerm_role_assignment.people : endswith(grant.scope, "/secrets/scoring-certificate") if grant.role_definition_name == "Key Vault Secrets User"])
    error_message = "Whoever plans holds no row, and the deployer reads one secret."
  }
}

run "prod_with_the_workspaces_own_identity_alone" {
  command = apply
  variables {
    workspace_system_identity = true
  }

  # azure makes the grants that it would refuse from us
  assert {
    condition     = azurerm_machine_learning_workspace.main.identity[0].type == "SystemAssigned" && length(azurerm_role_assignment.workspace) == 0
    error_message = "A workspace with only its own identity gets its roles from Azure."
  }
  assert {
    condition     = azurerm_role_assignment.main["workspace-cluster-admin"].principal_id == azurerm_machine_learning_workspace.main.identity[0].principal_id
    error_message = "What Azure does not grant goes to that identity."
  }
}

run "prod_is_torn_down_without_what_only_a_deployment_knows" {
  command = plan
  variables {
    destroying            = true
    snowflake_stage_fqdns = []
    inference_tls_cname   = null
  }

  # nothing is asked for
  assert {
    condition     = length(azapi_resource.outbound_rule) == length(var.outbound_fqdns)
    error_message = "A teardown needs no Snowflake stage and no host name."
  }
}
