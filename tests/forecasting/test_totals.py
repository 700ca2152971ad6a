"""Totals add up, level by level, as they are and as the planner's file shows them."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.totals import SUMMED, totals
from planning.batch import write_for_planners

ROW = st.tuples(
    st.sampled_from(["S1", "S2", "S3"]),
    st.sampled_from(["2026-12", "2027-01"]),
    st.floats(-1e6, 1e7),
    st.one_of(st.none(), st.floats(0, 1e7)),
)
COUNTRY = {"S1": "Canada", "S2": "Mexico", "S3": None}


def made(rows):
    table = pd.DataFrame(rows, columns=["StoreID", "MonthYear", *SUMMED])
    return table.assign(SameMonthLastYear=table["SameMonthLastYear"].astype("Float64"), P10=0.0, P90=1e9)


def countries(table):
    return [COUNTRY[store] for store in table["StoreID"]]


@given(st.lists(ROW, min_size=1, max_size=30))
def test_each_level_is_the_sum_of_the_series_below(rows):
    table = made(rows)
    sums = totals(table, countries(table))
    for level, part in sums.groupby("Level"):
        for month, each in part.groupby("MonthYear"):
            expected = table.loc[table["MonthYear"] == month, "TotalSales"].sum()
            assert each["TotalSales"].sum() == pytest.approx(expected, rel=1e-9, abs=1e-6), (level, month)
            assert each["Series"].sum() == (table["MonthYear"] == month).sum()


@given(st.lists(ROW, min_size=1, max_size=30))
def test_the_figures_of_the_planners_files_add_up_as_they_are_shown(tmp_path_factory, rows):
    folder, table = tmp_path_factory.mktemp("out"), made(rows)
    write_for_planners(table, countries(table), folder)
    shown, sums = (pd.read_csv(folder / name) for name in ("forecasts.csv", "totals.csv"))
    everything = sums[sums["Level"] == "all"].set_index("MonthYear")["TotalSales"]
    for month, part in shown.groupby("MonthYear"):
        assert everything[month] == pytest.approx(part["TotalSales"].sum(), abs=0.05)


def test_stores_are_a_level_where_they_are_sums_themselves():
    one = made([("S1", "2026-12", 5.0, None), ("S2", "2026-12", 7.0, 4.0)])
    assert list(totals(one, countries(one))["Level"]) == ["country", "country", "all"]
    finer = made([("S1", "2026-12", 5.0, None), ("S1", "2026-12", 2.0, 3.0), ("S3", "2026-12", 7.0, 4.0)])
    sums = totals(finer, countries(finer))
    assert sums.loc[sums["Level"] == "store", ["Country", "StoreID", "TotalSales"]].to_numpy().tolist() == [
        ["Canada", "S1", 7.0],
        ["unknown", "S3", 7.0],
    ]


def test_what_no_series_sold_last_year_is_missing_and_not_zero():
    table = made([("S1", "2026-12", 5.0, None), ("S2", "2026-12", 7.0, None)])
    assert totals(table, countries(table))["SameMonthLastYear"].isna().all()
