"""Fixtures of the recipes of ENV=dev."""

from azure_kit import azure, new_azure  # noqa: F401 - fixtures
