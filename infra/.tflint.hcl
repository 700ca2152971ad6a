# For whoever has tflint: cd infra && tflint --init && tflint --recursive
tflint {
  required_version = ">= 0.59.1"
}

config {
  call_module_type = "local"
}

plugin "terraform" {
  enabled = true
  preset  = "recommended"
}

plugin "azurerm" {
  enabled = true
  version = "0.30.0"
  source  = "github.com/terraform-linters/tflint-ruleset-azurerm"
}

rule "terraform_naming_convention" {
  enabled = true
}

rule "terraform_documented_variables" {
  enabled = true
}

rule "terraform_documented_outputs" {
  enabled = true
}

# The files are called main.<topic>.tf, on purpose.
rule "terraform_standard_module_structure" {
  enabled = false
}
