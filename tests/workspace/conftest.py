"""Fixtures of the workspace's tests."""

from workspace_kit import client, workspace  # noqa: F401 - fixtures

from serving_kit import bare_shop, serving_python, shop_template  # noqa: F401 - fixtures
