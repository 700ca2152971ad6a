"""Fixtures that several folders of tests share."""

import pytest

pytest_plugins = ["warehouse_fixtures"]
# Fixtures that start a server, or make MLflow's database, take seconds: what uses one is slow, whoever writes it.
SLOW_FIXTURES = frozenset({"shared_home", "own_home", "shared_env", "tracked_engine", "mlflow_home"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server as slow, so that `make test-fast` holds what it says."""
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
