"""The import step against a real connector and the local warehouse: months, retry, checks, and one line an error."""

import datetime as dt
import importlib
import logging
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from import_kit import TableMaker, command_of, import_settings, step_environment

from demand.errors import StepError
from sales.ingest import ImportSettings, _staging_key, import_sales
from sales.staging import MLTABLE, disk_errors
from warehouse.state import Home
from warehouse_fixtures import run_sql


def imported(settings: ImportSettings) -> list[tuple[Any, ...]]:
    return duckdb.sql(f"select * from read_parquet('{settings.sales}/*.parquet') order by SaleID").fetchall()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def staged(settings: ImportSettings) -> list[str]:
    """Months that are marked as finished."""
    return sorted(path.name.split(".")[1] for path in settings.staging.glob("*.done"))


def test_every_row_arrives_in_one_file_a_month_with_the_contracts_types(
    shared_home: Home, table: TableMaker, tmp_path: Path
) -> None:
    name = table(months=3, rows=200)
    settings = import_settings(tmp_path, f"select * from {name};")
    assert import_sales(settings) == 600
    assert names(settings.sales) == ["2024-01.parquet", "2024-02.parquet", "2024-03.parquet", "MLTable"]
    assert imported(settings) == run_sql(shared_home, f"select * from {name} order by SaleID")
    schema = pq.read_schema(settings.sales / "2024-01.parquet")
    assert schema.names[:3] == ["SaleID", "SaleDate", "StoreID"]
    assert [str(kind) for kind in schema.types] == (
        ["int64", "timestamp[us]", *["string"] * 5, "double", "double", "string", "bool", "bool"]
    )
    months = duckdb.sql(
        f"""select distinct parse_filename(filename, true) = strftime(SaleDate, '%Y-%m')
        from read_parquet('{settings.sales}/*.parquet', filename = true)"""
    ).fetchall()
    assert months == [(True,)]
    assert names(settings.staging) == []
    assert (settings.sales / "MLTable").read_text() == MLTABLE
    assert yaml.safe_load(MLTABLE)["paths"] == [{"pattern": "./*.parquet"}]


def test_rows_without_a_date_are_kept_and_stay_without_one(
    shared_home: Home, table: TableMaker, tmp_path: Path
) -> None:
    name = table(months=2, rows=400)
    run_sql(shared_home, f"update {name} set SaleDate = null where SaleID in (3, 500)")
    settings = import_settings(tmp_path, f"select * from {name}")
    assert import_sales(settings) == 800
    assert "undated.parquet" in names(settings.sales)
    undated = [row[0] for row in imported(settings) if row[1] is None]
    assert undated == [3, 500]
    assert not [row for row in imported(settings) if row[1] and row[1].year == 1970]


def test_more_columns_than_the_contract_names_are_left_out(table: TableMaker, tmp_path: Path) -> None:
    settings = import_settings(tmp_path, f"select *, 1 as Margin from {table(months=1)}")
    import_sales(settings)
    assert "Margin" not in {name.title() for name in pq.read_schema(settings.sales / "2024-01.parquet").names}


def test_a_run_killed_in_the_middle_goes_on_from_the_finished_months(
    shared_home: Home, table: TableMaker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    name = table(months=24, rows=500)
    settings = import_settings(tmp_path, f"select * from {name}")
    with subprocess.Popen(command_of(settings), env=step_environment(), stdout=subprocess.PIPE, text=True) as step:
        assert step.stdout is not None
        for line in step.stdout:
            if "2024-05" in line:
                os.kill(step.pid, signal.SIGKILL)
                break
    assert step.wait() == -signal.SIGKILL
    assert names(settings.sales) == []
    finished = staged(settings)
    assert 5 <= len(finished) < 24
    run_sql(shared_home, f"update {name} set Price = 5 where SaleDate < '2024-02-01'")
    with caplog.at_level(logging.INFO, logger="sales.ingest"):
        assert import_sales(settings) == 12_000
    kept = [record.getMessage()[:7] for record in caplog.records if "kept from" in record.getMessage()]
    assert kept == [month for month in finished if month != "2024-01"], "the changed month is fetched again"
    assert imported(settings) == run_sql(shared_home, f"select * from {name} order by SaleID")


def damage(path: Path, how: str) -> None:
    """Make a staged month what a run that died, or a bad disk, may leave."""
    done = path.with_name(f"{path.name}.done")
    if how == "torn":
        path.write_bytes(path.read_bytes()[:100])
    elif how == "no mark":
        done.unlink()
    elif how == "empty mark":
        done.write_text("")
    elif how == "no file":
        path.unlink()
    else:
        done.write_bytes(b"\xff\xfe")


@pytest.mark.parametrize("how", ["torn", "no mark", "empty mark", "no file", "rubbish in the mark"])
def test_a_damaged_or_half_written_month_is_fetched_again(table: TableMaker, tmp_path: Path, how: str) -> None:
    settings = import_settings(tmp_path, f"select * from {table(months=2)}")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(importlib.import_module("sales.ingest"), "publish", _fail)
        with pytest.raises(StepError, match="cut"):
            import_sales(settings)
    (month,) = settings.staging.glob("*.2024-01.*.parquet")
    damage(month, how)
    (settings.staging / "a file of somebody else.txt").write_text("stays")
    assert import_sales(settings) == 400
    assert len(imported(settings)) == 400
    assert names(settings.staging) == ["a file of somebody else.txt"]


def _fail(*_: Any) -> None:
    raise StepError("cut")


@pytest.mark.parametrize("at", range(1, 8))
def test_a_run_that_dies_at_any_write_leaves_no_table_and_the_next_run_ends_well(
    shared_home: Home, table: TableMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    name = table(months=2, rows=50)
    settings = import_settings(tmp_path, f"select * from {name}")
    writes = iter(range(1, 100))
    copy, write = shutil.copyfile, Path.write_text

    def dying(real: Any) -> Any:
        def act(source: Any, target: Any, *more: Any, **options: Any) -> Any:
            if next(writes) == at:
                raise KeyboardInterrupt
            return real(source, target, *more, **options)

        return act

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", dying(copy))
        patched.setattr(Path, "write_text", dying(write))
        with pytest.raises(KeyboardInterrupt):
            import_sales(settings)
    assert names(settings.sales) == []
    assert import_sales(settings) == 100
    assert imported(settings) == run_sql(shared_home, f"select * from {name} order by SaleID")
    assert names(settings.staging) == []


def test_an_output_that_exists_is_filled_and_neither_removed_nor_replaced(table: TableMaker, tmp_path: Path) -> None:
    settings = import_settings(tmp_path, f"select * from {table(months=2)}")
    settings.sales.mkdir()
    for name in ("MLTable", "2019-01.parquet"):
        (settings.sales / name).write_text("of an earlier try")
    inode = settings.sales.stat().st_ino
    import_sales(settings)
    assert names(settings.sales) == ["2024-01.parquet", "2024-02.parquet", "MLTable"]
    assert settings.sales.stat().st_ino == inode


AUDIT = """
import sys
asked = []
def hook(event, arguments):
    if event in ("os.rename", "os.rmdir", "shutil.rmtree", "shutil.move", "os.truncate", "os.link", "os.symlink"):
        asked.append((event, str(arguments[0])))
    elif event == "open" and isinstance(arguments[1], str) and ("a" in arguments[1] or "+" in arguments[1]):
        asked.append((event, str(arguments[0])))
    elif event.startswith("fcntl."):
        asked.append((event, "a lock"))
sys.addaudithook(hook)
import importlib
code = importlib.import_module("sales.ingest").main(sys.argv[2:])
print([event for event in asked if event[1].startswith(sys.argv[1]) or event[1] == "a lock"])
sys.exit(code)
"""


@pytest.mark.parametrize("bad", [False, True])
def test_an_output_is_asked_for_nothing_that_a_mounted_container_does_not_promise(
    shared_home: Home, table: TableMaker, tmp_path: Path, bad: bool
) -> None:
    name = table(months=2)
    if bad:
        run_sql(shared_home, f"update {name} set Price = -1")
    settings = import_settings(tmp_path, f"select * from {name}")
    command = [sys.executable, "-c", AUDIT, str(tmp_path), *command_of(settings)[3:]]
    step = subprocess.run(command, env=step_environment(), capture_output=True, text=True, check=False, timeout=100)
    assert (step.returncode, step.stdout.splitlines()[-1]) == (2 if bad else 0, "[]"), step.stderr


def test_on_azure_an_error_names_files_outputs_and_the_job_and_no_path_of_the_container(
    shared_home: Home, table: TableMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = table(months=1)
    run_sql(shared_home, f"update {name} set Price = -1")
    settings = import_settings(tmp_path, f"select * from {name}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "azureml://eastus2.api.azureml.ms/mlflow/v1.0/subscriptions/x")
    monkeypatch.setenv("AZUREML_RUN_ID", "brave_car_1")
    with pytest.raises(StepError) as error:
        import_sales(settings)
    text = str(error.value)
    assert text.startswith("test.import.yml: 200 of 200 rows")
    assert text.endswith("all bad rows: quarantine-brave_car_1.csv in output staging of job brave_car_1")
    assert str(tmp_path) not in text
    assert names(settings.staging)[-1] == "quarantine-brave_car_1.csv"
    with pytest.raises(StepError, match=r"^test.import.yml:6: the warehouse refused the query"):
        import_sales(import_settings(tmp_path, "select nope"))


def test_another_query_never_takes_the_months_of_the_first(table: TableMaker, tmp_path: Path) -> None:
    name = table(months=2)
    first = import_settings(tmp_path, f"select * from {name}")
    key = _staging_key(first)
    second = import_settings(tmp_path, f"select * from {name} where Quantity > 0")
    assert _staging_key(second) != key


def test_two_imports_at_once_into_one_staging_folder_both_end_well(table: TableMaker, tmp_path: Path) -> None:
    first = import_settings(tmp_path, f"select * from {table(months=6)}")
    second = ImportSettings(**{**vars(first), "sales": tmp_path / "other"})
    both = [
        subprocess.Popen(command_of(one), env=step_environment(), stdout=subprocess.DEVNULL) for one in (first, second)
    ]
    assert [process.wait(120) for process in both] == [0, 0]
    assert imported(first) == imported(second)
    assert len(imported(first)) == 1200


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select Nope from {0}", r'the warehouse refused the query: .*"NOPE" not found'),
        ("selekt 1", "the warehouse refused the query"),
        ("select * from NO_SUCH_TABLE_HERE", "the warehouse refused the query: .*NO_SUCH_TABLE_HERE does not exist"),
        ("select SaleID, SaleDate, StoreID from {0}", "required column Quantity is missing; present: SALEID"),
        ("select * from {0} where false", "the query gives no row"),
        ("select * replace ('x' as SaleDate) from {0}", "SaleDate is of type TEXT, months need a timestamp"),
        ("select * replace (1 / (SaleID - SaleID) as Price) from {0} where x", "the warehouse refused the query"),
    ],
)
def test_a_query_that_cannot_be_imported_is_one_line_with_file_and_line(
    table: TableMaker, tmp_path: Path, query: str, message: str
) -> None:
    settings = import_settings(tmp_path, query.format(table(months=1)))
    with pytest.raises(StepError, match=message) as error:
        import_sales(settings)
    assert str(error.value).startswith(f"{settings.import_spec}:6: ")
    assert "\n" not in str(error.value)
    assert names(settings.sales) == []


def test_an_empty_table_ends_the_import_with_an_error(shared_home: Home, table: TableMaker, tmp_path: Path) -> None:
    name = table(months=1)
    run_sql(shared_home, f"delete from {name}")
    with pytest.raises(StepError, match="the query gives no row"):
        import_sales(import_settings(tmp_path, f"select * from {name}"))


def test_too_many_bad_rows_end_the_import_and_leave_nothing(
    shared_home: Home, table: TableMaker, tmp_path: Path
) -> None:
    name = table(months=2)
    run_sql(shared_home, f"update {name} set Price = -3.5 where SaleID in (1, 2, 3, 4, 205)")
    settings = import_settings(tmp_path, f"select * from {name}")
    message = (
        r"5 of 400 rows .*break the contract.*\(5 rows\), for example 2024-01.parquet row \d+: Price: -3.5 is below 0"
    )
    with pytest.raises(StepError, match=message):
        import_sales(settings)
    assert names(settings.sales) == []
    assert len((settings.staging / "quarantine.csv").read_text().splitlines()) == 6, "a header and each bad row"
    run_sql(shared_home, f"update {name} set Price = 1 where SaleID > 1")
    assert import_sales(settings) == 400, "one bad row in 400 is within 1 %"


def test_an_id_on_many_rows_ends_the_import_with_an_error(table: TableMaker, tmp_path: Path) -> None:
    query = f"select * replace (iff(SaleID < 20, 1, SaleID) as SaleID) from {table(months=2)}"
    with pytest.raises(StepError, match=r"19 of 400 rows .*SaleID occurs more than once \(19 rows\)"):
        import_sales(import_settings(tmp_path, query))


def test_a_table_of_bad_rows_only_ends_the_import_with_an_error(
    shared_home: Home, table: TableMaker, tmp_path: Path
) -> None:
    settings = import_settings(tmp_path, f"select * replace (null::varchar as StoreID) from {table(months=1)}")
    with pytest.raises(StepError, match=r"200 of 200 rows .*break the contract.* StoreID: missing"):
        import_sales(settings)


def test_a_full_disk_is_one_line_and_the_next_run_works(table: TableMaker, tmp_path: Path) -> None:
    settings = import_settings(tmp_path, f"select * from {table(months=2, rows=3000)}")
    step = subprocess.run(
        command_of(settings),
        env=step_environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert step.returncode == 2, step.stderr
    (line,) = step.stderr.splitlines()
    assert line.startswith("error: cannot write ")
    assert "File too large" in line
    assert names(settings.sales) == []
    assert staged(settings) == []
    assert import_sales(settings) == 6000


def test_no_space_left_is_named(tmp_path: Path) -> None:
    # An open file, never the path: pyarrow removes the path that it failed to write, and root may remove a device.
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(StepError, match=r"cannot write .*: No space left on device; free space"),
        disk_errors(tmp_path),
    ):
        pq.write_table(pa.table({"x": list(range(100_000))}), full)
    assert Path("/dev/full").is_char_device()


def test_a_failure_while_publishing_leaves_nothing_in_the_output(
    table: TableMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = import_settings(tmp_path, f"select * from {table(months=3)}")
    copy = shutil.copyfile

    def torn(source: Path, target: Path) -> None:
        copy(source, target)
        if target.name == "2024-02.parquet":
            raise OSError(28, "No space left on device", str(target))

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", torn)
        with pytest.raises(StepError, match="No space left on device"):
            import_sales(settings)
    assert names(settings.sales) == []
    assert staged(settings) == ["2024-01", "2024-02", "2024-03"]
    assert import_sales(settings) == 600


def test_a_table_that_changes_during_the_import_ends_it_with_an_error(
    shared_home: Home, table: TableMaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = table(months=2)
    module = importlib.import_module("sales.ingest")
    plan = module.read_partitions

    def then_delete(*arguments: Any) -> Any:
        made = plan(*arguments)
        run_sql(shared_home, f"delete from {name} where SaleID = 250")
        for variable in ("HOST", "PORT", "PROTOCOL", "PASSWORD"):
            assert f"SNOWFLAKE_{variable}" in os.environ
        return made

    monkeypatch.setattr(module, "read_partitions", then_delete)
    settings = import_settings(tmp_path, f"select * from {name}")
    with pytest.raises(StepError, match=r"2024-02: 200 rows were announced and 199 came"):
        import_sales(settings)
    assert names(settings.sales) == []


def test_a_wrong_password_is_one_line_and_exit_code_2(table: TableMaker, tmp_path: Path) -> None:
    settings = import_settings(tmp_path, f"select * from {table(months=1)}")
    step = _run(settings, SNOWFLAKE_PASSWORD="wrong")
    assert step.returncode == 2
    place = f"127.0.0.1:{os.environ['SNOWFLAKE_PORT']}"
    assert step.stderr == (
        f"error: the warehouse at {place} refused the sign-in of DEMAND_FORECAST: check the user, and its key in "
        "Key Vault or SNOWFLAKE_PASSWORD\n"
    )


def test_an_unreachable_warehouse_is_reported_at_once(table: TableMaker, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = str(closed.getsockname()[1])
    started = time.monotonic()
    step = _run(import_settings(tmp_path, "select 1"), SNOWFLAKE_PORT=port)
    assert time.monotonic() - started < 90  # minutes, were the connector left to its own patience
    assert step.returncode == 2
    reached = f"error: cannot reach the warehouse at 127.0.0.1:{port} ([Errno 111] Connection refused)"
    assert step.stderr.startswith(reached)


@pytest.mark.slow
def test_a_warehouse_that_accepts_and_never_answers_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        variables = {"SNOWFLAKE_HOST": "127.0.0.1", "SNOWFLAKE_PORT": str(silent.getsockname()[1])}
        started = time.monotonic()
        step = _run(
            import_settings(tmp_path, "select 1"), SNOWFLAKE_PROTOCOL="http", SNOWFLAKE_PASSWORD="x", **variables
        )
    assert time.monotonic() - started < 90  # minutes, were the connector left to its own patience
    assert (step.returncode, "no answer within 24 s" in step.stderr) == (2, True)


def test_months_at_the_end_of_a_year_are_cut_at_midnight(shared_home: Home, table: TableMaker, tmp_path: Path) -> None:
    name = table(months=1)
    edges = ["2023-11-30 23:59:59.999999", "2023-12-01", "2023-12-31 23:59:59.999999", "2024-01-01"]
    for number, edge in enumerate(edges):
        run_sql(shared_home, f"update {name} set SaleDate = '{edge}'::timestamp_ntz where SaleID = {number}")
    settings = import_settings(tmp_path, f"select * from {name}")
    import_sales(settings)
    dates = {row[0]: row[1] for row in imported(settings)}
    assert [dates[number] for number in range(4)] == [dt.datetime.fromisoformat(edge) for edge in edges]
    december = pq.read_table(settings.sales / "2023-12.parquet").column("SaleID").to_pylist()
    assert sorted(december) == [1, 2]


def _run(settings: ImportSettings, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command_of(settings), env=step_environment(**more), capture_output=True, text=True, check=False, timeout=100
    )
