# Who may do what. One row per grant; no row holds Owner, the general Contributor or a role that hands out roles, and
# a test keeps it so. Rows of the workspace and the cluster come first: both must hold them to be created.
locals {
  identities = {
    workspace = "Runs the workspace: metadata in storage, secrets in the vault, images in the registry."
    training  = "Runs jobs on the training compute: reads sales and Snowflake's key, writes models."
    build     = "Builds images: the only identity that may push them for jobs."
    serving   = "Runs the scoring pods: pulls the image, reads the model, writes collected requests."
    cluster   = "Control plane of AKS: joins the subnet, hands the kubelet its identity."
    kubelet   = "Nodes of AKS: pull images."
    pipelines = "Azure Pipelines through federation: submits jobs, deploys models. It holds no secret."
  }

  storage   = azurerm_storage_account.main.id
  vault     = azurerm_key_vault.main.id
  registry  = azurerm_container_registry.main.id
  secret    = "${azurerm_key_vault.main.id}/secrets/${local.names.snowflake_secret}"
  principal = { for key, identity in azurerm_user_assigned_identity.main : key => identity.principal_id }

  # Microsoft documents the general Contributor on storage, vault, registry and insights for a workspace identity.
  # These are the same control-plane actions of each one service, and nothing of another.
  workspace_grants = merge(
    {
      storage-account  = { scope = local.storage, role = "Storage Account Contributor" }
      storage-blobs    = { scope = local.storage, role = "Storage Blob Data Contributor" }
      storage-files    = { scope = local.storage, role = "Storage File Data Privileged Contributor" }
      vault            = { scope = local.vault, role = "Key Vault Contributor" }
      vault-secrets    = { scope = local.vault, role = "Key Vault Secrets Officer" }
      registry         = { scope = local.registry, role = "Container Registry Contributor and Data Access Configuration Administrator" }
      registry-images  = { scope = local.registry, role = "AcrPush" }
      insights         = { scope = azurerm_application_insights.main.id, role = "Application Insights Component Contributor" }
      serving-identity = { scope = azurerm_user_assigned_identity.main["serving"].id, role = "Managed Identity Operator" }
    },
    # The managed network makes and approves its own endpoints to these three.
    local.managed_network ? {
      storage-endpoint  = { scope = local.storage, role = "Azure AI Enterprise Network Connection Approver" }
      vault-endpoint    = { scope = local.vault, role = "Azure AI Enterprise Network Connection Approver" }
      registry-endpoint = { scope = local.registry, role = "Azure AI Enterprise Network Connection Approver" }
    } : {},
  )

  cluster_grants = {
    subnet  = { scope = azurerm_subnet.main["aks"].id, role = "Network Contributor" }
    kubelet = { scope = azurerm_user_assigned_identity.main["kubelet"].id, role = "Managed Identity Operator" }
  }

  grants = merge(
    {
      # Attaching the cluster needs these three (a missing one ends in "extension not installed" or a server error).
      workspace-cluster-read      = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Reader" }
      workspace-cluster-extension = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Kubernetes Extension Contributor" }
      workspace-cluster-admin     = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Azure Kubernetes Service Cluster Admin Role" }

      training-workspace = { who = "training", scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Data Scientist" }
      training-storage   = { who = "training", scope = local.storage, role = "Storage Blob Data Contributor" }
      training-registry  = { who = "training", scope = local.registry, role = "AcrPull" }
      # One secret, not the vault: the vault also holds the workspace's own.
      training-snowflake = { who = "training", scope = local.secret, role = "Key Vault Secrets User" }

      build-registry = { who = "build", scope = local.registry, role = "AcrPush" }
      build-storage  = { who = "build", scope = local.storage, role = "Storage Blob Data Contributor" }

      serving-registry = { who = "serving", scope = local.registry, role = "AcrPull" }
      # Contributor, because the data collector writes requests and answers.
      serving-storage = { who = "serving", scope = local.storage, role = "Storage Blob Data Contributor" }

      kubelet-registry = { who = "kubelet", scope = local.registry, role = "AcrPull" }

      pipelines-group     = { who = "pipelines", scope = azurerm_resource_group.main.id, role = "Reader" }
      pipelines-workspace = { who = "pipelines", scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Data Scientist" }
      pipelines-storage   = { who = "pipelines", scope = local.storage, role = "Storage Blob Data Contributor" }
    },
    # The studio previews data through the endpoints that it can read.
    { for part in ["blob", "file"] : "workspace-endpoint-${part}" => {
      who = "workspace", scope = azurerm_private_endpoint.main[part].id, role = "Reader"
    } },
  )

  # People, by Entra group. In prod data scientists look and change nothing: changes come through a pipeline.
  people = merge(
    var.data_scientists_group_id == null ? {} : {
      scientists-workspace = { group = var.data_scientists_group_id, scope = azurerm_machine_learning_workspace.main.id, role = local.is_prod ? "Reader" : "AzureML Data Scientist" }
      scientists-storage   = { group = var.data_scientists_group_id, scope = local.storage, role = local.is_prod ? "Storage Blob Data Reader" : "Storage Blob Data Contributor" }
    },
    var.platform_group_id == null ? {} : {
      platform-vault     = { group = var.platform_group_id, scope = local.vault, role = "Key Vault Secrets Officer" }
      platform-cluster   = { group = var.platform_group_id, scope = azurerm_kubernetes_cluster.main.id, role = "Azure Kubernetes Service RBAC Cluster Admin" }
      platform-workspace = { group = var.platform_group_id, scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Compute Operator" }
    },
  )
}

resource "azurerm_user_assigned_identity" "main" {
  for_each = local.identities

  name                = "${local.names.identity}-${each.key}"
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  tags                = merge(local.tags, { purpose = each.value })
}

resource "azurerm_role_assignment" "workspace" {
  for_each = local.workspace_grants

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = local.principal["workspace"]
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "cluster" {
  for_each = local.cluster_grants

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = local.principal["cluster"]
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "main" {
  for_each = local.grants

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = local.principal[each.value.who]
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "people" {
  for_each = local.people

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = each.value.group
  principal_type       = "Group"
}

# A service connection of Azure Pipelines signs in as this identity with a token of its own: no secret is stored.
resource "azurerm_federated_identity_credential" "pipelines" {
  for_each = var.pipelines_federation

  name                      = each.key
  user_assigned_identity_id = azurerm_user_assigned_identity.main["pipelines"].id
  issuer                    = each.value.issuer
  subject                   = each.value.subject
  audience                  = ["api://AzureADTokenExchange"]
}
