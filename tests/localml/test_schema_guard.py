"""A step with an MLflow of its own cannot change the layout of the store that the engine's MLflow reads."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from importlib import metadata
from typing import Any

import pytest
from mlflow import MlflowClient
from mlflow.store.db.utils import _get_alembic_config

from localml import registry, schema_guard, tracking

pytestmark = pytest.mark.slow
# What an MLflow of another version does when it opens a store: alembic moves it, the version last.
MIGRATE = """
import os, sqlite3
store = sqlite3.connect(os.environ["MLFLOW_TRACKING_URI"].removeprefix("sqlite:///"))
with store:
    store.execute("update alembic_version set version_num = 'another'")
"""


@pytest.fixture
def home(tracked_engine: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LOCALML_HOME", str(tracked_engine.home))
    return tracked_engine


def revision() -> str:
    with sqlite3.connect(registry.database()) as store:
        return str(store.execute("select version_num from alembic_version").fetchone()[0])


def triggers() -> list[str]:
    with sqlite3.connect(registry.database()) as store:
        query = "select name from sqlite_master where type = 'trigger' and name like 'localml%'"  # MLflow has its own
        return [row[0] for row in store.execute(query)]


def test_a_step_that_would_migrate_the_store_fails_and_says_which_mlflow_it_needs(home: Any) -> None:
    before = revision()
    assert schema_guard.note(["ValueError: x"]) == ""
    home.component("migrate", MIGRATE)
    home.pipeline({"only": {"component": "./migrate.yml"}})
    home.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    (log,) = home.jobs_left("jobs/*/only/log.txt")
    assert "the local store is of MLflow 3." in log.read_text()
    assert revision() == before
    assert MlflowClient(tracking.uri()).search_experiments()


def test_a_store_of_an_engine_before_this_one_is_upgraded_and_guarded(home: Any) -> None:
    from alembic import command  # noqa: PLC0415 - of MLflow's

    newest = revision()
    schema_guard.lift()
    command.downgrade(_get_alembic_config(tracking.uri()), "-1")
    assert revision() != newest
    assert schema_guard.is_needed()
    tracking.prepare("tests")
    assert revision() == newest
    assert triggers() == [schema_guard.name()]
    assert not schema_guard.is_needed()


def test_the_guard_of_another_mlflow_gives_way(home: Any) -> None:
    with sqlite3.connect(registry.database()) as store:
        store.execute(f"drop trigger {schema_guard.name()}")
        store.execute("create trigger localml_guard_2_0_0 before update on alembic_version begin select 1; end")
    assert schema_guard.is_needed()
    tracking.prepare("tests")
    assert triggers() == [schema_guard.name()]


def test_pip_in_a_step_takes_the_mlflow_of_the_store_and_says_so_where_it_may_not(home: Any) -> None:
    variables = tracking.start_step("tests", "", "j", "s")
    constraint, version = variables["PIP_CONSTRAINT"], metadata.version("mlflow")
    assert " " not in constraint  # pip splits the variable at blanks, and this state's path has some
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "mlflow<2.19"],
        env={**os.environ, "PIP_CONSTRAINT": constraint},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (
        schema_guard.note(done.stderr.splitlines())
        == f" (the local store is of MLflow {version}, and a step takes no other)"
    )
    assert f"(constraint) mlflow=={version}" in done.stdout + done.stderr
