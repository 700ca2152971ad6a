# The naming convention, and the shortened names at their limits. Needs no provider at all.
variables {
  company         = "gbj"
  project         = "dmd"
  environment     = "dev"
  subscription_id = "11111111-2222-3333-4444-555555555555"
}

run "names_follow_the_convention" {
  command = plan
  module {
    source = "./names"
  }

  assert {
    condition     = output.names.workspace == "gbj-dmd-dev-mlw" && output.names.group == "gbj-dmd-dev-rg" && output.names.cluster == "gbj-dmd-dev-aks"
    error_message = "Names are <company>-<project>-<environment>-<resource>."
  }
  assert {
    condition = alltrue([
      for role, name in output.names : startswith(name, "gbj-dmd-dev-") || startswith(name, "gbjdmddev")
      if !contains(["training_compute", "image_build_compute", "kubernetes_compute", "kubernetes_namespace", "snowflake_secret", "signing_key", "scoring_certificate", "scoring_secret", "state_container", "state_key"], role)
    ])
    error_message = "Every name outside workspace, cluster and vault begins with company, project and environment."
  }
  assert {
    condition     = length(distinct(values(output.names))) == length(output.names)
    error_message = "Two roles share one name."
  }
}

run "usual_names_are_readable" {
  command = plan
  module {
    source = "./names"
  }

  assert {
    condition     = output.names.storage == "gbjdmddevst${output.suffix}" && output.names.vault == "gbj-dmd-dev-kv-${output.suffix}" && output.names.registry == "gbjdmddevcr${output.suffix}"
    error_message = "Nothing is cut while the name fits."
  }
  assert {
    condition     = can(regex("^[0-9a-f]{6}$", output.suffix))
    error_message = "The suffix is six hexadecimal digits."
  }
}

run "longest_prefixes_stay_within_azures_limits" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    company     = "abcdef"
    project     = "abcdefgh"
    environment = "prod"
  }

  assert {
    condition     = can(regex("^[a-z0-9]{3,24}$", output.names.storage)) && can(regex("^[a-z0-9]{3,24}$", output.names.state_account))
    error_message = "A storage account's name is 3 to 24 lower-case letters and digits."
  }
  assert {
    condition     = can(regex("^[a-z][a-z0-9-]{1,22}[a-z0-9]$", output.names.vault)) && !strcontains(output.names.vault, "--")
    error_message = "A vault's name is 3 to 24 characters, without two dashes in a row."
  }
  assert {
    condition     = can(regex("^[a-z0-9]{5,50}$", output.names.registry))
    error_message = "A registry's name is 5 to 50 letters and digits."
  }
  assert {
    condition     = length(output.names.workspace) <= 33 && length(output.names.cluster) <= 54 && length(output.names.nodes_group) <= 80
    error_message = "A workspace's name has at most 33 characters, a cluster's DNS prefix 54, its node group 80."
  }
  assert {
    condition     = length(output.names.dev_center) <= 26 && length(output.names.dev_project) <= 63 && length(output.names.agent_pool) <= 44
    error_message = "A dev center's name has at most 26 characters, a pool's 44."
  }
  assert {
    condition     = alltrue([for role in ["training_compute", "image_build_compute", "kubernetes_compute"] : can(regex("^[a-z][a-z0-9-]{0,14}[a-z0-9]$", output.names[role]))])
    error_message = "A compute's name is 2 to 16 lower-case letters, digits and dashes."
  }
  assert {
    condition     = can(regex("^[a-z][a-z0-9-]{2,31}$", "${output.names.online_endpoint}-category"))
    error_message = "An endpoint's name is 3 to 32 characters, the grain of its model included."
  }
  assert {
    condition     = endswith(output.names.storage, output.suffix) && endswith(output.names.vault, output.suffix)
    error_message = "Shortening must not cut the unique suffix."
  }
}

run "shortest_prefixes_are_long_enough" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    company = "ab"
    project = "cd"
  }

  assert {
    condition     = length(output.names.registry) >= 5 && length(output.names.storage) >= 3 && output.names.vault == "ab-cd-dev-kv-${output.suffix}"
    error_message = "The shortest prefixes make names that are too short."
  }
}

run "prod_for_comparison" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    company     = "abcdef"
    project     = "abcdefgh"
    environment = "prod"
  }
}

run "environments_never_share_a_name" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    company = "abcdef"
    project = "abcdefgh"
  }

  assert {
    condition     = alltrue([for role in ["storage", "vault", "registry", "state_account", "group", "workspace", "state_key"] : output.names[role] != run.prod_for_comparison.names[role]])
    error_message = "dev and prod must differ even where the longest prefixes are cut."
  }
}

run "another_subscription_gets_other_unique_names" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    subscription_id = "11111111-2222-3333-4444-555555555556"
  }

  assert {
    condition     = output.suffix != run.usual_names_are_readable.suffix && output.names.workspace == run.names_follow_the_convention.names.workspace
    error_message = "Only the names that must be unique in all of Azure depend on the subscription."
  }
}

run "an_upper_case_subscription_changes_nothing" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    subscription_id = "AAAAAAAA-2222-3333-4444-55555555555F"
  }

  assert {
    condition     = output.suffix == substr(sha256("aaaaaaaa-2222-3333-4444-55555555555f/gbj-dmd-dev"), 0, 6)
    error_message = "The suffix must not depend on how the subscription id is written."
  }
}

run "a_company_with_dashes_is_refused" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    company = "globo-java"
  }
  expect_failures = [var.company]
}

run "a_project_in_capitals_is_refused" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    project = "DMD"
  }
  expect_failures = [var.project]
}

run "a_project_of_nine_letters_is_refused" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    project = "abcdefghi"
  }
  expect_failures = [var.project]
}

run "an_unknown_environment_is_refused" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    environment = "test"
  }
  expect_failures = [var.environment]
}

run "a_subscription_name_is_refused" {
  command = plan
  module {
    source = "./names"
  }
  variables {
    subscription_id = "my-subscription"
  }
  expect_failures = [var.subscription_id]
}
