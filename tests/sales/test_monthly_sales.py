"""ml/data/monthly_sales.sql in DuckDB against a plain pandas reference, and in Snowflake's protocol against DuckDB."""

import calendar

import duckdb
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpers_sales import MONTHLY_SQL, RAW, raw_row
from warehouse.seed import local_session

SQL = MONTHLY_SQL.read_text(encoding="utf-8")
LAST = ("Country", "City", "Weather", "Promotion", "Holiday")


def in_duckdb(rows, grain="store"):
    with duckdb.connect() as con:
        con.execute(f"create table checked_sales ({', '.join(f'{name} {kind}' for name, kind in RAW.items())})")
        con.executemany(
            f"insert into checked_sales values ({', '.join('?' * len(RAW))})", [list(row.values()) for row in rows]
        )
        return con.execute(SQL, {"grain": grain}).df().sort_values(["StoreID", "MonthStart"], ignore_index=True)


def reference(rows):
    """Idiomatic pandas, row by row."""
    frame = pd.DataFrame(rows)
    frame["MonthStart"] = frame["SaleDate"].dt.to_period("M").dt.to_timestamp()
    result = []
    for (store, month), part in frame.sort_values(["SaleDate", "SaleID"]).groupby(["StoreID", "MonthStart"]):
        last = {name: (known.iloc[-1] if len(known := part[name].dropna()) else None) for name in LAST}
        days = calendar.Calendar().itermonthdays2(month.year, month.month)
        weekend = sum(1 for day, weekday in days if day and weekday > 4) / month.days_in_month
        mean = part["Price"].astype(float).mean()
        result.append({"StoreID": store, "MonthStart": month, "Price": mean, "IsWeekend": weekend, **last})
        result[-1]["TotalSales"] = part["Quantity"].sum()
    return pd.DataFrame(result).sort_values(["StoreID", "MonthStart"], ignore_index=True)


sale = st.fixed_dictionaries(
    {
        "SaleDate": st.datetimes(pd.Timestamp("2023-12-28"), pd.Timestamp("2024-03-02")).map(pd.Timestamp),
        "StoreID": st.sampled_from(["S1", "S2"]),
        "Country": st.none() | st.sampled_from(["Canada", "Mexico"]),
        "Price": st.none() | st.integers(0, 900).map(lambda cents: cents / 100),
        "Quantity": st.integers(-5, 50).map(float),
        "Weather": st.none() | st.sampled_from(["Sunny", "Rainy"]),
        "Promotion": st.none() | st.booleans(),
        "Holiday": st.none() | st.booleans(),
    }
)


@settings(max_examples=40, deadline=None)
@given(st.lists(sale, min_size=1, max_size=25))
def test_any_rows_aggregate_as_the_reference_says(sales):
    rows = [raw_row(number, **{"SaleID": f"{number:04d}"}, **values) for number, values in enumerate(sales)]
    actual, expected = in_duckdb(rows), reference(rows)
    assert len(actual) == len(expected)
    for name in ("StoreID", *LAST):
        assert actual[name].astype(object).where(actual[name].notna(), None).tolist() == expected[name].tolist()
    for name in ("Price", "IsWeekend", "TotalSales"):
        pd.testing.assert_series_equal(actual[name], expected[name].astype(float), check_names=False, rtol=1e-9)


GIVEN = [
    raw_row(1, SaleDate=pd.Timestamp("2024-02-10"), Category="Drinks", Price=2.0, Weather="Sunny", Quantity=3.0),
    raw_row(2, SaleDate=pd.Timestamp("2024-02-11"), Category="Food", Price=4.0, Weather=None, Quantity=-1.0),
    raw_row(3, SaleDate=pd.Timestamp("2024-02-11"), Category="Food", Price=None, Promotion=True, Quantity=5.0),
]


def test_one_row_per_store_and_month_with_the_last_recorded_values():
    (row,) = in_duckdb(GIVEN).to_dict("records")
    assert (row["Price"], row["TotalSales"], row["Weather"], row["Promotion"]) == (3.0, 7.0, "Sunny", True)
    assert row["IsWeekend"] == pytest.approx(8 / 29)
    assert row["Category"] is None or pd.isna(row["Category"])


def test_a_finer_grain_adds_its_column_to_the_key():
    actual = in_duckdb(GIVEN, "category").sort_values("Category")
    assert list(zip(actual["Category"], actual["TotalSales"], strict=True)) == [("Drinks", 3.0), ("Food", 4.0)]


@pytest.mark.slow
def test_the_same_text_gives_the_same_result_over_snowflakes_protocol(shared_home, shared_env):
    kinds = {"varchar": "varchar", "timestamp": "timestamp_ntz", "double": "double", "boolean": "boolean"}
    with local_session(shared_home) as connection:
        cursor = connection.cursor()
        cursor.execute("create or replace schema monthly_test")
        cursor.execute("use schema monthly_test")
        cursor.execute(
            f"create table checked_sales ({', '.join(f'{name} {kinds[kind]}' for name, kind in RAW.items())})"
        )
        for row in GIVEN:
            cursor.execute(f"insert into checked_sales values ({', '.join(_literal(value) for value in row.values())})")
        cursor.execute(SQL.replace("$grain", "'store'"))
        theirs = pd.DataFrame(cursor.fetchall(), columns=[each.name for each in cursor.description])
    ours = in_duckdb(GIVEN)
    for name in ("Price", "IsWeekend", "TotalSales", "Weather", "Promotion"):
        assert theirs[name].tolist() == pytest.approx(ours[name].tolist())


def _literal(value):
    if value is None:
        return "null"
    return f"'{value}'" if isinstance(value, str | pd.Timestamp) else str(value)
