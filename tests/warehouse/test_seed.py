"""`make seed-sales`: what is loaded, what is refused, and that a failure loses nothing."""

import csv
import gzip
import json
import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from amlspec.errors import UserError
from demand.errors import StepError
from warehouse import lifecycle
from warehouse.seed import read_seeded, seed_sales
from warehouse.state import Home
from warehouse_fixtures import clean_environment, run_sql

HEADER = "SaleID,SaleDate,StoreID,Country,City,Category,Product,Price,Quantity,Weather,Promotion,Holiday"


def lines(count: int, prefix: str = "") -> list[str]:
    return [
        f'{prefix}{i},2024-0{1 + i % 9}-11 12:00:00,S{i % 5},Canada,"Ottawa, ON",Food,Muffin,4.5,{i % 7},Sunny,true,'
        for i in range(1, count + 1)
    ]


def write_csv(path: Path, rows: list[str], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def count(home: Home) -> int:
    return int(run_sql(home, "select count(*) from SALES")[0][0])


def quarantined(home: Home, stem: str) -> list[dict[str, str]]:
    (path,) = home.quarantine.glob(f"{stem}-*.csv")
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def filled(shared_home: Home, tmp_path: Path) -> int:
    """SALES holds a known number of rows."""
    seed_sales(shared_home, write_csv(tmp_path / "before.csv", lines(77)))
    return 77


def test_csv_csv_gz_and_parquet_give_the_same_table(shared_home: Home, tmp_path: Path) -> None:
    plain = write_csv(tmp_path / "a.csv", lines(300))
    zipped = tmp_path / "b.csv.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    parquet = tmp_path / "c.parquet"
    duckdb.sql(f"copy (select * from read_csv('{plain}')) to '{parquet}' (format parquet)")
    tables = []
    for file in (plain, zipped, parquet):
        seeded, loaded = seed_sales(shared_home, file)
        assert (seeded.file, seeded.rows, seeded.quarantined, loaded) == (file.name, 300, 0, True)
        tables.append(run_sql(shared_home, "select * from SALES order by SaleID"))
    assert tables[0] == tables[1] == tables[2]
    assert tables[0][1][:2] == (2, tables[0][1][1])
    assert tables[0][0][4] == "Ottawa, ON"
    assert tables[0][0][10] is True
    assert tables[0][0][11] is None


def test_ids_with_leading_zeros_stay_text(shared_home: Home, tmp_path: Path) -> None:
    seed_sales(shared_home, write_csv(tmp_path / "text.csv", lines(3, prefix="00")))
    assert run_sql(shared_home, "select SaleID from SALES order by 1") == [("001",), ("002",), ("003",)]


def test_equal_content_again_is_no_change(shared_home: Home, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "same.csv", lines(5))
    _, first = seed_sales(shared_home, file)
    renamed = write_csv(tmp_path / "renamed.csv", lines(5))
    _, second = seed_sales(shared_home, renamed)
    assert (first, second) == (True, False)
    write_csv(file, lines(6))
    assert seed_sales(shared_home, file)[1] is True


def test_a_record_of_a_seed_whose_table_is_gone_is_not_believed(shared_home: Home, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "gone.csv", lines(5))
    seed_sales(shared_home, file)
    run_sql(shared_home, "drop table SALES")
    assert seed_sales(shared_home, file)[1] is True
    assert count(shared_home) == 5


def test_broken_lines_in_the_middle_of_200_000_go_to_quarantine_with_line_and_reason(
    shared_home: Home, tmp_path: Path
) -> None:
    rows = lines(200_000)
    rows[99_998] = 'torn "line'
    rows[120_000] = rows[120_000].replace(",4.5,", ",four,")
    rows[150_000] += ",one,more"
    seeded, _ = seed_sales(shared_home, write_csv(tmp_path / "long.csv", rows))
    assert (seeded.rows, seeded.quarantined) == (199_997, 3)
    assert count(shared_home) == 199_997
    bad = quarantined(shared_home, "long")
    assert [row["line"] for row in bad] == ["100000", "120002", "150002"]
    assert bad[0]["text"] == 'torn "line'
    assert '"Price"' in bad[1]["reason"]
    assert "Expected Number of Columns: 12" in bad[2]["reason"]


def test_a_parquet_value_that_its_type_cannot_hold_goes_to_quarantine(shared_home: Home, tmp_path: Path) -> None:
    plain, parquet = write_csv(tmp_path / "p.csv", lines(200)), tmp_path / "typed.parquet"
    duckdb.sql(
        f"""copy (select * replace (case when SaleID = 7 then '32/13/2024' else SaleDate::varchar end as SaleDate)
        from read_csv('{plain}')) to '{parquet}' (format parquet)"""
    )
    seeded, _ = seed_sales(shared_home, parquet)
    assert (seeded.rows, seeded.quarantined) == (199, 1)
    assert quarantined(shared_home, "typed") == [
        {"line": "7", "reason": 'SaleDate: not a timestamp: "32/13/2024"', "text": ""}
    ]


def test_more_bad_lines_than_allowed_end_the_run_and_are_all_listed(
    shared_home: Home, tmp_path: Path, filled: int
) -> None:
    rows = [row.replace("2024-", "20x4-") if i % 10 == 0 else row for i, row in enumerate(lines(100))]
    with pytest.raises(UserError, match=r"bad\.csv:2: .*10 of 100 lines are bad, at most 1\.00% may be"):
        seed_sales(shared_home, write_csv(tmp_path / "bad.csv", rows))
    assert len(quarantined(shared_home, "bad")) == 10
    assert count(shared_home) == filled


REFUSED = {
    "missing.csv": (HEADER.replace("Quantity", "Qty") + "\n" + lines(1)[0], "required column Quantity is missing"),
    "empty.csv": ("", "the file is empty"),
    "header.csv": (HEADER + "\n", "has a header and no rows"),
    "text.parquet": ("no parquet at all", "cannot be read"),
    "text.csv.gz": ("\x1f\x8bno gzip", "cannot be read"),
    "sales.xlsx": ("x", r"must end in \.csv, \.csv\.gz, \.parquet"),
    "allbad.csv": ("\n".join([HEADER, *lines(3)]).replace("2024-", "x"), "3 of 3 lines are bad"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_taken_is_one_line_and_the_table_stays(
    shared_home: Home, tmp_path: Path, filled: int, name: str
) -> None:
    text, message = REFUSED[name]
    (tmp_path / name).write_text(text, encoding="latin-1")
    before = read_seeded(shared_home)
    with pytest.raises((UserError, StepError), match=message) as error:
        seed_sales(shared_home, tmp_path / name)
    assert str(tmp_path / name) in str(error.value)
    assert count(shared_home) == filled
    assert read_seeded(shared_home) == before


def test_row_rules_are_left_to_aggregate(shared_home: Home, tmp_path: Path) -> None:
    rows = lines(5)
    rows[0] = rows[0].replace(",4.5,", ",-3.5,")
    rows[1] = rows[2]
    seed_sales(shared_home, write_csv(tmp_path / "rules.csv", rows))
    assert run_sql(shared_home, "select min(Price), count(*), count(distinct SaleID) from SALES") == [(-3.5, 5, 4)]


def test_the_command_ends_with_one_line_and_exit_code_2(own_home: Home, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "warehouse", "seed", "--file", str(tmp_path / "none.csv")],
        env=clean_environment(LOCALML_HOME=str(own_home.folder.parent)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"error: {tmp_path / 'none.csv'}: no such file\n"


def test_a_full_disk_under_the_warehouse_leaves_the_old_table(own_home: Home, tmp_path: Path) -> None:
    before = write_csv(tmp_path / "small.csv", lines(50))
    seed_sales(own_home, before)
    lifecycle.stop(own_home)
    # No file of the server may grow beyond 2 MB, as on a disk that is nearly full.
    limit = 2 << 20
    subprocess.run(
        [sys.executable, "-m", "warehouse", "start"],
        env=clean_environment(LOCALML_HOME=str(own_home.folder.parent)),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    large = tmp_path / "large.parquet"
    duckdb.sql(
        f"""copy (select i as SaleID, '2024-01-01'::timestamp as SaleDate, 'S' || hash(i) as StoreID,
        random() as Quantity from range(60000) t(i)) to '{large}' (format parquet, compression zstd)"""
    )
    with pytest.raises(StepError, match=r"make seed-sales: the warehouse refused the query: .*(large|space|write)"):
        seed_sales(own_home, large)
    lifecycle.stop(own_home)
    assert count(own_home) == 50
    assert seed_sales(own_home, large)[0].rows == 60_000


def test_seeded_json_says_what_lies_in_the_table(shared_home: Home, tmp_path: Path) -> None:
    seed_sales(shared_home, write_csv(tmp_path / "named.csv", lines(4)))
    content = json.loads(shared_home.seeded.read_text())
    assert (content["file"], content["rows"], content["quarantined"]) == ("named.csv", 4, 0)
    assert len(content["sha256"]) == 64
