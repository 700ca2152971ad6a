"""FORECASTS in the warehouse: one set of rows per model version and origin month, all or nothing."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from demand import health
from demand.errors import StepError
from sales import publish as step
from sales.snowflake import WarehouseLostError, connect
from sales.specs import load_connection
from warehouse_fixtures import REPO, clean_environment, run_sql

CONNECTION = REPO / "ml/data/snowflake.connection.yml"
pytestmark = pytest.mark.slow  # speaks to a warehouse server
COUNT = "select ModelVersion, count(*), sum(TotalSales) from FORECASTS group by 1 order by 1"


def table(version: str = "1", sales: float = 10.0, months: int = 3) -> pd.DataFrame:
    rows = [
        {"StoreID": "S'1", "MonthYear": f"2024-{number + 1:02d}", "TotalSales": sales, "P10": 1.0, "P90": 99.0}
        for number in range(months)
    ]
    more = {"Flags": "", "ModelName": "demand-forecast", "ModelVersion": version, "Origin": "2023-12"}
    return step.for_warehouse(pd.DataFrame(rows).assign(**more))


@pytest.fixture
def session(shared_home: Any, shared_env: dict[str, str]) -> Any:
    run_sql(shared_home, "drop table if exists FORECASTS")
    with connect(load_connection(CONNECTION)) as connection:
        yield connection


SQL = (REPO / "ml/data/forecasts.sql").read_text()


def test_the_same_version_and_origin_is_replaced_and_others_stay(session: Any, shared_home: Any) -> None:
    assert step.publish(session, table("1"), SQL) == 3
    assert step.publish(session, table("2", 20.0), SQL) == 3
    assert step.publish(session, table("1", 30.0, months=2), SQL) == 2
    assert step.publish(session, table("1", 30.0, months=2), SQL) == 2
    assert run_sql(shared_home, COUNT) == [("1", 2, 60.0), ("2", 3, 60.0)]


DYING = ("create temporary stage", "put ", "begin", "delete ", "copy into", "select count(*) from FORECASTS", "commit")


def failing(monkeypatch: pytest.MonkeyPatch, at: str, error: BaseException) -> list[str]:
    """Raise `error` instead of running the statement that begins with `at`; collects what was run."""
    ran: list[str] = []
    real = step.execute

    def execute(session: Any, sql: str, place: str) -> Any:
        ran.append(sql)
        if sql.startswith(at):
            raise error
        return real(session, sql, place)

    monkeypatch.setattr(step, "execute", execute)
    return ran


@pytest.mark.parametrize("at", DYING)
def test_a_publish_that_fails_leaves_what_was_there_and_no_staged_file(
    session: Any, shared_home: Any, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    step.publish(session, table("1"), SQL)
    with monkeypatch.context() as patched:
        ran = failing(patched, at, StepError("the line is cut"))
        with pytest.raises(StepError, match="the line is cut"):
            step.publish(session, table("1", 77.0), SQL)
    assert run_sql(shared_home, COUNT) == [("1", 3, 30.0)]
    assert staged(session, ran) == []
    assert step.publish(session, table("1", 88.0), SQL) == 3


def staged(session: Any, ran: list[str]) -> list[Any]:
    """Files in the stages that `ran` created; a stage that is gone has none."""
    left = []
    for stage in [sql.split()[-1] for sql in ran if sql.startswith("create temporary stage")]:
        with contextlib.suppress(StepError):
            left += step.execute(session, f"list @{stage}", "test").fetchall()
    return left


def test_a_run_killed_between_put_and_copy_leaves_what_was_there_and_the_next_publishes(
    shared_home: Any, session: Any, tmp_path: Path
) -> None:
    step.publish(session, table("1"), SQL)
    table("1", 77.0).to_parquet(tmp_path / "table.parquet")
    script = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from sales import publish
from sales.specs import load_connection
from sales.snowflake import connect
publish._load = lambda session, file: os.kill(os.getpid(), signal.SIGKILL)
with connect(load_connection(Path(sys.argv[1]))) as session:
    publish.publish(session, pd.read_parquet(sys.argv[2]), open(sys.argv[3]).read())
"""
    flags = [str(CONNECTION), str(tmp_path / "table.parquet"), str(REPO / "ml/data/forecasts.sql")]
    variables = {name: value for name, value in os.environ.items() if name.startswith("SNOWFLAKE_")}
    killed = subprocess.run([sys.executable, "-c", script, *flags], env=clean_environment(**variables), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert run_sql(shared_home, COUNT) == [("1", 3, 30.0)]
    # Snowflake gives the dead session's lock back when it notices; the local warehouse has none that others wait for.
    assert step.publish(session, table("2", 77.0), SQL) == 3


def test_a_lost_warehouse_is_not_asked_to_tidy_up(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    step.publish(session, table("1"), SQL)
    with monkeypatch.context() as patched:
        ran = failing(patched, "copy into", WarehouseLostError("lost"))
        with pytest.raises(WarehouseLostError):
            step.publish(session, table("1"), SQL)
    assert ran[-1].startswith("copy into"), "each further statement would wait for minutes"
    session.cursor().execute("rollback")


def test_a_full_disk_while_staging_leaves_what_was_there(
    session: Any, shared_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step.publish(session, table("1"), SQL)

    def full(self: pd.DataFrame, path: Path, **_: Any) -> None:
        raise OSError(28, "No space left on device", str(path))

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_parquet", full)
        with pytest.raises(StepError, match=r"cannot write .*: No space left on device"):
            step.publish(session, table("1", 77.0), SQL)
    assert run_sql(shared_home, COUNT) == [("1", 3, 30.0)]


def test_a_table_of_the_same_name_in_another_schema_is_not_taken_for_it(session: Any, shared_home: Any) -> None:
    run_sql(shared_home, "create schema if not exists ELSEWHERE", "use schema ELSEWHERE", SQL)
    assert step.publish(session, table("1"), SQL) == 3
    assert run_sql(shared_home, "select count(*) from RETAIL.FORECASTS") == [(3,)]


def test_two_runs_that_publish_at_once_get_an_error(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    counts = iter([3, 6])
    monkeypatch.setattr(step, "_count", lambda session, same: next(counts))
    with pytest.raises(StepError, match="holds 6 rows, not 3: two published at once, run one of them again"):
        step.publish(session, table("1"), SQL)


def test_no_statement_needs_what_snowflake_does_not_grant_a_writer(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[str] = []
    real = step.execute
    monkeypatch.setattr(step, "execute", lambda session, sql, place: (ran.append(sql), real(session, sql, place))[1])
    step.publish(session, table("1"), SQL)
    assert [sql for sql in ran if "@%" in sql] == []
    assert "table_schema = current_schema()" in ran[0]


def test_the_steps_flags_reach_the_warehouse(
    shared_home: Any, shared_env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_sql(shared_home, "drop table if exists FORECASTS")
    rows = table("5").assign(MonthYear="2024-01", Origin="2023-12").drop(columns=["Month", "OriginMonth"])
    rows.to_parquet(tmp_path / "forecasts.parquet")
    flags = [f"--forecasts={tmp_path}", f"--connection={REPO / 'ml/data/snowflake.connection.yml'}"]
    flags += [f"--table-sql={REPO / 'ml/data/forecasts.sql'}", f"--published={tmp_path / 'out'}"]
    assert step.main(flags) == 0
    assert (tmp_path / "out/rows.txt").read_text() == "3\n"


def test_forecasts_that_last_year_beats_are_not_published_unless_asked_for(
    session: Any, shared_home: Any, tmp_path: Path
) -> None:
    rows = pd.DataFrame([{"StoreID": "S1", "MonthYear": "2024-01", "TotalSales": 1.0, "P10": 0.5, "P90": 2.0}])
    about = {"Flags": "", "ModelName": "demand-forecast", "ModelVersion": "8", "Origin": "2023-12"}
    rows.assign(**about).to_parquet(tmp_path / "forecasts.parquet")
    health.write(
        {"name": "demand-forecast", "version": "8", "wape": 0.3, "seasonal_naive": 0.1, "is_worse": True}, tmp_path
    )
    flags = [f"--forecasts={tmp_path}", f"--connection={REPO / 'ml/data/snowflake.connection.yml'}"]
    flags += [f"--table-sql={REPO / 'ml/data/forecasts.sql'}", f"--published={tmp_path / 'out'}"]
    with pytest.raises(StepError, match=r"version 8 is worse on these sales .* nothing is published.*FORCE=1"):
        step.main(flags)
    assert step.main([*flags, "--if-worse=publish"]) == 0
    assert run_sql(shared_home, COUNT) == [("8", 1, 1.0)]
