"""Partial, closed and sparse months are told from the series' own frequency."""

import pandas as pd
import pytest

from demand.contract import load_contract
from demand.steps import read_rows
from forecasting.features import month_index
from forecasting.gaps import complete
from helpers_sales import CONTRACT, MONTHLY_SQL, raw_row
from sales.aggregate import aggregate


def monthly(tmp_path, days):
    """Monthly rows of one sale on each of the days of each store."""
    rows = [
        raw_row(number, SaleDate=pd.Timestamp(day), StoreID=store, Quantity=2.0)
        for number, (store, day) in enumerate((store, day) for store, its in days.items() for day in its)
    ]
    pd.DataFrame(rows).to_parquet(tmp_path / "sales.parquet")
    sql = MONTHLY_SQL.read_text(encoding="utf-8")
    folders = (tmp_path / "monthly", tmp_path / "quarantine")
    aggregate(tmp_path / "sales.parquet", load_contract(CONTRACT), sql, "store", *folders)
    return read_rows(tmp_path / "monthly", "monthly.parquet")


def months_of(rows, store):
    own = rows[rows["StoreID"] == store].sort_values("MonthStart")
    return dict(zip(pd.to_datetime(own["MonthStart"]).dt.strftime("%Y-%m"), own["TotalSales"], strict=True))


DAILY = pd.date_range("2024-01-01", "2024-06-30")
CASES = {
    "daily, opened mid-month": (pd.date_range("2024-02-12", "2024-06-30"), "2024-03", 1, 0),
    "daily, opened on the second": (pd.date_range("2024-02-02", "2024-06-30"), "2024-02", 0, 0),
    "weekly, whole from its first Friday": (pd.date_range("2024-03-01", "2024-06-30", freq="W-FRI"), "2024-03", 0, 0),
    "weekly, opened in the third week": (pd.date_range("2024-02-16", "2024-06-30", freq="W-FRI"), "2024-03", 1, 0),
    "sparse, first sold on the 20th": (pd.to_datetime(["2024-02-20", "2024-03-05", "2024-06-03"]), "2024-02", 0, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_a_first_month_is_partial_where_its_first_sale_comes_late_for_the_series(tmp_path, case):
    days, first, partial, zeros = CASES[case]
    done = complete(monthly(tmp_path, {"A": days, "B": DAILY}))
    assert min(months_of(done.rows, "A")) == first
    assert (done.partial, done.zeros) == (partial, zeros)


def test_a_month_without_a_sale_of_a_series_that_sells_rarely_is_zero(tmp_path):
    sold = pd.to_datetime(["2024-01-10", "2024-03-05", "2024-05-20"])
    done = complete(monthly(tmp_path, {"A": sold, "B": DAILY}))
    months = months_of(done.rows, "A")
    assert months == {"2024-01": 2, "2024-02": 0, "2024-03": 2, "2024-04": 0, "2024-05": 2, "2024-06": 0}
    zero = done.rows[(done.rows["StoreID"] == "A") & (done.rows["TotalSales"] == 0)]
    assert zero["Country"].tolist() == ["Canada"] * 3 and zero["Price"].isna().all()
    assert zero["IsWeekend"].between(0.2, 0.4).all()
    assert "3 months without a sale of series that sell rarely count as zero" in done.sentences()


def test_a_month_without_a_sale_of_a_store_that_sells_daily_was_closed_and_stays_unknown(tmp_path):
    closed = DAILY[(DAILY < "2024-03-01") | (DAILY >= "2024-05-01")]
    done = complete(monthly(tmp_path, {"A": closed, "B": DAILY}))
    assert set(months_of(done.rows, "A")) == {"2024-01", "2024-02", "2024-05", "2024-06"}
    assert done.zeros == 0


def test_recorded_zeros_of_a_closed_store_are_not_learned_from(tmp_path):
    rows = monthly(tmp_path, {"A": DAILY, "B": DAILY}).copy()
    at = (rows["StoreID"] == "A") & (month_index(pd.to_datetime(rows["MonthStart"])) % 12 == 2)
    rows.loc[at, ["TotalSales", "SaleDays"]] = 0
    done = complete(rows)
    assert done.closed == 1 and "2024-03" not in months_of(done.rows, "A")


def test_a_product_that_ended_is_zero_for_a_year_and_unknown_from_then_on(tmp_path):
    ended = pd.to_datetime(["2022-01-10", "2022-02-20"])
    done = complete(monthly(tmp_path, {"A": ended, "B": pd.date_range("2022-01-01", "2024-06-30")}))
    months = months_of(done.rows, "A")
    assert max(months) == "2023-02" and sum(months.values()) == 4


def test_rows_of_an_earlier_release_stay_as_they_are():
    rows = pd.DataFrame({"StoreID": ["A"], "MonthStart": ["2024-01-01"], "TotalSales": [1.0]})
    assert complete(rows).rows is rows
