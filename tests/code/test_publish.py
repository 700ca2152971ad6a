"""FORECASTS in the warehouse: one set of rows per model version and origin month, all or nothing."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from demand import health
from demand import publish as step
from demand.connection_spec import load_connection
from demand.errors import UserError
from demand.snowflake_source import connect
from warehouse_fixtures import REPO, run_sql

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
    with connect(load_connection(REPO / "ml/data/snowflake.connection.yml")) as found:
        yield found


SQL = (REPO / "ml/data/forecasts.sql").read_text()


def test_the_same_version_and_origin_is_replaced_and_others_stay(session: Any, shared_home: Any) -> None:
    assert step.publish(session, table("1"), SQL) == 3
    assert step.publish(session, table("2", 20.0), SQL) == 3
    assert step.publish(session, table("1", 30.0, months=2), SQL) == 2
    assert step.publish(session, table("1", 30.0, months=2), SQL) == 2
    assert run_sql(shared_home, COUNT) == [("1", 2, 60.0), ("2", 3, 60.0)]


def test_a_load_that_fails_leaves_what_was_there(
    session: Any, shared_home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    step.publish(session, table("1"), SQL)
    real = step.execute

    def broken(session: Any, sql: str, place: str) -> Any:
        if sql.startswith("copy into"):
            raise UserError("the line is cut")
        return real(session, sql, place)

    monkeypatch.setattr(step, "execute", broken)
    with pytest.raises(UserError, match="the line is cut"):
        step.publish(session, table("1", 77.0), SQL)
    assert run_sql(shared_home, COUNT) == [("1", 3, 30.0)]


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
    with pytest.raises(UserError, match=r"version 8 is worse on these sales .* nothing is published.*FORCE=1"):
        step.main(flags)
    assert step.main([*flags, "--if-worse=publish"]) == 0
    assert run_sql(shared_home, COUNT) == [("8", 1, 1.0)]
