variable "company" {
  description = "Company prefix of every name."
  type        = string
}

variable "project" {
  description = "Project prefix of every name."
  type        = string
}

variable "environment" {
  description = "Environment prefix of every name: dev or prod. It decides what is open and what is locked."
  type        = string
}

variable "location" {
  description = "Azure region of every resource, in its short form."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+[0-9]?$", var.location))
    error_message = "location must be the region's short name, such as eastus2."
  }
}

variable "paired_location" {
  description = "Azure's pair of the region, from where Azure ML also calls the cluster in dev. Null: the region has none."
  type        = string
  default     = null

  validation {
    condition     = var.paired_location == null || (can(regex("^[a-z]+[0-9]?$", var.paired_location)) && var.paired_location != var.location)
    error_message = "paired_location must be another region's short name, such as centralus for eastus2."
  }
}

variable "destroying" {
  description = "Set by make destroy-infra: a teardown needs no value that only a deployment uses."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of every resource, besides company, project, environment and managed_by."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setintersection(keys(var.tags), ["company", "project", "environment", "managed_by"])) == 0
    error_message = "tags must not set company, project, environment or managed_by: Terraform does."
  }
}

# ---- network

variable "address_space" {
  description = "Address space of the virtual network: a /16, cut into subnets by main.network.tf."
  type        = string

  validation {
    condition     = can(cidrhost(var.address_space, 0)) && endswith(var.address_space, "/16")
    error_message = "address_space must be a /16 in CIDR notation, such as 10.20.0.0/16."
  }
}

variable "pod_cidr" {
  description = "Overlay addresses of the pods. They never leave the cluster, but must not overlap the network."
  type        = string
  default     = "10.244.0.0/16"

  validation {
    condition     = can(cidrhost(var.pod_cidr, 0)) && cidrhost("${split("/", var.pod_cidr)[0]}/16", 0) != cidrhost(var.address_space, 0)
    error_message = "pod_cidr must be in CIDR notation and outside address_space."
  }
}

variable "service_cidr" {
  description = "Addresses of the cluster's services."
  type        = string
  default     = "172.16.0.0/16"

  validation {
    condition     = can(cidrhost(var.service_cidr, 10)) && var.service_cidr != var.pod_cidr && cidrhost("${split("/", var.service_cidr)[0]}/16", 0) != cidrhost(var.address_space, 0)
    error_message = "service_cidr must be in CIDR notation, outside address_space and different from pod_cidr."
  }
}

variable "allowed_ip_ranges" {
  description = "Public IPv4 ranges that may reach workspace, storage, vault, registry and the cluster's API server. Empty closes the public side. Always empty in prod."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for range in var.allowed_ip_ranges : can(cidrhost(range, 0)) && !endswith(range, "/31")])
    error_message = "allowed_ip_ranges must be IPv4 ranges in CIDR notation, a single address as /32, none of them /31 (storage refuses those)."
  }
  validation {
    condition     = alltrue([for range in var.allowed_ip_ranges : tonumber(try(split("/", range)[1], 0)) >= 16])
    error_message = "allowed_ip_ranges must not be wider than /16: list your own offices, not the internet."
  }
  validation {
    # 10/8, 172.16/12, 192.168/16, 100.64/10, 127/8, 169.254/16 and 0/8: compared by their first octets.
    condition     = alltrue([for range in var.allowed_ip_ranges : !can(regex("^(0|10|127|169[.]254|192[.]168|172[.](1[6-9]|2[0-9]|3[01])|100[.](6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7]))[.]", range))])
    error_message = "allowed_ip_ranges must be public addresses: storage, vault and workspace refuse private ones. Private networks come through a peering (hub)."
  }
  validation {
    condition     = var.environment != "prod" || length(var.allowed_ip_ranges) == 0
    error_message = "allowed_ip_ranges must be empty in prod: prod has no public side. Reach it from the network (agents, VPN)."
  }
}

variable "managed_network_isolation" {
  description = "Network of the workspace's own computes. Disabled: the subnet 'training'. AllowInternetOutbound or AllowOnlyApprovedOutbound: a network that Azure ML manages."
  type        = string

  validation {
    condition     = contains(["Disabled", "AllowInternetOutbound", "AllowOnlyApprovedOutbound"], var.managed_network_isolation)
    error_message = "managed_network_isolation must be Disabled, AllowInternetOutbound or AllowOnlyApprovedOutbound."
  }
}

variable "outbound_fqdns" {
  description = "Names that jobs may reach, by rule name, when only approved outbound traffic is allowed: Snowflake, package indexes."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(var.outbound_fqdns) == 0 || var.managed_network_isolation == "AllowOnlyApprovedOutbound"
    error_message = "outbound_fqdns only work with managed_network_isolation = \"AllowOnlyApprovedOutbound\"."
  }
  validation {
    condition     = alltrue([for name in values(var.outbound_fqdns) : !contains(["*", "*.*", "*.com"], name)])
    error_message = "outbound_fqdns must name hosts or domains, not the whole internet."
  }
  validation {
    condition     = alltrue([for name in keys(var.outbound_fqdns) : can(regex("^[a-zA-Z0-9][a-zA-Z0-9_-]{2,31}$", name)) && !startswith(name, "stage-")])
    error_message = "outbound_fqdns needs rule names of 3 to 32 letters, digits, - and _ that do not begin with stage-."
  }
  validation {
    condition     = alltrue([for host in values(var.outbound_fqdns) : !can(regex("[.](blob|dfs|file|queue|table)[.]core[.]windows[.]net$", host))])
    error_message = "outbound_fqdns cannot name a storage account: Azure ML's managed network reaches those by private endpoint only."
  }
}

variable "snowflake_stage_fqdns" {
  description = "Hosts of Snowflake's stage, through which it hands out results above some 100 kB and takes uploads. In Snowflake: select t.value:host::varchar from table(flatten(input => parse_json(system$allowlist()))) t where t.value:type = 'STAGE'; (its CRL_DISTRIBUTION_POINT rows belong into outbound_fqdns where the connector is told to check revocation lists)"
  type        = set(string)
  default     = []

  validation {
    condition     = var.environment != "prod" || var.destroying || var.managed_network_isolation != "AllowOnlyApprovedOutbound" || length(var.snowflake_stage_fqdns) + length(var.snowflake_stage_storage_ids) > 0
    error_message = "snowflake_stage_fqdns must be set in prod, or results above some 100 kB never arrive: its hosts are the STAGE rows of `select system$allowlist()`. On an Azure account set snowflake_stage_storage_ids."
  }
  validation {
    condition     = length(var.snowflake_stage_fqdns) == 0 || var.managed_network_isolation == "AllowOnlyApprovedOutbound"
    error_message = "snowflake_stage_fqdns only work with managed_network_isolation = \"AllowOnlyApprovedOutbound\"."
  }
  validation {
    condition     = alltrue([for host in var.snowflake_stage_fqdns : can(regex("^([*][.])?[a-z0-9-]+([.][a-z0-9-]+){2,}$", host))])
    error_message = "snowflake_stage_fqdns must be host names without https:// and path, such as sfc-ds1-customer-stage.s3.us-west-2.amazonaws.com."
  }
  validation {
    condition     = alltrue([for host in var.snowflake_stage_fqdns : !can(regex("[.]core[.]windows[.]net$", host))])
    error_message = "snowflake_stage_fqdns cannot name a storage account of Azure: the managed network reaches it by private endpoint only. Set snowflake_stage_storage_ids."
  }
}

variable "snowflake_stage_storage_ids" {
  description = "Storage accounts behind the stage of a Snowflake account that runs on Azure: privatelink-internal-stage of select system$get_privatelink_config(). Snowflake approves the endpoint with system$authorize_stage_privatelink_access."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.snowflake_stage_storage_ids : can(regex("(?i)^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/Microsoft.Storage/storageAccounts/[a-z0-9]{3,24}$", id))])
    error_message = "snowflake_stage_storage_ids must be resource ids of storage accounts, /subscriptions/.../storageAccounts/<name>."
  }
}

variable "firewall_sku" {
  description = "Tier of the firewall that Azure ML makes for outbound_fqdns: Basic (250 Mbit/s) or Standard."
  type        = string
  default     = "Basic"

  validation {
    condition     = contains(["Basic", "Standard"], var.firewall_sku)
    error_message = "firewall_sku must be Basic or Standard."
  }
}

variable "hub" {
  description = "A network that is already connected to offices: its id, whether its gateway serves us, and the private DNS zones that it has and links to this network, by blob, file, vault, registry, workspace, notebooks. Null: this network stands alone."
  type = object({
    network_id  = optional(string)
    use_gateway = optional(bool, false)
    zone_ids    = optional(map(string), {})
  })
  default = null

  validation {
    condition     = try(var.hub.network_id, null) == null || can(regex("(?i)^/subscriptions/[0-9a-f-]{36}/resourceGroups/[^/]+/providers/Microsoft.Network/virtualNetworks/[^/]+$", var.hub.network_id))
    error_message = "hub.network_id must be the resource id of a virtual network."
  }
  validation {
    condition     = var.hub == null || try(var.hub.network_id, null) != null || !try(var.hub.use_gateway, false)
    error_message = "hub.use_gateway needs hub.network_id: a gateway is reached through the peering."
  }
  validation {
    condition     = alltrue([for key in keys(try(var.hub.zone_ids, {})) : contains(["blob", "file", "vault", "registry", "workspace", "notebooks"], key)])
    error_message = "hub.zone_ids knows blob, file, vault, registry, workspace and notebooks."
  }
}

variable "agent_pool" {
  description = "Agents of Azure Pipelines inside the network: organization's address, projects, most agents at once, machine size, image, and the object id of Azure's application DevOpsInfrastructure in this tenant (az ad sp show --id 31687f79-5e43-4c1e-8c63-d9f4bff5cf8b --query id). Null: none."
  type = object({
    organization                = string
    projects                    = optional(list(string), [])
    max                         = optional(number, 2)
    vm_size                     = optional(string, "Standard_D2ads_v5")
    image                       = optional(string, "ubuntu-24.04/latest")
    infrastructure_principal_id = string
  })
  default = null

  validation {
    condition     = var.agent_pool == null || can(regex("^https://dev[.]azure[.]com/[^/]+$", var.agent_pool.organization))
    error_message = "agent_pool.organization must be the organization's address, https://dev.azure.com/<name>."
  }
  validation {
    condition     = var.agent_pool == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.agent_pool.infrastructure_principal_id))
    error_message = "agent_pool.infrastructure_principal_id must be an object id, a GUID: az ad sp show --id 31687f79-5e43-4c1e-8c63-d9f4bff5cf8b --query id."
  }
  validation {
    condition     = var.agent_pool == null || try(var.agent_pool.max >= 1 && var.agent_pool.max <= 20, false)
    error_message = "agent_pool.max must be 1 to 20."
  }
}

variable "workspace_system_identity" {
  description = "Let the workspace work as its system-assigned identity alone. Azure then gives it Azure AI Administrator on the whole group. For the case that the user-assigned one is refused by private storage; a workspace cannot go back."
  type        = bool
  default     = false
}

# ---- storage and images

variable "storage_replication" {
  description = "Replication of the storage account: LRS, ZRS, GRS or GZRS."
  type        = string

  validation {
    condition     = contains(["LRS", "ZRS", "GRS", "GZRS"], var.storage_replication)
    error_message = "storage_replication must be LRS, ZRS, GRS or GZRS."
  }
  validation {
    condition     = var.environment != "prod" || var.storage_replication != "LRS"
    error_message = "storage_replication must not be LRS in prod: one data centre would hold the only copy."
  }
}

variable "soft_delete_days" {
  description = "Days in which a deleted blob, container or file share comes back."
  type        = number
  default     = 30

  validation {
    condition     = var.soft_delete_days >= 7 && var.soft_delete_days <= 365
    error_message = "soft_delete_days must be 7 to 365."
  }
}

variable "version_days" {
  description = "Days that old versions and snapshots of a blob are kept."
  type        = number
  default     = 90

  validation {
    condition     = var.version_days >= var.soft_delete_days
    error_message = "version_days must not be below soft_delete_days, or a deleted blob loses its versions first."
  }
}

variable "job_log_days" {
  description = "Days that the logs of jobs are kept."
  type        = number
  default     = 180
}

variable "collected_days" {
  description = "Days that rows which the endpoint was asked and answered are kept; ml/deploy/collected.yml says the same, a test holds both equal."
  type        = number
  default     = 90

  validation {
    condition     = var.collected_days >= 1
    error_message = "collected_days must be 1 or more."
  }
}

variable "image_retention_days" {
  description = "Days that the registry keeps images without a tag."
  type        = number
  default     = 30

  validation {
    condition     = var.image_retention_days >= 1 && var.image_retention_days <= 365
    error_message = "image_retention_days must be 1 to 365."
  }
}

# ---- computes of the workspace

variable "training_vm_size" {
  description = "Machine size of the training compute."
  type        = string
  default     = "Standard_D4s_v3"
}

variable "training_max_nodes" {
  description = "Most nodes of the training compute. The fewest are always 0."
  type        = number

  validation {
    condition     = var.training_max_nodes >= 1 && var.training_max_nodes <= 20
    error_message = "training_max_nodes must be 1 to 20."
  }
}

variable "build_vm_size" {
  description = "Machine size of the compute that builds images."
  type        = string
  default     = "Standard_D2s_v3"
}

# ---- AKS

variable "kubernetes_version" {
  description = "Minor version of Kubernetes for a new cluster, within the Azure ML extension's window. The patch channel moves it afterwards."
  type        = string
  default     = "1.36"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version must be a minor version such as 1.36: the patch channel chooses the rest."
  }
}

variable "aks_zones" {
  description = "Availability zones of both node pools. Empty: none."
  type        = list(string)
  default     = []

  validation {
    condition     = var.environment != "prod" || length(var.aks_zones) >= 2
    error_message = "aks_zones must hold at least two zones in prod."
  }
}

variable "aks_system" {
  description = "System pool: machine size, fewest and most nodes."
  type        = object({ vm_size = string, min = number, max = number })

  validation {
    condition     = var.aks_system.min >= 1 && var.aks_system.max >= var.aks_system.min
    error_message = "aks_system needs 1 <= min <= max."
  }
}

variable "aks_user" {
  description = "User pool, which runs the extension and the model: machine size, fewest and most nodes. The extension needs 4 vCPU and 14 GB in all."
  type        = object({ vm_size = string, min = number, max = number })

  validation {
    condition     = var.aks_user.min >= 1 && var.aks_user.max >= var.aks_user.min
    error_message = "aks_user needs 1 <= min <= max."
  }
}

variable "aks_host_encryption" {
  description = "Encrypt the nodes' temporary disks on the host. The subscription must have the feature Microsoft.Compute/EncryptionAtHost."
  type        = bool
  default     = true
}

variable "aks_local_accounts_disabled" {
  description = "Switch off the cluster's local accounts. The Azure ML extension is documented to need them."
  type        = bool
  default     = false
}

# ---- scoring

variable "inference_router_ha" {
  description = "Three replicas of the inference router. They need three nodes in the user pool."
  type        = bool

  validation {
    condition     = !var.inference_router_ha || var.aks_user.min >= 3
    error_message = "inference_router_ha needs aks_user.min >= 3: its three replicas stand on three nodes."
  }
  validation {
    condition     = var.environment != "prod" || var.inference_router_ha
    error_message = "inference_router_ha must be true in prod."
  }
}

variable "inference_tls_cname" {
  description = "Host name of the scoring endpoint; it must be in the certificate. Null serves plain HTTP inside the network, which prod refuses."
  type        = string
  default     = null

  validation {
    condition     = var.environment != "prod" || var.destroying || var.inference_tls_cname != null
    error_message = "inference_tls_cname must be set in prod: scoring keys never travel in clear text there."
  }
}

variable "inference_tls_ready" {
  description = "The cluster holds the scoring certificate (make attach-infra brings it from the vault), so the Azure ML extension can be installed. With TLS the first deployment leaves it false."
  type        = bool
  default     = false
}

variable "latency_alert_ms" {
  description = "Alert when the 95th percentile of the scoring time is above this many milliseconds."
  type        = number
  default     = 500

  validation {
    condition     = var.latency_alert_ms > 0
    error_message = "latency_alert_ms must be above 0."
  }
}

# ---- logs, alerts, money

variable "log_retention_days" {
  description = "Days that Log Analytics keeps rows."
  type        = number
  default     = 30

  validation {
    condition     = var.log_retention_days >= 30 && var.log_retention_days <= 730
    error_message = "log_retention_days must be 30 to 730."
  }
}

variable "log_daily_quota_gb" {
  description = "Gigabytes a day after which Log Analytics takes no more; -1 for no limit."
  type        = number
  default     = -1
}

variable "alert_emails" {
  description = "Who gets the alerts and the budget's mails."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) > 0 && alltrue([for mail in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+[.][^@ ]+$", mail))])
    error_message = "alert_emails must hold at least one mail address: an alert that nobody reads is none."
  }
}

variable "budget_amount" {
  description = "Monthly budget of the environment, in the subscription's currency. It warns, it stops nothing."
  type        = number

  validation {
    condition     = var.budget_amount > 0
    error_message = "budget_amount must be above 0."
  }
}

variable "budget_start" {
  description = "First day of the month in which the budget begins. Null: the month of the first apply."
  type        = string
  default     = null

  validation {
    condition     = var.budget_start == null || can(regex("^20[0-9]{2}-(0[1-9]|1[0-2])-01T00:00:00Z$", coalesce(var.budget_start, "-")))
    error_message = "budget_start must be the first of a month, such as 2026-12-01T00:00:00Z."
  }
}

# ---- people and pipelines

variable "data_scientists_group_id" {
  description = "Entra group of the data scientists: they work in dev and read in prod. Null: no grant."
  type        = string
  default     = null

  validation {
    condition     = var.data_scientists_group_id == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.data_scientists_group_id))
    error_message = "data_scientists_group_id must be the group's object id, a GUID."
  }
}

variable "platform_group_id" {
  description = "Entra group of the platform engineers: they write the vault's secrets and run the cluster. Null, and deployer_object_ids empty: whoever plans gets these rows."
  type        = string
  default     = null

  validation {
    condition     = var.platform_group_id == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.platform_group_id))
    error_message = "platform_group_id must be the group's object id, a GUID."
  }
}

variable "deployer_object_ids" {
  description = "Object ids of the identities that run make deploy-infra in a pipeline, such as the apply identity that the bootstrap makes: they may bring namespace and certificate into the cluster."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.deployer_object_ids : can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", id))])
    error_message = "deployer_object_ids must be object ids, GUIDs: az identity show --query principalId."
  }
}

variable "pipelines_federation" {
  description = "Service connections of Azure Pipelines that may sign in as the environment's identity: by name, issuer and subject, as the connection's page shows them."
  type        = map(object({ issuer = string, subject = string }))
  default     = {}

  validation {
    condition     = alltrue([for link in values(var.pipelines_federation) : startswith(link.issuer, "https://") && length(link.subject) > 0])
    error_message = "pipelines_federation needs an https issuer and a subject for each connection."
  }

  # Microsoft ends the old issuer on 2027-07-01; new connections have Entra ID's.
  validation {
    condition     = alltrue([for link in values(var.pipelines_federation) : !strcontains(link.issuer, "vstoken.dev.azure.com")])
    error_message = "pipelines_federation: the issuer vstoken.dev.azure.com ends on 2027-07-01: make the connection anew, read its issuer back."
  }
}

variable "purge_on_destroy" {
  description = "Purge soft-deleted names (workspace, Log Analytics) on destroy. The vault is never purged: its purge protection forbids it."
  type        = bool
  default     = false
}
