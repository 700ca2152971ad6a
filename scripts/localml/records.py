"""Records of jobs: one JSON file a job, replaced whole at every change of state."""

import datetime as dt
import os
import re
import secrets
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from host.process import process_mark
from host.state import home, read_json, write_json

FINAL = frozenset({"Completed", "Failed", "Canceled"})
_ADJECTIVES = (
    "amber",
    "brisk",
    "calm",
    "dark",
    "earthy",
    "fresh",
    "golden",
    "light",
    "mellow",
    "nutty",
    "rich",
    "smooth",
)
_NOUNS = ("arabica", "bean", "brew", "crema", "cup", "filter", "grinder", "kettle", "latte", "mocha", "mug", "robusta")


def new_name() -> str:
    """A name in the service's manner: adjective_noun_random."""
    return f"{secrets.choice(_ADJECTIVES)}_{secrets.choice(_NOUNS)}_{secrets.token_hex(5)}"


def folder(name: str) -> Path:
    """Folder of a job. Raises UserError for a name that could leave the state folder."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}", name):
        raise UserError(f"{name!r} is not a name of a job: letters, digits, '-' and '_' only")
    return home() / "jobs" / name


def save(record: dict[str, Any]) -> None:
    """Write a job's record."""
    write_json(folder(record["name"]) / "job.json", record)


def load(name: str) -> dict[str, Any]:
    """The record of one job. Raises UserError where there is none."""
    record: dict[str, Any] | None = read_json(folder(name) / "job.json")
    if record is None:
        raise UserError(f"job {name} does not exist here: `localml job list` shows what does")
    return record


def load_all() -> list[dict[str, Any]]:
    """Every job's record, the newest first."""
    known = [read_json(path) for path in (home() / "jobs").glob("*/job.json")]
    return sorted(known, key=lambda record: str(record["creation_context"]["created_at"]), reverse=True)


def create(name: str | None, display_name: str, experiment: str, kind: str) -> dict[str, Any]:
    """Take a name and write the first record. Raises UserError where the name is taken."""
    name = name or new_name()
    try:
        folder(name).mkdir(parents=True)
    except FileExistsError:
        raise UserError(f"job {name} exists: names of jobs are unique, leave --name out to get a new one") from None
    record = {
        "name": name,
        "id": f"azureml:{name}",
        "type": kind,
        "display_name": display_name,
        "experiment_name": experiment,
        "status": "Running",
        "creation_context": {"created_at": dt.datetime.now(dt.UTC).isoformat()},
        "engine": process_mark(os.getpid()),
        "inputs": {},
        "outputs": {},
        "jobs": {},
        "seconds": None,
        "error": None,
    }
    save(record)
    return record
