"""Generated sales: equal bytes, the contract kept, and demand that is worth learning."""

import datetime as dt
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from demand.contract import SQL_TYPES, Contract, match_columns
from sales.contract_sql import reason_sql
from warehouse.days import Settings
from warehouse.generator import write_sales
from warehouse.places import CITIES, easter, holidays, nth_weekday


@pytest.fixture(scope="module")
def sales(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("generated") / "sales.parquet"
    write_sales(path)
    return path


def ask(sales: Path, select: str) -> list[Any]:
    return duckdb.sql(select.replace("SALES", f"read_parquet('{sales}')")).fetchall()


def test_two_runs_give_equal_bytes_and_another_seed_does_not(sales: Path, tmp_path: Path) -> None:
    write_sales(tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == sales.read_bytes()
    write_sales(tmp_path / "other.parquet", Settings(seed=1))
    assert (tmp_path / "other.parquet").read_bytes() != sales.read_bytes()


def test_no_row_breaks_the_contract(sales: Path, contract: Contract) -> None:
    types = {row[0]: row[1] for row in ask(sales, "describe select * from SALES")}
    assert types == {column.name: SQL_TYPES[column.type] for column in contract.columns} | {"SaleID": "BIGINT"}
    reason = reason_sql(contract, match_columns(contract, list(types), "generated"), types)
    assert ask(sales, f"select {reason} as reason, count(*) from SALES where reason is not null group by 1") == []
    assert ask(sales, "select count(*) - count(distinct SaleID) from SALES") == [(0,)]


def test_three_countries_at_least_60_stores_36_whole_months(sales: Path) -> None:
    ((countries, stores, months, first, last, rows),) = ask(
        sales,
        """select count(distinct Country), count(distinct StoreID), count(distinct date_trunc('month', SaleDate)),
        min(SaleDate)::date, max(SaleDate)::date, count(*) from SALES""",
    )
    assert (countries, months) == (3, 36)
    assert stores >= 60
    assert (first, last) == (dt.date(2023, 11, 1), dt.date(2026, 10, 31))
    assert 200_000 < rows < 300_000


def test_some_stores_open_later_some_close_and_some_have_gaps(sales: Path) -> None:
    spans = ask(sales, "select StoreID, min(SaleDate)::date, max(SaleDate)::date from SALES group by StoreID")
    assert sum(first > dt.date(2024, 3, 1) for _, first, _ in spans) >= 8
    assert sum(last < dt.date(2026, 9, 1) for _, _, last in spans) >= 4
    gaps = ask(
        sales,
        """select count(distinct StoreID) from (select StoreID, SaleDate::date - lag(SaleDate::date) over (
        partition by StoreID order by SaleDate) as days from SALES) where days > 14""",
    )
    assert gaps[0][0] >= 5


def test_returns_are_few_and_negative_and_values_are_missing(sales: Path) -> None:
    ((returned, *missing),) = ask(
        sales,
        """select avg((Quantity < 0)::int), avg((Weather is null)::int), avg((Promotion is null)::int),
        avg((Price is null)::int), avg((City is null)::int), avg((StoreID is null)::int) from SALES""",
    )
    assert 0.001 < returned < 0.01
    assert missing == pytest.approx([0.03, 0.01, 0.004, 0.004, 0], abs=0.002)


def test_prices_are_in_the_stores_currency_and_cut_in_promotions(sales: Path) -> None:
    price = dict(ask(sales, "select Country, avg(Price) from SALES group by 1"))
    assert price["U.S."] < price["Canada"] < 8
    assert 40 < price["Mexico"] < 80
    cut = dict(
        ask(sales, "select Promotion, avg(Price) from SALES where StoreID = 'S001' and Category = 'Food' group by 1")
    )
    assert cut[True] < 0.9 * cut[False]


def test_heat_sells_cold_drinks_and_cold_sells_hot_ones(sales: Path) -> None:
    units = {
        (category, month): value
        for category, month, value in ask(
            sales, "select Category, month(SaleDate), avg(Quantity) from SALES where City = 'Montreal' group by 1, 2"
        )
    }
    assert units["Cold drinks", 7] > 1.5 * units["Cold drinks", 1]
    assert units["Hot drinks", 1] > 1.2 * units["Hot drinks", 7]


def test_promotions_and_growth_raise_sales(sales: Path) -> None:
    lift = dict(ask(sales, "select Promotion, avg(Quantity) from SALES where Promotion is not null group by 1"))
    assert 1.25 < lift[True] / lift[False] < 1.9
    years = dict(ask(sales, "select year(SaleDate), avg(Quantity) from SALES where month(SaleDate) < 11 group by 1"))
    assert years[2026] > years[2024]


def test_holidays_are_those_of_the_country(sales: Path) -> None:
    def days(country: str) -> set[dt.date]:
        return {
            row[0]
            for row in ask(sales, f"select distinct SaleDate::date from SALES where Holiday and Country = '{country}'")
        }

    assert dt.date(2025, 7, 4) in days("U.S.") - days("Canada") - days("Mexico")
    assert dt.date(2025, 7, 1) in days("Canada") - days("U.S.")
    assert dt.date(2025, 9, 16) in days("Mexico") - days("U.S.")
    assert dt.date(2025, 4, 18) in days("Canada"), "Good Friday"
    assert dt.date(2025, 11, 27) in days("U.S."), "Thanksgiving"
    assert dt.date(2025, 10, 13) in days("Canada"), "Thanksgiving of Canada"


def test_easter_and_moving_holidays_fall_on_their_days() -> None:
    assert [easter(year) for year in (2024, 2025, 2026)] == [
        dt.date(2024, 3, 31), dt.date(2025, 4, 20), dt.date(2026, 4, 5)
    ]  # fmt: skip
    assert nth_weekday(2026, 5, 0, -1) == dt.date(2026, 5, 25)
    assert nth_weekday(2026, 12, 3, -1) == dt.date(2026, 12, 31)
    assert nth_weekday(2026, 9, 0, 1) == dt.date(2026, 9, 7)
    assert dt.date(2026, 5, 25) in holidays("U.S.", 2026)


def test_the_naive_forecasts_err_by_more_than_the_noise(sales: Path) -> None:
    """The gate must be worth something: last year and last month err by 12 to 35 %."""
    rows = ask(
        sales, "select StoreID, date_trunc('month', SaleDate) m, sum(Quantity) from SALES group by 1, 2 order by 1, 2"
    )
    by_store: dict[str, dict[Any, float]] = {}
    for store, month, total in rows:
        by_store.setdefault(store, {})[month] = total
    whole = np.array([[series[month] for month in sorted(series)] for series in by_store.values() if len(series) == 36])
    actual = whole[:, 30:]
    errors = [np.abs(whole[:, 30 - lag : 36 - lag] - actual).sum() / actual.sum() for lag in (1, 12)]
    assert all(0.12 < error < 0.35 for error in errors), errors


def test_fewer_months_end_in_the_same_month(tmp_path: Path) -> None:
    path = tmp_path / "short.parquet"
    rows = write_sales(path, Settings(months=13, stores_per_city=1, cities=CITIES[:2]))
    assert ask(path, "select count(*), min(SaleDate)::date, max(SaleDate)::date from SALES") == [
        (rows, dt.date(2025, 10, 1), dt.date(2026, 10, 31))
    ]
