# What a wrong value ends in: one message that names the variable, before anything is planned. tests/variables is
# variables.tf alone (a link), which needs no provider: some forty runs take seconds.

variables {
  company                   = "gbj"
  project                   = "dmd"
  environment               = "dev"
  location                  = "eastus2"
  address_space             = "10.20.0.0/16"
  managed_network_isolation = "AllowInternetOutbound"
  storage_replication       = "ZRS"
  training_max_nodes        = 2
  aks_system                = { vm_size = "Standard_D2s_v5", min = 1, max = 2 }
  aks_user                  = { vm_size = "Standard_D4s_v5", min = 3, max = 4 }
  inference_router_ha       = true
  alert_emails              = ["somebody@globojava.example"]
  budget_amount             = 1
}

run "the_values_above_are_right" {
  command = plan
  module {
    source = "./tests/variables"
  }
}

run "prod_refuses_a_public_range" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1", "2"]
    inference_tls_cname       = "demand.globojava.example"
    snowflake_stage_fqdns     = ["stage.s3.us-west-2.amazonaws.com"]
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    allowed_ip_ranges         = ["203.0.113.0/24"]
  }
  expect_failures = [var.allowed_ip_ranges]
}

run "the_whole_internet_is_no_allow_list" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    allowed_ip_ranges = ["0.0.0.0/0"]
  }
  expect_failures = [var.allowed_ip_ranges]
}

run "an_address_without_a_mask_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    allowed_ip_ranges = ["203.0.113.7"]
  }
  expect_failures = [var.allowed_ip_ranges]
}

run "a_range_that_storage_refuses_is_refused_here" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    allowed_ip_ranges = ["203.0.113.6/31"]
  }
  expect_failures = [var.allowed_ip_ranges]
}

run "prod_refuses_one_copy_of_the_data" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1", "2"]
    inference_tls_cname       = "demand.globojava.example"
    snowflake_stage_fqdns     = ["stage.s3.us-west-2.amazonaws.com"]
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    storage_replication       = "LRS"
  }
  expect_failures = [var.storage_replication]
}

run "prod_refuses_plain_http" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1", "2"]
    inference_tls_cname       = null
    snowflake_stage_fqdns     = ["stage.s3.us-west-2.amazonaws.com"]
    managed_network_isolation = "AllowOnlyApprovedOutbound"
  }
  expect_failures = [var.inference_tls_cname]
}

run "three_routers_need_three_nodes" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    aks_user = { vm_size = "Standard_D4s_v5", min = 2, max = 4 }
  }
  expect_failures = [var.inference_router_ha]
}

run "prod_refuses_one_router" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1", "2"]
    inference_tls_cname       = "demand.globojava.example"
    snowflake_stage_fqdns     = ["stage.s3.us-west-2.amazonaws.com"]
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    inference_router_ha       = false
  }
  expect_failures = [var.inference_router_ha]
}

run "prod_refuses_one_zone" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1"]
    inference_tls_cname       = "demand.globojava.example"
    snowflake_stage_fqdns     = ["stage.s3.us-west-2.amazonaws.com"]
    managed_network_isolation = "AllowOnlyApprovedOutbound"
  }
  expect_failures = [var.aks_zones]
}

run "a_pool_that_shrinks_below_its_minimum_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    aks_user = { vm_size = "Standard_D4s_v5", min = 3, max = 2 }
  }
  expect_failures = [var.aks_user]
}

run "a_system_pool_without_nodes_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    aks_system = { vm_size = "Standard_D2s_v5", min = 0, max = 2 }
  }
  expect_failures = [var.aks_system]
}

run "names_need_the_approved_mode" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    outbound_fqdns = { pypi = "pypi.org" }
  }
  expect_failures = [var.outbound_fqdns]
}

run "an_outbound_rule_for_everything_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    outbound_fqdns            = { all = "*" }
  }
  expect_failures = [var.outbound_fqdns]
}

run "an_unknown_isolation_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    managed_network_isolation = "Open"
  }
  expect_failures = [var.managed_network_isolation]
}

run "a_small_network_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    address_space = "10.20.0.0/20"
  }
  expect_failures = [var.address_space]
}

run "pods_inside_the_network_are_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    pod_cidr = "10.20.128.0/17"
  }
  expect_failures = [var.pod_cidr]
}

run "services_on_the_pods_addresses_are_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    service_cidr = "10.244.0.0/16"
  }
  expect_failures = [var.service_cidr]
}

run "a_patch_version_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    kubernetes_version = "1.36.2"
  }
  expect_failures = [var.kubernetes_version]
}

run "a_budget_of_nothing_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    budget_amount = 0
  }
  expect_failures = [var.budget_amount]
}

run "a_budget_from_mid_month_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    budget_start = "2026-12-15T00:00:00Z"
  }
  expect_failures = [var.budget_start]
}

run "an_alert_needs_a_reader" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    alert_emails = []
  }
  expect_failures = [var.alert_emails]
}

run "a_name_is_no_mail_address" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    alert_emails = ["platform team"]
  }
  expect_failures = [var.alert_emails]
}

run "a_group_name_is_no_group_id" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    platform_group_id = "platform"
  }
  expect_failures = [var.platform_group_id]
}

run "a_deployers_name_is_no_object_id" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    deployer_object_ids = ["terraform-apply"]
  }
  expect_failures = [var.deployer_object_ids]
}

run "a_scientists_group_name_is_no_id" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    data_scientists_group_id = "scientists"
  }
  expect_failures = [var.data_scientists_group_id]
}

run "the_issuer_that_ends_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    pipelines_federation = { c = { issuer = "https://vstoken.dev.azure.com/0", subject = "sc://o/p/c" } }
  }
  expect_failures = [var.pipelines_federation]
}

run "a_plain_http_issuer_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    pipelines_federation = { c = { issuer = "http://issuer", subject = "s" } }
  }
  expect_failures = [var.pipelines_federation]
}

run "own_tags_do_not_shadow_ours" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    tags = { environment = "other" }
  }
  expect_failures = [var.tags]
}

run "a_display_name_is_no_region" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    location = "East US 2"
  }
  expect_failures = [var.location]
}

run "no_soft_delete_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    soft_delete_days = 1
  }
  expect_failures = [var.soft_delete_days]
}

run "versions_outlive_soft_delete" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    version_days = 14
  }
  expect_failures = [var.version_days]
}

run "logs_are_kept_a_month_at_least" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    log_retention_days = 7
  }
  expect_failures = [var.log_retention_days]
}

run "a_training_compute_without_nodes_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    training_max_nodes = 0
  }
  expect_failures = [var.training_max_nodes]
}

run "images_without_a_tag_go_one_day" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    image_retention_days = 0
  }
  expect_failures = [var.image_retention_days]
}

run "a_latency_of_nothing_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    latency_alert_ms = 0
  }
  expect_failures = [var.latency_alert_ms]
}

run "a_replication_that_azure_lacks_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    storage_replication = "RAID1"
  }
  expect_failures = [var.storage_replication]
}

run "private_ranges_are_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    allowed_ip_ranges = ["203.0.113.0/24", "172.31.0.0/16"]
  }
  expect_failures = [var.allowed_ip_ranges]
}

run "carrier_grade_addresses_are_private_too" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    allowed_ip_ranges = ["100.127.1.0/24"]
  }
  expect_failures = [var.allowed_ip_ranges]
}

run "public_neighbours_of_private_ranges_pass" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    allowed_ip_ranges = ["172.32.0.0/16", "11.0.0.0/16", "100.128.0.0/16", "192.169.0.0/16"]
  }
}

run "a_region_is_not_its_own_pair" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    paired_location = "eastus2"
  }
  expect_failures = [var.paired_location]
}

run "a_rule_name_that_azure_refuses_is_refused_here" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    outbound_fqdns            = { "a.b" = "pypi.org" }
  }
  expect_failures = [var.outbound_fqdns]
}

run "a_storage_account_is_no_outbound_name" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    outbound_fqdns            = { data = "x.blob.core.windows.net" }
  }
  expect_failures = [var.outbound_fqdns]
}

run "prod_refuses_snowflake_without_its_stage" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1", "2"]
    inference_tls_cname       = "demand.globojava.example"
    managed_network_isolation = "AllowOnlyApprovedOutbound"
  }
  expect_failures = [var.snowflake_stage_fqdns]
}

run "prod_takes_a_stage_that_is_a_storage_account" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment                 = "prod"
    aks_zones                   = ["1", "2"]
    inference_tls_cname         = "demand.globojava.example"
    managed_network_isolation   = "AllowOnlyApprovedOutbound"
    snowflake_stage_storage_ids = ["/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/r/providers/Microsoft.Storage/storageAccounts/sfcstage"]
  }
}

run "a_teardown_of_prod_needs_neither_stage_nor_host" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    environment               = "prod"
    aks_zones                 = ["1", "2"]
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    destroying                = true
  }
}

run "a_stage_needs_the_approved_mode" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    snowflake_stage_fqdns = ["stage.s3.us-west-2.amazonaws.com"]
  }
  expect_failures = [var.snowflake_stage_fqdns]
}

run "a_stage_with_a_scheme_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    snowflake_stage_fqdns     = ["https://stage.s3.us-west-2.amazonaws.com"]
  }
  expect_failures = [var.snowflake_stage_fqdns]
}

run "a_stage_on_azure_is_no_name" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    managed_network_isolation = "AllowOnlyApprovedOutbound"
    snowflake_stage_fqdns     = ["sfcstage.blob.core.windows.net"]
  }
  expect_failures = [var.snowflake_stage_fqdns]
}

run "a_storage_account_is_named_by_its_id" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    snowflake_stage_storage_ids = ["sfcstage"]
  }
  expect_failures = [var.snowflake_stage_storage_ids]
}

run "a_firewall_tier_that_azure_ml_lacks_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    firewall_sku = "Premium"
  }
  expect_failures = [var.firewall_sku]
}

run "a_hub_is_named_by_its_id" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    hub = { network_id = "hub-vnet" }
  }
  expect_failures = [var.hub]
}

run "a_hubs_gateway_needs_a_hub" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    hub = { use_gateway = true }
  }
  expect_failures = [var.hub]
}

run "a_zone_that_no_endpoint_uses_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    hub = { zone_ids = { queue = "/subscriptions/x" } }
  }
  expect_failures = [var.hub]
}

run "an_organization_is_an_address" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    agent_pool = { organization = "globojava", infrastructure_principal_id = "12345678-1234-1234-1234-123456789abf" }
  }
  expect_failures = [var.agent_pool]
}

run "azures_application_is_named_by_its_object_id" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    agent_pool = { organization = "https://dev.azure.com/globojava", infrastructure_principal_id = "DevOpsInfrastructure" }
  }
  expect_failures = [var.agent_pool]
}

run "a_pool_without_agents_is_refused" {
  command = plan
  module {
    source = "./tests/variables"
  }
  variables {
    agent_pool = { organization = "https://dev.azure.com/globojava", max = 0, infrastructure_principal_id = "12345678-1234-1234-1234-123456789abf" }
  }
  expect_failures = [var.agent_pool]
}
