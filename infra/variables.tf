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
  default     = "1.35"

  validation {
    condition     = can(regex("^1\\.[0-9]{2}$", var.kubernetes_version))
    error_message = "kubernetes_version must be a minor version such as 1.35: the patch channel chooses the rest."
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
    condition     = var.environment != "prod" || var.inference_tls_cname != null
    error_message = "inference_tls_cname must be set in prod: scoring keys never travel in clear text there."
  }
}

variable "inference_tls_cert_pem" {
  description = "Certificate chain of the scoring endpoint, PEM. From TF_VAR_inference_tls_cert_pem, never from a file in git."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = (var.inference_tls_cname == null) == (var.inference_tls_cert_pem == null)
    error_message = "inference_tls_cert_pem and inference_tls_cname go together: export TF_VAR_inference_tls_cert_pem=\"$(cat cert.pem)\"."
  }
  validation {
    condition     = var.inference_tls_cert_pem == null || startswith(coalesce(var.inference_tls_cert_pem, "-"), "-----BEGIN CERTIFICATE-----")
    error_message = "inference_tls_cert_pem must be the PEM text itself, not a path."
  }
}

variable "inference_tls_key_pem" {
  description = "Private key of the scoring endpoint, PEM without a pass phrase. From TF_VAR_inference_tls_key_pem."
  type        = string
  default     = null
  sensitive   = true

  validation {
    condition     = (var.inference_tls_cname == null) == (var.inference_tls_key_pem == null)
    error_message = "inference_tls_key_pem and inference_tls_cname go together: export TF_VAR_inference_tls_key_pem=\"$(cat key.pem)\"."
  }
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
  description = "First day of the month in which the budget begins."
  type        = string

  validation {
    condition     = can(regex("^20[0-9]{2}-(0[1-9]|1[0-2])-01T00:00:00Z$", var.budget_start))
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
  description = "Entra group of the platform engineers: they write the vault's secrets and run the cluster. Null: no grant."
  type        = string
  default     = null

  validation {
    condition     = var.platform_group_id == null || can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", var.platform_group_id))
    error_message = "platform_group_id must be the group's object id, a GUID."
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
}

variable "purge_on_destroy" {
  description = "Purge soft-deleted names (workspace, Log Analytics) on destroy. The vault is never purged: its purge protection forbids it."
  type        = bool
  default     = false
}
