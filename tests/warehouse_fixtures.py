"""One local warehouse per test process, and small helpers to fill it; import the fixtures that a test file needs."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import warehouse  # noqa: F401  (puts src/ on the path)
from demand.contract import Contract, load_contract
from warehouse import lifecycle
from warehouse.seed import CONTRACT, local_session
from warehouse.state import Home, open_home

REPO = Path(__file__).resolve().parents[1]
COLUMNS = (
    "SaleID bigint, SaleDate timestamp_ntz, StoreID varchar, Country varchar, City varchar, Category varchar, "
    "Product varchar, Price double, Quantity double, Weather varchar, Promotion boolean, Holiday boolean"
)


@pytest.fixture(scope="session")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A warehouse that runs; tests keep apart by their table names."""
    home = open_home(tmp_path_factory.mktemp("localml"))
    lifecycle.start(home)
    yield home
    lifecycle.stop(home)


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Home]:
    """A warehouse folder of the test's own; a server that it started is ended."""
    home = open_home(tmp_path / "localml")
    yield home
    lifecycle.stop(home)


@pytest.fixture
def shared_env(shared_home: Home, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The SNOWFLAKE_* variables of the shared warehouse, set for the test."""
    variables = lifecycle.connection_environment(shared_home)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture(scope="session")
def contract() -> Contract:
    """The sales contract of the repo."""
    return load_contract(CONTRACT)


def run_sql(home: Home, *statements: str) -> list[Any]:
    """Run statements in one session; returns the last one's rows."""
    rows: list[Any] = []
    with local_session(home) as session:
        for statement in statements:
            rows = session.cursor().execute(statement).fetchall()
    return rows


def make_sales(home: Home, table: str, months: int = 3, rows: int = 200, start: str = "2024-01-01") -> None:
    """A table of `months` times `rows` good sales."""
    run_sql(
        home,
        f"create or replace table {table} ({COLUMNS})",
        f"""insert into {table} select i, dateadd('minute', (i % {rows}) * 100, dateadd('month', floor(i / {rows}),
        '{start}'::timestamp_ntz)), 'S' || (i % 5), 'Canada', 'Ottawa', 'Food', 'Muffin', 4.5, i % 7, 'Sunny',
        i % 2 = 0, false from (select seq4() as i from table(generator(rowcount => {months * rows})))""",
    )


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without LOCALML_* and SNOWFLAKE_*, plus `more`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("LOCALML", "SNOWFLAKE"))}
    return {
        **kept,
        "PYTHONDONTWRITEBYTECODE": "",
        **more,
    }
