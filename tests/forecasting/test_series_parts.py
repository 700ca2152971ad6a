"""Monthly rows some series at a time: what is kept of every series is what the whole table would have given."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from demand.months import month_of
from forecasting import series_parts
from forecasting.features import prepared, series_keys, state_of
from forecasting.gaps import complete
from forecasting.panels import Months
from forecasting.series_parts import Table, state_and_panel
from helpers_sales import monthly_sales


@pytest.fixture
def rows(tmp_path: Path) -> pd.DataFrame:
    """Months of 30 stores by product, in a file; some begin late, some end early, one sells rarely."""
    made = monthly_sales(stores=30, months=24).assign(Category=None, SaleDays=20)
    made["Product"] = "P" + (made["StoreID"].str[-1].astype(int) % 3).astype(str)
    start = pd.to_datetime(made["MonthStart"])
    made["FirstDay"], made["LastDay"] = start.dt.date, (start + pd.Timedelta(days=27)).dt.date
    number = made["StoreID"].str[1:].astype(int)
    made = made[~((number == 4) & (start < "2022-06-01")) & ~((number == 5) & (start > "2023-06-01"))]
    rare = made["StoreID"] == "S006"
    made = made[~(rare & (pd.to_datetime(made["MonthStart"]).dt.month % 3 != 0))]
    made.loc[made["StoreID"] == "S006", "SaleDays"] = 1
    made.to_parquet(tmp_path / "monthly.parquet", index=False)
    return made


def test_state_and_panel_of_every_series_are_those_of_the_whole_table(
    rows: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series_parts, "SERIES_AT_ONCE", 4)
    table = Table.of(tmp_path)
    assert (table.series, table.last_month, table.parts()) == (30, month_of("2023-12"), 8)
    state, panel = state_and_panel(table.each_part())
    whole = prepared(complete(rows).rows)
    wanted, its_panel = state_of(whole), Months.of(whole).panel()
    assert (state.key_columns, state.first_month) == (wanted.key_columns, wanted.first_month)
    np.testing.assert_array_equal(state.keys, wanted.keys)
    np.testing.assert_array_equal(state.sales, wanted.sales)
    for name, values in {**wanted.texts, **wanted.numbers}.items():
        np.testing.assert_array_equal({**state.texts, **state.numbers}[name], values)
    for name in ("keys", "sales", "weekdays", "days"):
        np.testing.assert_array_equal(getattr(panel, name), getattr(its_panel, name))
    for name, values in its_panel.plans.items():
        np.testing.assert_array_equal(panel.plans[name], values)


def test_parts_have_every_row_once_in_the_types_of_the_file(rows: pd.DataFrame, tmp_path: Path) -> None:
    table = Table.of(tmp_path)
    parts = [table.part(number, 3) for number in range(3)]
    assert sum(map(len, parts)) == len(rows) and all(map(len, parts))
    keys = [set(series_keys(part)) for part in parts]
    assert not (keys[0] & keys[1] or keys[1] & keys[2] or keys[0] & keys[2])
    assert parts[0].dtypes.to_dict() == pd.read_parquet(tmp_path / "monthly.parquet").dtypes.to_dict()


def test_rows_of_chosen_series_are_all_of_theirs(rows: pd.DataFrame, tmp_path: Path) -> None:
    table = Table.of(tmp_path)
    series = table.attributes().sort_values("StoreID")
    units = rows.groupby("StoreID")["TotalSales"].sum()
    np.testing.assert_allclose(series["Units"], units)
    chosen = series[series["StoreID"].isin(["S004", "S006"])]
    kept = table.rows_of(chosen)
    assert len(kept) == rows["StoreID"].isin(["S004", "S006"]).sum() and kept["StoreID"].nunique() == 2


def test_a_folder_without_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"monthly.parquet: not there; give the output folder of the step that writes"):
        Table.of(tmp_path)
