"""Runs in MLflow's SQLite store: one of the job, one below it for each step, started before the step as on Azure ML.

Written without importing mlflow, which takes longer than many a step; a test compares them with MLflow's own client.
"""

import getpass
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from amlspec.errors import UserError
from localml import registry

FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"
_RUN = (
    "insert into runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
    "source_version, lifecycle_stage, artifact_uri, experiment_id) values (?, ?, 'JOB', '', '', ?, 'RUNNING', ?, '', "
    "'active', ?, ?)"
)


def start(experiment: str, name: str, tags: dict[str, str]) -> str:
    """Start a run; its id. The experiment must exist."""
    run = uuid.uuid4().hex
    user = getpass.getuser()
    with _store() as store:
        query = "select experiment_id, artifact_location from experiments where name = ? and lifecycle_stage = 'active'"
        number, location = _one(store, query, experiment)
        store.execute(_RUN, (run, name, user, _now(), f"{location}/{run}/artifacts", number))
        given = {"mlflow.runName": name, "mlflow.user": user, "mlflow.source.type": "JOB", **tags}
        store.executemany(
            "insert into tags (key, value, run_uuid) values (?, ?, ?)", [(*each, run) for each in given.items()]
        )
    return run


def finish(run: str, status: str) -> None:
    """End a run as FINISHED, FAILED or KILLED, whatever the step itself said."""
    with _store() as store:
        store.execute("update runs set status = ?, end_time = ? where run_uuid = ?", (status, _now(), run))


@contextmanager
def _store() -> Iterator[sqlite3.Connection]:
    """A transaction. Raises UserError where the store cannot be written."""
    try:
        with closing(sqlite3.connect(registry.database(), timeout=30)) as store, store:
            yield store
    except sqlite3.Error as error:
        raise UserError(f"the MLflow store {registry.database()} cannot be written: {error}", exit_code=1) from None


def _one(store: sqlite3.Connection, query: str, *values: Any) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = store.execute(query, values).fetchone()
    if row is None:
        raise UserError(f"the MLflow store {registry.database()} has lost the experiment {values[0]}", exit_code=1)
    return row


def _now() -> int:
    return int(time.time() * 1000)
