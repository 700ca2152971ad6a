"""Speaking to Snowflake: who and where, slow and lost warehouses; the connection spec's target, the query's line."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import snowflake.connector
import yaml

from demand.errors import StepError
from fake_snowflake import FakeServer, fake_snowflake
from sales import snowflake as source
from sales.snowflake import WarehouseLostError, check_reachable, connect, execute
from sales.specs import load_connection, load_import_spec
from warehouse_fixtures import REPO

CONNECTION = REPO / "ml" / "data" / "snowflake.connection.yml"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A recording server that `connect` is led to."""
    with fake_snowflake() as running:
        variables = {"HOST": "127.0.0.1", "PORT": str(running.port), "PROTOCOL": "http", "PASSWORD": "x"}
        for name, value in variables.items():
            monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield running


def test_the_connection_spec_says_who_and_where(monkeypatch: pytest.MonkeyPatch) -> None:
    given: dict[str, Any] = {}
    session = SimpleNamespace(rest=SimpleNamespace(fetch=None), close=lambda: given.update(closed=True))
    monkeypatch.setattr(source, "check_reachable", lambda address: None)
    monkeypatch.setattr(snowflake.connector, "connect", lambda **arguments: given.update(arguments) or session)
    for name in ("HOST", "PORT", "PROTOCOL"):
        monkeypatch.delenv(f"SNOWFLAKE_{name}", raising=False)
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "x")
    with connect(load_connection(CONNECTION)):
        assert "closed" not in given
    assert given["closed"] is True
    assert {name: given[name] for name in ("host", "port", "protocol", "account", "user", "database")} == {
        "host": "globojava-analytics.snowflakecomputing.com",
        "port": 443,
        "protocol": "https",
        "account": "globojava-analytics",
        "user": "DEMAND_FORECAST",
        "database": "GLOBOJAVA",
    }
    named = {name: given[name] for name in ("schema", "warehouse", "role")}
    assert named == {"schema": "RETAIL", "warehouse": "DEMAND_WH", "role": "DEMAND_READER"}


def test_a_query_may_take_longer_than_a_lost_warehouse_is_waited_for(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "LOST_SECONDS", 1)
    server.seconds = 2.5
    with connect(load_connection(CONNECTION)) as session:
        assert execute(session, "select 1", "x.sql:1").fetchall() == [(1,)]
    assert server.bodies("/queries/v1/abort-request") == []


def test_a_warehouse_lost_in_the_middle_of_a_query_is_a_user_error(
    monkeypatch: pytest.MonkeyPatch, server: FakeServer
) -> None:
    monkeypatch.setattr(source, "LOST_SECONDS", 1)
    monkeypatch.setattr(snowflake.connector.connection.SnowflakeConnection, "close", lambda self: None)
    with connect(load_connection(CONNECTION)) as session:
        server.shutdown()
        server.server_close()
        started = time.monotonic()
        with pytest.raises(WarehouseLostError, match=r"x\.sql:1: lost the warehouse while running the query"):
            execute(session, "select 1", "x.sql:1")
    assert time.monotonic() - started < 30


def test_an_account_that_leads_elsewhere_is_reachable_and_is_not_followed(server: FakeServer) -> None:
    server.redirect = f"http://127.0.0.1:{server.port}/elsewhere"
    check_reachable({"host": "127.0.0.1", "port": server.port, "protocol": "http"})
    assert [path for path, _ in server.requests] == ["/"]


def test_a_name_that_is_not_known_yet_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([socket.gaierror(-3, "Temporary failure in name resolution"), TimeoutError(), None])
    monkeypatch.setattr(source, "_probe", lambda address: next(answers))
    check_reachable({"host": "x", "port": 443, "protocol": "https"})
    assert list(answers) == []


def test_a_port_that_is_not_a_number_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_PORT", "many")
    with pytest.raises(StepError, match="SNOWFLAKE_PORT is 'many'"), connect(load_connection(CONNECTION)):
        pass


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("", "target must be jdbc:snowflake://"),
        ("jdbc:postgresql://x/?db=a", "target must be jdbc:snowflake://"),
        ("jdbc:snowflake:///?db=a", "target must be jdbc:snowflake://"),
        ("jdbc:snowflake://a.snowflakecomputing.com/?db=D&schema=S&role=R", "lacks user, warehouse"),
    ],
)
def test_a_connection_target_that_lacks_a_part_is_a_user_error_that_names_it(
    tmp_path: Path, target: str, message: str
) -> None:
    path = tmp_path / "connection.yml"
    path.write_text(yaml.safe_dump({"name": "x", "type": "snowflake", "target": target}))
    with pytest.raises(StepError, match=message) as error:
        load_connection(path)
    assert str(error.value).startswith(f"{path}: ")


def test_the_user_may_stand_in_the_credentials(tmp_path: Path) -> None:
    path = tmp_path / "connection.yml"
    target = "jdbc:snowflake://org-acc.privatelink.snowflakecomputing.com/?db=D&schema=S&warehouse=W&role=R"
    path.write_text(yaml.safe_dump({"target": target, "credentials": {"username": "SOMEONE"}}))
    connection = load_connection(path)
    assert (connection.user, connection.account, connection.database) == ("SOMEONE", "org-acc.privatelink", "D")


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", ""])
def test_a_spec_that_is_not_a_mapping_is_a_user_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spec.yml"
    path.write_text(text)
    for load in (load_connection, load_import_spec):
        with pytest.raises(StepError, match=str(path)):
            load(path)


def test_a_spec_that_does_not_exist_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"cannot read the import spec: No such file"):
        load_import_spec(tmp_path / "none.yml")


def test_the_query_comes_with_its_file_and_line() -> None:
    path = REPO / "ml" / "data" / "sales.import.yml"
    spec = load_import_spec(path)
    number = int(spec.place.removeprefix(f"{path}:"))
    assert path.read_text().splitlines()[number - 1].strip().startswith("query:")
    assert spec.query.startswith("select SaleID")
    assert spec.query.endswith("from SALES")


def test_an_import_spec_without_a_query_is_a_user_error(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("name: sales\nsource: {type: database}\n")
    with pytest.raises(StepError, match=r"x\.yml: the import spec needs source\.query"):
        load_import_spec(path)
