"""Sales that the warehouse checks and sums: the same months as the aggregate step's, summed again only where needed."""

import dataclasses
import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from import_kit import command_of, import_settings, step_environment

from demand.errors import StepError
from demand.grain import GRAINS
from helpers_sales import CONTRACT, MONTHLY_SQL, SHARED_DATA
from sales import aggregate, ingest, pushdown
from sales import pushed as pushed_down
from sales.ingest import ALWAYS, AUTO, ImportSettings, PushDown, import_sales
from sqlcheck import rules
from warehouse import __main__ as program
from warehouse import lifecycle
from warehouse.state import Home
from warehouse_fixtures import run_sql

SQL = MONTHLY_SQL.read_text(encoding="utf-8")


def pushed(folder: Path, query: str, grain: str = "store", when: str = ALWAYS, above: int = 0) -> ImportSettings:
    wanted = PushDown(when, MONTHLY_SQL, grain, above)
    folder.mkdir(parents=True, exist_ok=True)
    return import_settings(folder, query, pushdown=wanted)


def in_duckdb(folder: Path, query: str, grain: str = "store") -> Path:
    """monthly/ and quarantine/ of the import and the aggregate step, in DuckDB."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = import_settings(folder, query)
    import_sales(settings)
    steps = ["--sales", str(settings.sales), "--contract", str(CONTRACT), "--monthly-sql", str(MONTHLY_SQL)]
    outputs = ["--grain", grain, "--monthly", str(folder / "monthly"), "--quarantine", str(folder / "quarantine")]
    assert aggregate.main([*steps, *outputs]) == 0
    return folder / "monthly"


def assert_equal(pushed_down: Path, monthly: Path) -> None:
    """To the last bit; the words of a warning name other places."""
    assert (pushed_down / "monthly.parquet").read_bytes() == (monthly / "monthly.parquet").read_bytes()
    left, right = (json.loads((folder / "rows.json").read_text()) for folder in (pushed_down, monthly))
    assert len(left.pop("warnings")) == len(right.pop("warnings"))
    assert left == right


def spoil(home: Home, name: str) -> None:
    """Rows that break each kind of rule, in several months."""
    run_sql(
        home,
        f"update {name} set Quantity = null where SaleID in (20, 21)",
        f"update {name} set Price = -1 where SaleID = 55",
        f"update {name} set Price = 'nan' where SaleID = 56",
        f"update {name} set StoreID = '' where SaleID = 57",
        f"update {name} set SaleDate = null where SaleID = 58",
        f"update {name} set SaleDate = '2199-01-01' where SaleID = 59",
        f"insert into {name} select * from {name} where SaleID in (7, 3001)",
        f"insert into {name} select SaleID, dateadd('month', 1, SaleDate), StoreID, Country, City, Category, Product, "
        f"Price, Quantity + 1, Weather, Promotion, Holiday from {name} where SaleID = 8",
    )


@pytest.mark.slow
@pytest.mark.parametrize("grain", GRAINS)
def test_the_months_are_the_aggregate_steps_to_the_last_bit(
    shared_home: Home, table: Callable[..., str], tmp_path: Path, grain: str
) -> None:
    name = table(months=4, rows=3000)
    spoil(shared_home, name)
    settings = pushed(tmp_path / "pushed", f"select * from {name}", grain)
    assert import_sales(settings) == 12_003
    assert_equal(settings.sales, in_duckdb(tmp_path / "here", f"select * from {name}", grain))


@pytest.mark.slow
def test_columns_of_other_types_are_read_as_the_aggregate_step_reads_them(
    shared_home: Home, table: Callable[..., str], tmp_path: Path
) -> None:
    name = table(months=3, rows=900)
    query = (
        f"select 'L' || SaleID as SaleID, SaleDate::date as SaleDate, 5 as StoreID, Country, "
        f"iff(SaleID = 9, 'dear', Price::varchar) as Price, round(Quantity, 0)::integer as Quantity, Weather, "
        f"iff(Promotion, 1, 0) as Promotion, iff(SaleID % 2 = 0, 'true', 'false') as Holiday from {name}"
    )
    settings = pushed(tmp_path / "pushed", query)
    import_sales(settings)
    monthly = in_duckdb(tmp_path / "here", query)
    assert json.loads((monthly / "rows.json").read_text())["by_rule"] == {"Price not a number": 1}
    assert_equal(settings.sales, monthly)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rossmann100", "demand_forecasting"])
def test_real_sales_give_the_same_months(
    own_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file = SHARED_DATA / f"{name}.parquet"
    if not file.is_file():
        pytest.skip(f"{file} is not here: a push-down of real sales was not compared")
    program.seed(own_home, file)
    lifecycle.start(own_home)
    for key, value in lifecycle.connection_environment(own_home).items():
        monkeypatch.setenv(key, value)
    settings = pushed(tmp_path / "pushed", "select * from SALES")
    import_sales(settings)
    assert_equal(settings.sales, in_duckdb(tmp_path / "here", "select * from SALES"))


def test_every_statement_is_snowflakes_sql(
    shared_home: Home, table: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = table(months=2, rows=400)
    run_sql(shared_home, f"insert into {name} select * from {name} where SaleID = 7")
    asked: list[str] = []
    execute = pushdown.execute

    def record(session: Any, sql: str, place: str) -> Any:
        asked.append(sql)
        return execute(session, sql, place)

    monkeypatch.setattr(pushdown, "execute", record)
    import_sales(pushed(tmp_path, f"select * from {name}"))
    assert len(asked) > 10
    assert {sql: [rule.name for _, rule in rules.check(sql)] for sql in asked} == {sql: [] for sql in asked}


def summed(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Months that the last import summed."""
    months = [record.getMessage()[:7] for record in caplog.records if record.getMessage().endswith("rows summed")]
    caplog.clear()
    return months


def test_only_a_month_whose_good_rows_changed_is_summed_again(
    shared_home: Home, table: Callable[..., str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "sales.ingest")
    name = table(months=3, rows=200)
    settings = pushed(tmp_path, f"select * from {name}")
    import_sales(settings)
    assert summed(caplog) == ["2024-01", "2024-02", "2024-03"]
    import_sales(settings)
    assert summed(caplog) == []
    run_sql(shared_home, f"update {name} set Quantity = Quantity + 1 where SaleID = 201")
    import_sales(settings)
    assert summed(caplog) == ["2024-02"]
    # A row of March repeats one of January with an earlier date: January keeps its row, March loses none of its own.
    run_sql(shared_home, f"update {name} set SaleID = 3 where SaleID = 401")
    import_sales(settings)
    assert summed(caplog) == ["2024-03"]
    assert not list((settings.staging / "pushed-down").glob("*.2024-02.*.parquet"))[1:]


def test_raw_rows_never_leave_and_bad_ones_are_in_a_table_with_their_reasons(
    shared_home: Home, table: Callable[..., str], tmp_path: Path
) -> None:
    name = table(months=2, rows=400)
    run_sql(shared_home, f"update {name} set Price = -1 where SaleID = 55")
    settings = pushed(tmp_path, f"select * from {name}")
    import_sales(settings)
    assert sorted(path.name for path in settings.sales.iterdir()) == [
        "MLTable", "monthly.parquet", "pushed_down.json", "rows.json"
    ]  # fmt: skip
    bad = run_sql(shared_home, "select Rule, Reason, SaleID, Price from SALES_QUARANTINE")
    assert bad == [("Price below 0", "Price: -1.0 is below 0", 55, -1.0)]


def test_too_many_bad_rows_end_the_import_and_are_all_in_the_table(
    shared_home: Home, table: Callable[..., str], tmp_path: Path
) -> None:
    name = table(months=2, rows=400)
    run_sql(shared_home, f"update {name} set Price = -1 where SaleID < 100")
    settings = pushed(tmp_path, f"select * from {name}")
    with pytest.raises(StepError, match=r"100 of 800 rows \(12.5%\) .* Price below 0 .*table SALES_QUARANTINE"):
        import_sales(settings)
    assert not (settings.sales / "MLTable").exists()
    assert run_sql(shared_home, "select count(*) from SALES_QUARANTINE") == [(100,)]


@pytest.mark.parametrize("change", ["delete from {} where SaleID = 3", "update {} set Quantity = 9 where SaleID = 3"])
def test_a_table_that_changes_meanwhile_ends_the_import_and_nothing_is_kept(
    shared_home: Home, table: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    name = table(months=2, rows=200)
    settings, take = pushed(tmp_path, f"select * from {name}"), pushdown._take

    def after_a_change(*given: Any) -> None:
        run_sql(shared_home, change.format(name))
        take(*given)

    with monkeypatch.context() as patched:
        patched.setattr(pushdown, "_take", after_a_change)
        with pytest.raises(StepError, match="2024-01 to 2024-02: the table changed meanwhile; run it again"):
            import_sales(settings)
    assert not list((settings.staging / "pushed-down").iterdir())
    import_sales(settings)
    assert_equal(settings.sales, in_duckdb(tmp_path / "here", f"select * from {name}"))


def test_a_query_without_rows_says_so(table: Callable[..., str], tmp_path: Path) -> None:
    with pytest.raises(StepError, match="the query gives no row; load sales first"):
        import_sales(pushed(tmp_path, f"select * from {table(months=1)} where false"))


@pytest.mark.slow
def test_a_run_killed_in_the_middle_goes_on_from_the_months_that_were_summed(
    shared_home: Home, table: Callable[..., str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = table(months=30, rows=100)
    settings = pushed(tmp_path, f"select * from {name}")
    command = [*command_of(settings), "--push-down", "always", "--monthly-sql", str(MONTHLY_SQL)]
    with subprocess.Popen(command, env=step_environment(), stdout=subprocess.PIPE, text=True) as step:
        assert step.stdout is not None
        for line in step.stdout:
            if "2024-12" in line:
                os.kill(step.pid, signal.SIGKILL)
                break
    assert step.wait() == -signal.SIGKILL
    assert not (settings.sales / "MLTable").exists()
    caplog.set_level("INFO", "sales.ingest")
    import_sales(settings)
    assert "2024-11" not in (again := summed(caplog))
    assert again
    assert_equal(settings.sales, in_duckdb(tmp_path / "here", f"select * from {name}"))


@pytest.mark.parametrize(("above", "expected"), [(399, True), (400, False)])
def test_by_itself_it_is_for_azure_and_for_many_rows(
    table: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, above: int, expected: bool
) -> None:
    settings = pushed(tmp_path, f"select * from {table(months=1, rows=400)}", when=AUTO, above=above)
    assert not ingest._is_pushed_down(settings)
    monkeypatch.setattr(ingest, "on_azure", lambda: True)
    assert ingest._is_pushed_down(settings) is expected


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"grain": "product"}, "by store, and grain of this run is another: .*PUSHDOWN=1 GRAIN=product"),
        ({"sql": "select 1"}, "the aggregation's SQL of this run is another"),
        ({"contract": "name: other"}, "the sales contract of this run is another"),
    ],
)
def test_months_of_another_question_are_refused(tmp_path: Path, changed: dict[str, str], message: str) -> None:
    asked = pushed_down.Aggregation(SQL, "store", CONTRACT.read_text(encoding="utf-8"))
    (tmp_path / pushed_down.MARK).write_text(json.dumps(asked.mark()))
    pushed_down.check_mark(tmp_path, asked)
    with pytest.raises(StepError, match=message):
        pushed_down.check_mark(tmp_path, dataclasses.replace(asked, **changed))


def test_the_aggregate_step_hands_the_months_on(shared_home: Home, table: Callable[..., str], tmp_path: Path) -> None:
    name = table(months=2, rows=400)
    settings = pushed(tmp_path, f"select * from {name}")
    import_sales(settings)
    files = ["--sales", str(settings.sales), "--contract", str(CONTRACT), "--monthly-sql", str(MONTHLY_SQL)]
    outputs = ["--monthly", str(tmp_path / "monthly"), "--quarantine", str(tmp_path / "quarantine")]
    assert aggregate.main([*files, *outputs]) == 0
    for file in ("monthly.parquet", "rows.json", pushed_down.MARK):
        assert (tmp_path / "monthly" / file).read_bytes() == (settings.sales / file).read_bytes()
    assert duckdb.sql(f"select count(*) from '{tmp_path}/quarantine/quarantine.csv'").fetchall() == [(0,)]
