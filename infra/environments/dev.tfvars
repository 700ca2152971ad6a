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
