# `make outputs-infra` turns these into Makefile variables, so that nobody types a name twice.
output "names" {
  description = "Every name of the environment, by role."
  value       = local.names
}

output "make" {
  description = "Makefile variables that need no deployment: the committed outputs/<environment>.mk."
  value       = module.names.make
}

output "deployed" {
  description = "Makefile variables that only a deployment knows: outputs/<environment>.deployed.mk."
  value = {
    SUBSCRIPTION_ID     = data.azurerm_client_config.current.subscription_id
    TENANT_ID           = data.azurerm_client_config.current.tenant_id
    LOCATION            = var.location
    WORKSPACE_ID        = azurerm_machine_learning_workspace.main.id
    CLUSTER_ID          = azurerm_kubernetes_cluster.main.id
    SERVING_IDENTITY_ID = azurerm_user_assigned_identity.main["serving"].id
    PIPELINES_CLIENT_ID = azurerm_user_assigned_identity.main["pipelines"].client_id
    VAULT               = azurerm_key_vault.main.name
    VAULT_URI           = azurerm_key_vault.main.vault_uri
    STORAGE_ACCOUNT     = azurerm_storage_account.main.name
    REGISTRY            = azurerm_container_registry.main.login_server
    OUTBOUND_IP         = azurerm_public_ip.nat.ip_address
    NETWORK_ID          = azurerm_virtual_network.main.id
    # Names the resource that takes metrics and lets nobody read.
    INSIGHTS = nonsensitive(azurerm_application_insights.main.connection_string)
    # Comma-separated. The ranges are empty in prod; the names are those that the outbound rules must show.
    ALLOWED_IP_RANGES = join(",", local.public ? var.allowed_ip_ranges : [])
    OUTBOUND_FQDNS    = join(",", sort(values(local.outbound_names)))
    # The certificate in the vault, the Kubernetes secret that the router reads, the host; empty without TLS.
    SCORING_CERTIFICATE = local.tls ? local.names.scoring_certificate : ""
    SCORING_SECRET      = local.tls ? local.names.scoring_secret : ""
    SCORING_HOST        = local.tls ? var.inference_tls_cname : ""
    # "no": the cluster waits for the certificate; then inference_tls_ready = true, plan, deploy.
    EXTENSION_INSTALLED = local.extension ? "yes" : "no"
    AGENT_POOL          = var.agent_pool == null ? "" : local.names.agent_pool
  }
}
