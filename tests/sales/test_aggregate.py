"""The aggregate step: what is learned from, what is quarantined, and what a user reads about bad sales."""

import csv
import json
import logging
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from bench.series_bench import make_sales
from demand.contract import load_contract
from demand.errors import StepError
from demand.steps import run
from helpers_sales import CONTRACT, MONTHLY_SQL, RAW, REPO, daily_sales, raw_row
from sales.aggregate import aggregate, main


class Step:
    """The step on rows given by a test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.sales = folder, folder / "sales"
        self.sales.mkdir()

    def write(self, rows: list[dict[str, Any]] | pd.DataFrame, name: str = "part-0", **types: str) -> None:
        frame = pd.DataFrame(rows, columns=None if len(rows) else list(RAW)).astype(object)
        frame = frame.where(frame.notna(), None)
        columns = ", ".join(f'"{column}" {(RAW | types)[column]}' for column in frame.columns)
        with duckdb.connect() as con:
            con.execute(f"create table t ({columns})")
            if len(frame):
                con.executemany(f"insert into t values ({', '.join('?' * len(frame.columns))})", frame.values.tolist())
            con.execute(f"copy t to '{self.sales / name}.parquet' (format parquet)")

    def run(
        self,
        grain: str = "store",
        fraction: float | None = None,
        frequency: str = "daily",
        as_of: date | None = None,
        memory_limit_mb: int = 128,
    ) -> Any:
        contract = load_contract(CONTRACT)
        if fraction is not None:
            contract = replace(contract, max_bad_fraction=fraction)
        contract = replace(contract, frequency=frequency)
        contract = contract.as_of(as_of) if as_of else contract
        sql = MONTHLY_SQL.read_text(encoding="utf-8")
        folders = (self.folder / "monthly", self.folder / "quarantine")
        return aggregate(self.sales, contract, sql, grain, *folders, memory_limit_mb)

    def monthly(self) -> pd.DataFrame:
        return pd.read_parquet(self.folder / "monthly/monthly.parquet")

    def quarantined(self) -> list[dict[str, str]]:
        with (self.folder / "quarantine/quarantine.csv").open() as file:
            return list(csv.DictReader(file))


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


def test_good_rows_become_store_months_and_nothing_is_quarantined(step: Step) -> None:
    step.write([raw_row(1), raw_row(2, Price=3.5), raw_row(3, StoreID="S2", Quantity=-1.0)])
    rows = step.run()
    assert (rows.read, rows.quarantined, rows.store_months, rows.complete_until) == (3, 0, 2, "2024-01")
    monthly = step.monthly().set_index("StoreID")
    assert monthly.loc["S1", ["Price", "TotalSales"]].tolist() == [3.0, 6.0]
    assert monthly.loc["S2", "TotalSales"] == -1.0
    assert step.quarantined() == []
    assert json.loads((step.folder / "monthly/rows.json").read_text())["read"] == 3


BAD_ROWS = [
    ({"Price": -3.5}, "Price: -3.5 is below 0"),
    ({"StoreID": None}, "StoreID: missing"),
    ({"Quantity": float("inf")}, "Quantity: out of range: inf"),
    ({"SaleID": "0"}, "SaleID: 0 occurs more than once"),
]


@pytest.mark.parametrize(("change", "reason"), BAD_ROWS)
def test_bad_row_is_quarantined_with_reason_file_and_row(step: Step, change: dict[str, Any], reason: str) -> None:
    step.write([raw_row(number) for number in range(150)])
    step.write([raw_row(200), raw_row(201, **change)], name="part-1")
    rows = step.run()
    assert (rows.read, rows.quarantined) == (152, 1)
    (bad,) = step.quarantined()
    assert bad["reason"] == reason
    assert Path(bad["file"]).name == "part-1.parquet" and bad["row"] == "2"
    assert step.monthly()["TotalSales"].tolist() == [151 * 3.0]


@pytest.mark.parametrize("repeats", [0, 1])
def test_a_price_that_is_no_number_is_quarantined_though_parquets_statistics_leave_it_out(
    step: Step, repeats: int
) -> None:
    step.write([raw_row(number) for number in range(400)])
    step.write([raw_row(number) for number in range(repeats)], name="part-1")
    path = step.sales / "part-0.parquet"
    with duckdb.connect() as con:
        con.execute(f"create table t as select * from '{path}'")
        con.execute("update t set Price = 'nan' where SaleID = '9'")
        con.execute(f"copy t to '{path}' (format parquet)")
    rows = step.run()
    assert rows.by_rule["Price out of range"] == 1 and rows.quarantined == 1 + repeats
    assert [bad["SaleID"] for bad in step.quarantined() if bad["reason"] == "Price: out of range: nan"] == ["9"]
    assert step.monthly()["TotalSales"].tolist() == [399 * 3.0]


def test_of_rows_with_one_id_the_earliest_is_kept_in_whatever_order_they_came(step: Step) -> None:
    others = [raw_row(number) for number in range(1, 150)]
    step.write([raw_row(0, SaleDate=pd.Timestamp("2024-01-20"), Quantity=5.0), *others])
    step.write([raw_row(0, SaleDate=pd.Timestamp("2024-01-10"), Quantity=7.0)], name="part-1")
    assert step.run().quarantined == 1
    assert [bad["Quantity"] for bad in step.quarantined()] == ["5.0"]


def test_unparsable_date_in_text_is_quarantined_as_it_came(step: Step) -> None:
    days = [raw_row(number, SaleDate="2024-01-31 08:00:00") for number in range(120)]
    step.write([*days, raw_row(999, SaleDate="32/13/2024")], SaleDate="varchar")
    assert step.run().quarantined == 1
    (bad,) = step.quarantined()
    assert bad["reason"] == 'SaleDate: not a timestamp: "32/13/2024"' and bad["SaleDate"] == "32/13/2024"


def test_too_many_bad_rows_end_the_step_with_rule_count_and_example(step: Step) -> None:
    bad = [raw_row(number, Price=-1.0) for number in range(3)]
    step.write([*bad, raw_row(3, StoreID=None), *(raw_row(number) for number in range(4, 10))])
    with pytest.raises(StepError) as error:
        step.run()
    text = str(error.value)
    assert "4 of 10 rows (40.0%) break the contract, which allows 1.0%" in text
    assert "most often: Price below 0 (3 rows), for example part-0.parquet row 1: Price: -1.0 is below 0" in text
    assert len(step.quarantined()) == 4


def test_all_rows_bad_ends_the_step_even_if_every_row_may_be_bad(step: Step) -> None:
    step.write([raw_row(number, Price=-1.0) for number in range(3)])
    with pytest.raises(StepError, match=r"3 of 3 rows \(100.0%\)"):
        step.run(fraction=1.0)


def test_empty_input_is_an_error(step: Step) -> None:
    step.write([])
    with pytest.raises(StepError, match="holds no rows"):
        step.run()


def test_missing_required_column_is_named(step: Step) -> None:
    step.write(pd.DataFrame([raw_row(1)]).drop(columns="Quantity"))
    with pytest.raises(StepError, match="required column Quantity is missing; present: SaleID, SaleDate"):
        step.run()


def test_missing_optional_columns_are_null(step: Step) -> None:
    step.write(pd.DataFrame([raw_row(1)])[["SaleID", "SaleDate", "StoreID", "Quantity"]])
    step.run()
    assert step.monthly()[["Country", "Price", "Weather", "Promotion"]].isna().all(axis=None)


@pytest.mark.parametrize("kind", ["varchar", "bigint"])
def test_of_duplicates_across_files_the_first_stays(step: Step, kind: str) -> None:
    step.write([raw_row(number) for number in range(200)], SaleID=kind)
    step.write([raw_row(7, Quantity=100.0), raw_row(8, Quantity=100.0)], name="part-1", SaleID=kind)
    assert step.run().quarantined == 2
    assert {bad["SaleID"] for bad in step.quarantined()} == {"7", "8"}
    assert step.monthly()["TotalSales"].tolist() == [200 * 3.0]


def test_good_row_stays_when_the_one_it_repeats_is_bad_for_another_reason(step: Step) -> None:
    step.write([raw_row(number) for number in range(300)] + [raw_row(400, Price=-1.0), raw_row(400, Quantity=5.0)])
    assert step.run().quarantined == 1
    assert step.monthly()["TotalSales"].tolist() == [905.0]


def test_incomplete_last_month_is_not_learned_from_and_said(step: Step, caplog: pytest.LogCaptureFixture) -> None:
    step.write(daily_sales(1, "2024-01-01", "2024-02-20"))
    with caplog.at_level(logging.WARNING):
        rows = step.run()
    assert (rows.incomplete_month_rows, rows.complete_until) == (20, "2024-01")
    assert "2024-02 is incomplete and not learned from" in caplog.text
    assert step.monthly()["MonthStart"].astype(str).str[:7].tolist() == ["2024-01"]


def test_without_a_complete_month_the_step_ends(step: Step) -> None:
    step.write(daily_sales(1, "2024-02-03", "2024-02-20"))
    with pytest.raises(StepError, match="sales end on 2024-02-20 and hold no complete month"):
        step.run()


def test_on_azure_the_error_names_input_and_job_and_no_path_of_the_container(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    step.write(daily_sales(1, "2024-02-03", "2024-02-20"))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "azureml://eastus2.api.azureml.ms/mlflow/v1.0")
    monkeypatch.setenv("AZUREML_RUN_ID", "brisk_bean_1")
    with pytest.raises(StepError, match=r"^input sales of job brisk_bean_1: sales end on 2024-02-20"):
        step.run()


def test_upper_case_columns_of_a_warehouse_are_understood(step: Step) -> None:
    frame = pd.DataFrame([raw_row(1), raw_row(2)])
    with duckdb.connect() as con:
        con.register("frame", frame)
        names = ", ".join(f'cast("{name}" as {kind}) as "{name.upper()}"' for name, kind in RAW.items())
        con.execute(f"copy (select {names} from frame) to '{step.sales / 'up.parquet'}' (format parquet)")
    step.run()
    assert list(step.monthly().columns)[:2] == ["StoreID", "Category"]
    assert step.monthly()["TotalSales"].tolist() == [6.0]


def test_two_runs_write_equal_bytes(step: Step) -> None:
    step.write(daily_sales(3, "2024-01-01", "2024-03-31"))
    step.run()
    first = (step.folder / "monthly/monthly.parquet").read_bytes()
    step.run()
    assert (step.folder / "monthly/monthly.parquet").read_bytes() == first


def test_command_line_writes_outputs_and_bad_input_exits_2(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    step.write([raw_row(1)])
    folders = [f"--monthly={step.folder / 'm'}", f"--quarantine={step.folder / 'q'}"]
    flags = [f"--contract={CONTRACT}", f"--monthly-sql={MONTHLY_SQL}", *folders]
    assert main([f"--sales={step.sales}", *flags]) == 0
    assert (step.folder / "m/monthly.parquet").is_file() and (step.folder / "q/quarantine.csv").is_file()
    assert run(lambda: main([f"--sales={step.folder / 'nowhere'}", *flags])) == 2
    assert "no such file or folder" in capsys.readouterr().err


def test_many_series_take_more_memory_than_the_step_begins_with_and_give_the_same_rows(
    step: Step, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_sales(step.sales / "many.parquet", stores=20, days=1)
    caplog.set_level(logging.INFO)
    step.run("product")
    enough = (step.folder / "monthly/monthly.parquet").read_bytes()
    assert "Many series" not in caplog.text
    monkeypatch.setattr("sales.aggregate.SERIES_MONTH_BYTES", 0)
    step.run("product", memory_limit_mb=16)
    assert "Many series: DuckDB goes on with 32 MB of memory" in caplog.text
    assert (step.folder / "monthly/monthly.parquet").read_bytes() == enough
    monkeypatch.setattr("sales.aggregate.SERIES_MONTH_BYTES", 2000)
    caplog.clear()
    step.run("product", memory_limit_mb=16)
    assert "Many series" not in caplog.text, "the memory is reckoned before it is tried"
    assert (step.folder / "monthly/monthly.parquet").read_bytes() == enough
    monkeypatch.setattr("sales.aggregate.MAX_MEMORY_MB", 16)
    with pytest.raises(StepError, match="by product, do not fit into 16 MB: choose a coarser grain, or give the step"):
        step.run("product", memory_limit_mb=16)


def warned(step: Step, **settings: Any) -> list[str]:
    rows = step.run(**settings)
    assert json.loads((step.folder / "monthly/rows.json").read_text())["warnings"] == rows.warnings
    assert {entry["step"] for entry in rows.warnings} <= {"aggregate"}
    return [entry["message"] for entry in rows.warnings]


def every(frequency: str, first: str, last: str, store: str = "S1") -> list[dict[str, Any]]:
    days = pd.date_range(first, last, freq=frequency)
    return [raw_row(number, SaleDate=day, StoreID=store) for number, day in enumerate(days)]


def test_good_daily_sales_warn_of_nothing(step: Step) -> None:
    step.write(every("D", "2024-01-01", "2024-06-30"))
    assert warned(step, as_of=date(2024, 6, 30)) == []


def test_quarantined_rows_and_an_incomplete_month_travel_with_the_data(step: Step) -> None:
    step.write([*every("D", "2024-01-01", "2024-06-20"), raw_row(999, Price=-1.0)])
    quarantined, incomplete = warned(step)
    assert quarantined == (
        "1 of 173 rows break the contract and are quarantined; most often: Price below 0 (1 rows), "
        "for example part-0.parquet row 173: Price: -1.0 is below 0"
    )
    assert incomplete == "Sales end on 2024-06-20: 2024-06 is incomplete and not learned from"


def test_quarantined_rows_are_counted_by_rule_and_partial_months_named_for_the_report(step: Step) -> None:
    good = [raw_row(number, SaleDate=pd.Timestamp("2024-01-01") + pd.Timedelta(days=number)) for number in range(200)]
    bad = [raw_row(300, Price=-1.0), raw_row(301, Price=-2.0), raw_row(302, StoreID=None)]
    step.write([*good, *bad])
    rows = step.run(fraction=0.1)
    assert rows.by_rule == {"Price below 0": 2, "StoreID missing": 1}
    assert rows.partial_months == ["2024-07"]
    written = json.loads((step.folder / "monthly/rows.json").read_text())
    assert written["by_rule"] == rows.by_rule and written["partial_months"] == rows.partial_months


def test_a_sale_after_the_import_is_quarantined_and_does_not_move_the_last_month(step: Step) -> None:
    step.write([*every("D", "2024-01-01", "2024-06-30"), raw_row(999, SaleDate=pd.Timestamp("2062-06-30"))])
    (message,) = warned(step, as_of=date(2024, 6, 30))
    assert "SaleDate in the future (1 rows)" in message
    (bad,) = step.quarantined()
    assert bad["reason"] == "SaleDate: 2062-06-30 00:00:00 is in the future, after 2024-06-30"
    assert step.monthly()["MonthStart"].max() == date(2024, 6, 1)


def test_a_sale_of_the_day_of_the_import_is_not_in_the_future(step: Step) -> None:
    step.write([*every("D", "2024-01-01", "2024-06-29"), raw_row(999, SaleDate=pd.Timestamp("2024-06-30 23:59:59"))])
    assert warned(step, as_of=date(2024, 6, 30)) == []


def test_two_runs_as_of_one_day_decide_alike_and_a_later_day_lets_more_in(step: Step) -> None:
    """A rerun asks the same question, whatever the clock says, so that a step may be reused."""
    step.write([*every("D", "2024-01-01", "2024-06-30"), raw_row(999, SaleDate=pd.Timestamp("2024-07-31"))])
    first = warned(step, as_of=date(2024, 6, 30))
    assert warned(step, as_of=date(2024, 6, 30)) == first
    assert warned(step, as_of=date(2024, 7, 31)) == []


def test_weekly_rows_where_daily_is_declared_bring_a_warning_that_says_what_happens_to_them(step: Step) -> None:
    step.write(every("W-MON", "2023-01-02", "2024-06-24"))
    weekly, *_ = (message for message in warned(step) if "weekly" in message)
    assert "1 of 1 stores report weekly, the contract declares daily" in weekly
    assert "each row counts wholly in the month of its date" in weekly and "`frequency: weekly`" in weekly


def test_declared_weekly_a_last_week_that_reaches_the_end_of_the_month_completes_it(step: Step) -> None:
    step.write(every("W-MON", "2023-01-02", "2024-06-24"))  # the week of 24 to 30 June
    assert warned(step, frequency="weekly") == []
    assert step.monthly()["MonthStart"].max() == date(2024, 6, 1)


@pytest.mark.parametrize(
    ("rule", "last", "is_whole"),
    [
        ("W-FRI", "2024-06-28", True),  # no further Friday in June
        ("W-FRI", "2024-06-21", False),
        ("C", "2024-06-29", True),  # Monday to Saturday; the 30th is a Sunday
        ("C", "2024-06-28", False),
        ("D", "2024-06-29", False),
        ("MS", "2024-06-01", False),
    ],
)
def test_a_last_month_is_whole_once_no_weekday_that_usually_sells_is_left_of_it(
    step: Step, rule: str, last: str, is_whole: bool
) -> None:
    six_days = pd.offsets.CustomBusinessDay(weekmask="Mon Tue Wed Thu Fri Sat")
    step.write(every(six_days if rule == "C" else rule, "2023-06-01", last))
    step.run()
    assert (step.monthly()["MonthStart"].max() == date(2024, 6, 1)) == is_whole


def test_declared_monthly_the_first_of_a_month_stands_for_the_whole(step: Step) -> None:
    step.write(every("MS", "2023-01-01", "2024-06-01"))
    assert warned(step, frequency="monthly") == []
    assert step.monthly()["MonthStart"].max() == date(2024, 6, 1)
    monthly, incomplete = sorted(warned(step, frequency="daily"))
    assert "1 of 1 stores report monthly, the contract declares daily" in monthly
    assert "2024-06 is incomplete" in incomplete


def test_one_weekly_store_among_daily_ones_is_counted(step: Step) -> None:
    daily, weekly = every("D", "2024-01-01", "2024-06-30"), every("W-SAT", "2024-01-01", "2024-06-30", "S2")
    step.write([{**row, "SaleID": str(number)} for number, row in enumerate([*daily, *weekly])])
    (message,) = warned(step)
    assert message.startswith("1 of 2 stores report weekly")


def test_a_store_spelled_in_two_ways_brings_a_warning_that_suggests_the_one_with_more_months(step: Step) -> None:
    rows = [*every("D", "2024-01-01", "2024-06-30"), *every("D", "2024-06-01", "2024-06-30", "s1 ")]
    step.write([{**row, "SaleID": str(number)} for number, row in enumerate(rows)])
    (message,) = warned(step)
    assert message == (
        'StoreID: "s1 " differ from "S1" only in case or blanks and count as stores of their own: '
        'did you mean "S1"? Correct them at the source'
    )


def test_an_as_of_that_is_not_a_day_ends_with_one_line(step: Step, capsys: pytest.CaptureFixture[str]) -> None:
    step.write([raw_row(1)])
    flags = [f"--sales={step.sales}", f"--contract={CONTRACT}", f"--monthly-sql={MONTHLY_SQL}"]
    flags += [f"--monthly={step.folder / 'm'}", f"--quarantine={step.folder / 'q'}"]
    assert run(lambda: main([*flags, "--as-of=none"])) == 0
    assert run(lambda: main([*flags, "--as-of=2024-01-31Z"])) == 0
    assert run(lambda: main([*flags, "--as-of=2024-13-01"])) == 2
    assert "error: --as-of 2024-13-01: is not a day such as 2026-11-24, nor none" in capsys.readouterr().err


def test_the_step_loads_no_connector_of_a_warehouse() -> None:
    code = "import sys, sales.aggregate; print([name for name in sys.modules if name.startswith('snowflake')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO / "src", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
