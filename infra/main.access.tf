# Who may do what. One row per grant; no row holds Owner or a role that hands out roles, and two hold Contributor, each on
# one resource: tests keep it so. tests/infra/access.yml says which call needs which row, and where Microsoft says it.
# Rows of the workspace and the cluster come first: both must hold them to be created.
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

  storage  = azurerm_storage_account.main.id
  vault    = azurerm_key_vault.main.id
  registry = azurerm_container_registry.main.id
  secret   = "${azurerm_key_vault.main.id}/secrets/${local.names.snowflake_secret}"
  # It signs models and cannot be read out of the vault.
  signing_key = "${azurerm_key_vault.main.id}/keys/${local.names.signing_key}"
  # A certificate is read as the secret of its name.
  certificate = "${azurerm_key_vault.main.id}/secrets/${local.names.scoring_certificate}"

  identity_of = { for key, identity in azurerm_user_assigned_identity.main : key => identity.principal_id }
  # The rows of `grants` come after the workspace, so they may name its own identity.
  principal = merge(local.identity_of, var.workspace_system_identity ? {
    workspace = azurerm_machine_learning_workspace.main.identity[0].principal_id
  } : {})

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
      # Documented for a user-assigned workspace identity, as is Contributor on a cluster that uses trusted access.
      workspace-itself          = { who = "workspace", scope = azurerm_machine_learning_workspace.main.id, role = "Contributor" }
      workspace-cluster-control = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Contributor" }

      # Attaching the cluster needs these three (a missing one ends in "extension not installed" or a server error).
      workspace-cluster-read      = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Reader" }
      workspace-cluster-extension = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Kubernetes Extension Contributor" }
      workspace-cluster-admin     = { who = "workspace", scope = azurerm_kubernetes_cluster.main.id, role = "Azure Kubernetes Service Cluster Admin Role" }

      training-workspace = { who = "training", scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Data Scientist" }
      training-storage   = { who = "training", scope = local.storage, role = "Storage Blob Data Contributor" }
      training-registry  = { who = "training", scope = local.registry, role = "AcrPull" }
      # One secret, not the vault: the vault also holds the workspace's own.
      training-snowflake = { who = "training", scope = local.secret, role = "Key Vault Secrets User" }
      # One key: whoever may use it can sign a model that every rollout trusts.
      training-signing = { who = "training", scope = local.signing_key, role = "Key Vault Crypto User" }

      build-registry = { who = "build", scope = local.registry, role = "AcrPush" }
      build-storage  = { who = "build", scope = local.storage, role = "Storage Blob Data Contributor" }

      serving-registry = { who = "serving", scope = local.registry, role = "AcrPull" }
      # The endpoint and the compute both run as this identity. Contributor, because the data collector writes requests
      # and answers.
      serving-storage = { who = "serving", scope = local.storage, role = "Storage Blob Data Contributor" }

      kubelet-registry = { who = "kubelet", scope = local.registry, role = "AcrPull" }

      pipelines-group     = { who = "pipelines", scope = azurerm_resource_group.main.id, role = "Reader" }
      pipelines-workspace = { who = "pipelines", scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Data Scientist" }
      pipelines-storage   = { who = "pipelines", scope = local.storage, role = "Storage Blob Data Contributor" }
      # Whoever creates an endpoint must be allowed to hand it this identity.
      pipelines-serving = { who = "pipelines", scope = azurerm_user_assigned_identity.main["serving"].id, role = "Managed Identity Operator" }
    },
    # The managed network's endpoint to the workspace itself is approved like the others.
    local.managed_network ? {
      workspace-endpoint = { who = "workspace", scope = azurerm_machine_learning_workspace.main.id, role = "Azure AI Enterprise Network Connection Approver" }
    } : {},
    # The studio previews data through the endpoints that it can read.
    { for part in ["blob", "file"] : "workspace-endpoint-${part}" => {
      who = "workspace", scope = azurerm_private_endpoint.main[part].id, role = "Reader"
    } },
  )

  # In prod data scientists look and change nothing: changes come through a pipeline.
  scientists = {
    workspace = { scope = azurerm_machine_learning_workspace.main.id, role = local.is_prod ? "Reader" : "AzureML Data Scientist" }
    storage   = { scope = local.storage, role = local.is_prod ? "Storage Blob Data Reader" : "Storage Blob Data Contributor" }
  }
  scientists_in_dev = {
    # Notebooks lie in the file share.
    files   = { scope = local.storage, role = "Storage File Data Privileged Contributor" }
    serving = { scope = azurerm_user_assigned_identity.main["serving"].id, role = "Managed Identity Operator" }
  }

  # Who deploys needs data rights of its own: Owner and Contributor act on resources only. Namespace, TLS secret and
  # instance types are made in the cluster; Snowflake's key and the certificate are put into the vault.
  platform = {
    vault        = { scope = local.vault, role = "Key Vault Secrets Officer" }
    certificates = { scope = local.vault, role = "Key Vault Certificates Officer" }
    keys         = { scope = local.vault, role = "Key Vault Crypto Officer" }
    cluster      = { scope = azurerm_kubernetes_cluster.main.id, role = "Azure Kubernetes Service RBAC Cluster Admin" }
    workspace    = { scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Compute Operator" }
  }
  # In dev the same person also submits the first job.
  platform_in_dev = {
    jobs    = { scope = azurerm_machine_learning_workspace.main.id, role = "AzureML Data Scientist" }
    storage = { scope = local.storage, role = "Storage Blob Data Contributor" }
    serving = { scope = azurerm_user_assigned_identity.main["serving"].id, role = "Managed Identity Operator" }
  }

  # An identity that applies in a pipeline attaches, too: it makes namespace and TLS secret in the cluster.
  deployer = {
    cluster     = { scope = azurerm_kubernetes_cluster.main.id, role = "Azure Kubernetes Service RBAC Cluster Admin" }
    certificate = { scope = local.certificate, role = "Key Vault Secrets User" }
  }

  # Where neither is named whoever plans gets the platform's rows, so a deployment by another one moves them.
  platform_id   = coalesce(var.platform_group_id, data.azurerm_client_config.current.object_id)
  platform_type = var.platform_group_id == null ? null : "Group"

  people = merge(
    merge([for id in var.deployer_object_ids : { for key, grant in local.deployer : "deployer-${id}-${key}" => merge(grant, {
      id = id, type = null
    }) }]...),
    { for key, grant in merge(local.scientists, local.is_prod ? {} : local.scientists_in_dev) : "scientists-${key}" => merge(grant, {
      id = var.data_scientists_group_id, type = "Group"
    }) if var.data_scientists_group_id != null },
    { for key, grant in merge(local.platform, local.is_prod ? {} : local.platform_in_dev) : "platform-${key}" => merge(grant, {
      id = local.platform_id, type = local.platform_type
    }) if var.platform_group_id != null || length(var.deployer_object_ids) == 0 },
    local.agent_grants,
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
  # Azure itself makes these for a workspace that has only a system-assigned identity, and refuses a second one.
  for_each = var.workspace_system_identity ? {} : local.workspace_grants

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = local.identity_of["workspace"]
  principal_type       = "ServicePrincipal"
}

resource "azurerm_role_assignment" "cluster" {
  for_each = local.cluster_grants

  scope                = each.value.scope
  role_definition_name = each.value.role
  principal_id         = local.identity_of["cluster"]
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
  principal_id         = each.value.id
  principal_type       = each.value.type
}

# A grant is known everywhere in Azure only after a while, and a workspace or cluster made before that fails half made.
# Other grants: another wait.
resource "time_sleep" "creation_grants" {
  create_duration = "90s"
  triggers = {
    workspace = join(" ", [for key, grant in azurerm_role_assignment.workspace : "${key}=${grant.role_definition_name}"])
    cluster   = join(" ", [for key, grant in azurerm_role_assignment.cluster : "${key}=${grant.role_definition_name}"])
  }
}

resource "time_sleep" "grants" {
  create_duration = "90s"
  triggers = {
    main   = join(" ", [for key, grant in azurerm_role_assignment.main : "${key}=${grant.role_definition_name}"])
    people = join(" ", [for key, grant in azurerm_role_assignment.people : "${key}=${grant.role_definition_name}"])
  }
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
