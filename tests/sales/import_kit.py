"""An import from a table of the shared warehouse, in this process or as a step of its own."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from sales.ingest import ImportSettings
from warehouse_fixtures import REPO, clean_environment

DATA = REPO / "ml" / "data"
TableMaker = Callable[..., str]


def spec_file(folder: Path, query: str) -> Path:
    path = folder / "test.import.yml"
    content = {
        "name": "sales",
        "type": "mltable",
        "source": {"type": "database", "connection": "azureml:snowflake-sales", "query": query},
        "path": "azureml://datastores/workspaceblobstore/paths/sales",
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False, width=1000))
    return path


def import_settings(folder: Path, query: str, **other: Any) -> ImportSettings:
    arguments: dict[str, Any] = {
        "connection": DATA / "snowflake.connection.yml",
        "import_spec": spec_file(folder, query),
        "contract": DATA / "sales.contract.yml",
        "sales": folder / "sales",
        "staging": folder / "staging",
    }
    return ImportSettings(**{**arguments, **other})


def command_of(settings: ImportSettings) -> list[str]:
    flags = ("connection", "import_spec", "contract", "sales", "staging")
    pairs = [(f"--{name.replace('_', '-')}", str(getattr(settings, name))) for name in flags]
    return [sys.executable, "-m", "sales.ingest", *(word for pair in pairs for word in pair)]


def step_environment(**more: str) -> dict[str, str]:
    """Variables of a step that reaches the warehouse of this process."""
    given = {name: value for name, value in os.environ.items() if name.startswith("SNOWFLAKE_")}
    return clean_environment(**{**given, **more})
