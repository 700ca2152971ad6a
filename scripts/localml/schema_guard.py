"""A lock on the layout of MLflow's store: the engine's MLflow alone may change it.

On Azure ML the store is a service that answers any version of MLflow. Here it is a SQLite file, and an MLflow that a
step brings along (`pip install mlflow`) would migrate it in passing, so that the engine's own no longer reads it.
"""

import sqlite3
from contextlib import closing
from importlib import metadata

from host.state import home, write_text
from localml import registry

_PREFIX = "localml_guard_"
_TABLE = "alembic_version"


def name() -> str:
    """The guard of the engine's MLflow."""
    return _PREFIX + metadata.version("mlflow").replace(".", "_")


def constraint() -> str:
    """For PIP_CONSTRAINT: pip in a step takes the store's MLflow, or says that this constraint forbids another."""
    version = metadata.version("mlflow")
    path = home() / "generated" / f"mlflow-{version}.txt"
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        write_text(
            path, "".join(f"{package}=={version}\n" for package in ("mlflow", "mlflow-skinny", "mlflow-tracing"))
        )
    return path.as_uri()  # pip splits the variable at blanks, which a URI has not


def note(log: list[str]) -> str:
    """Why pip took no other MLflow, which its own last lines do not say; empty where that is not what happened."""
    if not any("Cannot install mlflow" in line for line in log):
        return ""
    return f" (the local store is of MLflow {metadata.version('mlflow')}, and a step takes no other)"


def is_needed() -> bool:
    """Whether there is a store that the engine's MLflow made or upgraded and that is not guarded, or by another."""
    path = registry.database()
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)) as store:
        return {_TABLE} == _names(store, (_TABLE, name()))


def lift() -> None:
    """Take away every guard, for an upgrade."""
    with closing(sqlite3.connect(registry.database(), timeout=30)) as store, store:
        for guard in _names(store):
            if guard.startswith(_PREFIX):
                store.execute(f"drop trigger {guard}")


def place() -> None:
    """Guard the store, where it has the table in which MLflow keeps the version of its layout."""
    said = f"the local store is of MLflow {metadata.version('mlflow')}: a step needs that version"
    with closing(sqlite3.connect(registry.database(), timeout=30)) as store, store:
        if _TABLE in _names(store):
            raises = f"begin select raise(abort, '{said}'); end"
            store.execute(f"create trigger if not exists {name()} before update on {_TABLE} {raises}")


def _names(store: sqlite3.Connection, wanted: tuple[str, ...] = ()) -> set[str]:
    """Tables and triggers, or those of `wanted` that exist."""
    names = {str(row[0]) for row in store.execute("select name from sqlite_master where type in ('table', 'trigger')")}
    return names & set(wanted) if wanted else names
