"""Runs the pipelines of .azuredevops on this machine: a stated subset of Azure Pipelines (docs/pipelines.md)."""
