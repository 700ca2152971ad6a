"""A user's file is loaded by way of the disk, of which nothing stays."""

from pathlib import Path

import duckdb
import pytest

from amlspec.errors import UserError
from demand.contract import load_contract
from helpers_sales import CONTRACT, daily_sales
from warehouse.userfile import check_file


def test_the_rows_of_a_csv_are_in_parts_and_the_database_that_held_them_is_gone(tmp_path: Path) -> None:
    file, work = tmp_path / "mine.csv", tmp_path / "work"
    work.mkdir()
    daily_sales(stores=2, first="2024-01-01", last="2024-01-31").to_csv(file, index=False)
    checked = check_file(file, load_contract(CONTRACT), work, tmp_path / "quarantine.csv")
    assert (checked.rows, checked.quarantined) == (62, 0)
    (count,) = duckdb.sql(f"select count(*) from read_parquet({[str(part) for part in checked.parts]})").fetchall()
    assert count == (62,)
    assert [path.name for path in work.iterdir()] == ["parts"]


def test_nothing_stays_of_a_file_that_is_refused(tmp_path: Path) -> None:
    file, work = tmp_path / "mine.csv", tmp_path / "work"
    work.mkdir()
    file.write_text("SaleID,SaleDate,StoreID,Quantity\n1,not a day,S1,2\n")
    with pytest.raises(UserError, match="1 of 1 lines are bad"):
        check_file(file, load_contract(CONTRACT), work, tmp_path / "quarantine.csv")
    assert list(work.iterdir()) == []
