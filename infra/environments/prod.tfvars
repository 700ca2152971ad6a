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
