variable "company" {
  description = "Company prefix, the first part of every name: 2 to 6 lower-case letters or digits, a letter first."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,5}$", var.company))
    error_message = "company must be 2 to 6 lower-case letters or digits and begin with a letter, such as gbj."
  }
}

variable "project" {
  description = "Project prefix, the second part of every name: 2 to 8 lower-case letters or digits, a letter first."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9]{1,7}$", var.project))
    error_message = "project must be 2 to 8 lower-case letters or digits and begin with a letter, such as dmd."
  }
}

variable "environment" {
  description = "Environment prefix, the third part of every name: dev or prod."
  type        = string

  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment must be dev or prod."
  }
}

variable "subscription_id" {
  description = "Subscription that holds the environment. It makes the names that must be unique in all of Azure."
  type        = string

  validation {
    condition     = can(regex("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", lower(var.subscription_id)))
    error_message = "subscription_id must be a GUID, such as az account show --query id prints."
  }
}
