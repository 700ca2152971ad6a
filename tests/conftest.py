"""Fixtures that several folders of tests share."""

import os
from collections.abc import Iterator

import pytest

# The engine answers as the service does wherever our scripts ask it; its own tests look at its own records.
os.environ["LOCALML_STRICT"] = "1"
# Whole runs are many here, and the loading of their packages is most of them. The engine's own tests, and the run of
# tests/e2e/test_make.py, start each step as a person's run does.
os.environ["LOCALML_WARM"] = "1"
# Of a pipeline that runs these tests on a laptop: its dev and prod are not theirs.
for _name in ("DEMAND_ENVIRONMENTS", "DEMAND_STANDS_FOR", "MODEL_SIGNING_KEY", "MODEL_SIGNING_KEYS", "TF_BUILD"):
    os.environ.pop(_name, None)

pytest_plugins = ["warehouse_fixtures"]
# Fixtures that start a server, or make MLflow's database, take seconds: what uses one is slow, whoever writes it.
SLOW_FIXTURES = frozenset({"shared_home", "own_home", "shared_env", "tracked_engine", "mlflow_home"})
# Begun first: rollouts that are waited for six minutes long, with which one worker would be left alone at the end.
FIRST = frozenset({"test_recipes.py"})


@pytest.fixture(autouse=True)
def environment_as_before() -> Iterator[None]:
    """What a test (or a verb that it calls in this process) sets in the environment is gone after it."""
    before = dict(os.environ)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server as slow, so that `make test-fast` holds what it says; begin with what takes longest."""
    items.sort(key=lambda item: item.path.name not in FIRST)
    for item in items:
        if SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
