"""Forecasts of stores and months: what a row may build on, and what it may not depend on."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demand.errors import StepError
from demand.explain import drivers, past
from demand.forecaster import Forecast, Forecaster
from demand.months import month_name, month_of, weekend_share
from demand.state import State
from demand.timeline import Timeline
from forecasting import export
from forecasting.features import model_frame, state_of
from forecasting.forests import Settings
from forecasting.prepare import add_features
from forecasting.rolling import Rolling
from forecasting.train import fit_with_interval
from helpers_sales import CONTRACT, monthly_sales

ORIGIN = "2023-12"


def month(name: str) -> int:
    index = month_of(name)
    assert index is not None
    return index


def row(store: str = "S000", name: str = "2024-06", **more: Any) -> dict[str, Any]:
    return {"StoreID": store, "Month": month(name), **more}


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return add_features(monthly_sales(stores=6, months=24))


@pytest.fixture(scope="module")
def forecaster(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Forecaster:
    packed, _ = fit_with_interval(Settings("history", n_estimators=15), rows, Rolling(3))
    folder = tmp_path_factory.mktemp("model")
    export.write_model(packed.model, packed.features, model_frame(rows.tail(9), packed.features), folder)
    export.write_state(state_of(rows), CONTRACT, folder)
    return Forecaster(folder, packed.metadata)


def same(one: Forecast, other: Forecast) -> bool:
    """Equal but for the last bit, which depends on how many rows are scored at once."""
    return one[:3] == pytest.approx(other[:3], rel=1e-12) and one.flags == other.flags


def stores(forecaster: Forecaster) -> list[str]:
    return [forecaster.state.key_values(number)["StoreID"] for number in range(len(forecaster.state.keys))]


def test_the_state_knows_the_last_month(forecaster: Forecaster) -> None:
    assert month_name(forecaster.state.last_month) == ORIGIN


@given(order=st.permutations(range(8)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_the_rows_does_not_matter(forecaster: Forecaster, order: list[int]) -> None:
    first, second = stores(forecaster)[:2]
    asked = [row(store, name) for store in (first, second) for name in ("2023-05", "2024-01", "2024-03", "2024-09")]
    wanted = forecaster.forecast(asked)
    shuffled = forecaster.forecast([asked[place] for place in order])
    assert all(same(shuffled[order.index(number)], wanted[number]) for number in range(8))


def test_p10_forecast_and_p90_are_in_order_and_equal_for_equal_requests(forecaster: Forecaster) -> None:
    asked = [row(store, name) for store in [*stores(forecaster), "new"] for name in ("2022-03", "2024-01", "2026-12")]
    forecasts = forecaster.forecast(asked)
    assert all(one.low <= one.sales <= one.high and one.low >= 0 for one in forecasts)
    assert forecaster.forecast(asked) == forecasts


def test_a_plan_for_a_month_between_moves_the_months_after_it(forecaster: Forecaster) -> None:
    store = stores(forecaster)[0]
    alone = forecaster.forecast([row(store, "2024-04")])[0]
    between = [row(store, "2024-02", Price=0.01, Promotion=True), row(store, "2024-04")]
    assert not same(forecaster.forecast(between)[1], alone)
    assert same(forecaster.forecast([row(store, "2024-04")])[0], alone)  # the plan of one request is not kept
    plain = [row(store, "2024-02"), row(store, "2024-04")]
    assert same(forecaster.forecast(plain)[1], alone)


def test_of_two_plans_for_one_month_the_first_counts_for_later_months(forecaster: Forecaster) -> None:
    store = stores(forecaster)[0]
    one, two = row(store, "2024-02", Promotion=True, Price=0.01), row(store, "2024-02")
    later = row(store, "2024-05")
    assert same(forecaster.forecast([one, two, later])[2], forecaster.forecast([one, later])[1])
    assert same(forecaster.forecast([one, two])[1], forecaster.forecast([two])[0])


def test_unknown_and_closed_stores_are_flagged(rows: pd.DataFrame, forecaster: Forecaster) -> None:
    closed = stores(forecaster)[0]
    kept = rows[(rows["StoreID"] != closed) | (rows["MonthYear"] <= "2022-06")]
    other = Forecaster.__new__(Forecaster)
    other.__dict__ |= forecaster.__dict__
    other.state = state_of(kept)
    other._sales, other._filled = Timeline(other.state.sales), {}
    forecasts = other.forecast(
        [row(closed, "2024-01"), row("never seen", "2024-01"), row(stores(forecaster)[1], "2024-01")]
    )
    assert [one.flags for one in forecasts] == [["no_recent_sales"], ["unknown_store"], []]


def test_drivers_are_ordered_and_the_past_is_that_of_the_same_month(forecaster: Forecaster, rows: pd.DataFrame) -> None:
    store = stores(forecaster)[0]
    largest = drivers(forecaster, row(store, "2024-03", Promotion=True))
    assert largest and [abs(one["units"]) for one in largest] == sorted(
        (abs(one["units"]) for one in largest), reverse=True
    )
    wanted = rows[(rows["StoreID"] == store) & rows["MonthYear"].isin(["2023-03", "2022-03"])]
    recorded = {one["MonthYear"]: one["TotalSales"] for one in past(forecaster, row(store, "2024-03"))}
    assert recorded == dict(zip(wanted["MonthYear"], wanted["TotalSales"], strict=True))
    assert past(forecaster, row("never seen", "2024-03")) == []


def test_a_model_without_serving_files_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="train and register it again"):
        Forecaster(tmp_path, {})


def test_a_finer_grain_adds_its_column_to_the_series_key(rows: pd.DataFrame, tmp_path: Path) -> None:
    fine = pd.concat([rows.assign(Category=name, TotalSales=rows["TotalSales"] * size) for name, size in FINE.items()])
    state = state_of(fine)
    state.save(tmp_path / "history.npz")
    loaded = State.load(tmp_path / "history.npz")
    assert loaded.key_columns == ("StoreID", "Category") and len(loaded.keys) == 12
    assert {loaded.key_values(number)["Category"] for number in range(12)} == set(FINE)
    np.testing.assert_array_equal(loaded.sales, state.sales)
    state_of(fine).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "history.npz").read_bytes()


FINE = {"beans": 1.0, "capsules": 0.1}


@pytest.mark.parametrize(("name", "share"), [("2024-02", 8 / 29), ("2024-06", 10 / 30), ("2023-02", 8 / 28)])
def test_weekend_share_counts_saturdays_and_sundays(name: str, share: float) -> None:
    assert weekend_share(month(name)) == pytest.approx(share)


@pytest.mark.parametrize("name", ["2024-13", "2024-1", "24-01", "2024-01-01", "\uff12024-01", ""])
def test_a_text_that_is_not_a_month_has_no_index(name: str) -> None:
    assert month_of(name) is None
