# The one place that builds names: <company>-<project>-<environment>-<resource>. Terraform, the Makefile, the state
# bootstrap and the docs all read them from here.
locals {
  stem = "${var.company}-${var.project}-${var.environment}"
  flat = "${var.company}${var.project}${var.environment}"

  # Storage, vault and registry names share one space with all of Azure. A hash of subscription and stem makes them
  # unique without the random provider, and the same again after a rebuild. The environment is in the hash, so two
  # names that shortening makes equal still differ.
  suffix = substr(sha256("${lower(var.subscription_id)}/${local.stem}"), 0, 6)

  # Storage: 3 to 24 lower-case letters and digits, no dash.
  storage = "${substr(local.flat, 0, 16)}st${local.suffix}"
  state   = "${substr(local.flat, 0, 16)}tf${local.suffix}"

  # Key Vault: 3 to 24, dashes allowed but not two in a row: cut only the form without dashes.
  vault_full = "${local.stem}-kv-${local.suffix}"
  vault      = length(local.vault_full) <= 24 ? local.vault_full : "${substr(local.flat, 0, 16)}kv${local.suffix}"

  # Container Registry: 5 to 50 letters and digits, no dash.
  registry = "${local.flat}cr${local.suffix}"

  names = {
    group       = "${local.stem}-rg"
    nodes_group = "${local.stem}-aks-nodes-rg"

    network          = "${local.stem}-vnet"
    subnet_aks       = "${local.stem}-snet-aks"
    subnet_endpoints = "${local.stem}-snet-endpoints"
    subnet_agents    = "${local.stem}-snet-agents"
    subnet_training  = "${local.stem}-snet-training"
    nsg              = "${local.stem}-nsg"
    nat              = "${local.stem}-ng"
    nat_ip           = "${local.stem}-pip-nat"
    endpoint         = "${local.stem}-pep"

    storage   = local.storage
    vault     = local.vault
    registry  = local.registry
    log       = "${local.stem}-log"
    insights  = "${local.stem}-appi"
    workspace = "${local.stem}-mlw"
    cluster   = "${local.stem}-aks"
    identity  = "${local.stem}-id"
    rule      = "${local.stem}-dcr"
    alerts    = "${local.stem}-ag"
    alert     = "${local.stem}-alert"

    # The endpoint that callers know. Its name is unique in the region, so dev and prod need two; a finer grain adds
    # -category or -product, and the whole ends at 32 characters.
    online_endpoint = "${local.stem}-fc"

    budget = "${local.stem}-budget"
    lock   = "${local.stem}-lock"

    # Agents of Azure Pipelines. A dev center's name ends at 26 characters, a pool's at 44.
    dev_center   = "${local.stem}-dc"
    dev_project  = "${local.stem}-dcp"
    agent_pool   = "${local.stem}-mdp"
    peering      = "${local.stem}-peer"
    health_alert = "${local.stem}-health"

    # Names inside the workspace, the cluster or the vault. They carry no stem: the same YAML spec names them in
    # every environment. Compute names end at 16 characters.
    training_compute     = "cpu-cluster"
    image_build_compute  = "image-build"
    kubernetes_compute   = "aks-inference"
    kubernetes_namespace = "demand"
    snowflake_secret     = "snowflake-private-key"
    signing_key          = "model-signing"
    scoring_certificate  = "scoring-certificate"
    scoring_secret       = "scoring-tls"

    state_group     = "${local.stem}-tfstate-rg"
    state_account   = local.state
    state_container = "tfstate"
    state_key       = "${var.environment}.tfstate"
  }

  # What the Makefile reads, and a pure function of prefixes and environment: committed as outputs/<environment>.mk.
  make = {
    GROUP                = local.names.group
    WORKSPACE            = local.names.workspace
    CLUSTER              = local.names.cluster
    KUBERNETES_COMPUTE   = local.names.kubernetes_compute
    KUBERNETES_NAMESPACE = local.names.kubernetes_namespace
    TRAINING_COMPUTE     = local.names.training_compute
    IMAGE_BUILD_COMPUTE  = local.names.image_build_compute
    SNOWFLAKE_SECRET     = local.names.snowflake_secret
    SIGNING_KEY          = local.names.signing_key
    ENDPOINT             = local.names.online_endpoint
    IDENTITY             = local.names.identity
    STATE_GROUP          = local.names.state_group
    STATE_CONTAINER      = local.names.state_container
    STATE_KEY            = local.names.state_key
  }
}
