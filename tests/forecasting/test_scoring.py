"""Figures of a back-test: the rows that all models share, and the errors of the segments that a total hides."""

import numpy as np
import pandas as pd
import pytest

from forecasting import scoring
from forecasting.features import prepared
from forecasting.scales import Scales
from helpers_sales import monthly_sales

ROWS = prepared(monthly_sales(stores=6, months=24))
LAST = 2023 * 12 + 11


def table(actual: dict[str, list[float]], forecast: float, country: str = "Canada") -> pd.DataFrame:
    """One month ahead, of each series' last months."""
    rows = [
        {"Key": key, "Month": LAST - len(sold) + 1 + place, "Actual": one, "Forecast": forecast, "Planned": one}
        for key, sold in actual.items()
        for place, one in enumerate(sold)
    ]
    frame = pd.DataFrame(rows).assign(Horizon=1, Judged=True, Country=country, Promotion=0.0)
    return frame.assign(Origin=frame["Month"] - 1, Usual=frame.groupby("Key")["Actual"].transform("mean"))


SOLD = {"S000": [0.0, 9.0, 0.0, 3.0, 0.0, 6.0], "S001": [50.0, 60.0, 50.0, 60.0, 50.0, 60.0]}


def test_series_without_a_sale_in_a_third_of_their_months_are_intermittent() -> None:
    sold = {**SOLD, "S002": [1.0, 1.0, 1.0, 1.0, 1.0, 0.0], "S003": [0.0] * 6}
    rows = table(sold, 5.0)
    assert set(rows.loc[scoring.intermittent(rows), "Key"]) == {"S000"}


def test_intermittent_series_have_a_squared_error_of_their_own_which_nothing_is_not_best_for() -> None:
    scales = Scales.of(ROWS)
    mean, nothing = (scoring.further(table(SOLD, one), scales, False) for one in (3.0, 0.0))
    assert mean.rmsse_intermittent is not None and nothing.rmsse_intermittent is not None
    assert mean.rmsse_intermittent < nothing.rmsse_intermittent
    assert scoring.further(table({"S001": SOLD["S001"]}, 55.0), scales, False).rmsse_intermittent is None


def test_segments_hold_the_rows_that_their_names_say() -> None:
    rows = pd.concat([table(SOLD, 5.0), table({"S004": [5.0] * 6}, 5.0, "Mexico").assign(Promotion=1.0)])
    segments = scoring.segments(rows.reset_index(drop=True), {"S000": LAST - 3, "S001": -1, "S004": -1})
    counts = {name: int(at.sum()) for name, at in segments.items()}
    assert counts["country Canada"] == 12 and counts["country Mexico"] == 6
    assert counts["new stores"] == 3 and counts["intermittent series"] == 6 and counts["promotion months"] == 6
    assert counts["small stores"] == counts["medium stores"] == counts["large stores"] == 6


def test_errors_by_segment_leave_its_kind_away_where_only_one_kind_is_asked_for() -> None:
    tables = {"a": table(SOLD, 5.0), "b": table(SOLD, 6.0)}
    by_country = scoring.by_segment(tables, {"S000": -1, "S001": -1}, "country ")
    assert set(by_country) == {"Canada"} and set(by_country["Canada"]) == {"a", "b"}
    assert by_country["Canada"]["a"]["one_step"] == scoring.errors(tables["a"]).__dict__


def test_monthly_errors_are_sums_over_series_oldest_month_first() -> None:
    errors = scoring.monthly_errors(table(SOLD, 10.0))
    assert errors.index.tolist() == list(range(LAST - 5, LAST + 1))
    assert errors.tolist() == [10.0 + 40.0, 1.0 + 50.0, 10.0 + 40.0, 7.0 + 50.0, 10.0 + 40.0, 4.0 + 50.0]


def test_judged_rows_are_those_that_every_model_has() -> None:
    whole = table(SOLD, 5.0)
    part = whole[whole["Month"] > LAST - 3].assign(Judged=lambda rows: rows["Key"] == "S001")
    judged = scoring.judged({"a": whole, "b": part})
    assert len(judged["a"]) == len(judged["b"]) == 3 and set(judged["a"]["Key"]) == {"S001"}


def test_the_interval_of_the_wape_holds_it_and_is_none_with_too_few_months() -> None:
    figures = scoring.further(table(SOLD, 40.0), Scales.of(ROWS), False)
    wape = scoring.errors(table(SOLD, 40.0)).wape
    assert wape is not None and figures.wape_low is not None and figures.wape_high is not None
    assert figures.wape_low < wape < figures.wape_high
    two = table({"S001": [50.0, 60.0]}, 40.0)
    assert scoring.further(two, Scales.of(ROWS), False).wape_low is None


def test_every_figure_has_an_interval_that_leaving_a_month_out_gives() -> None:
    """Against the definition: each month is left out in turn, and the figure worked out anew."""
    rows = scoring.with_bounds(table({**SOLD, "S002": [70.0, 80.0, 60.0, 90.0, 75.0, 66.0]}, 40.0))
    scales = Scales.of(ROWS)
    figures = scoring.further(rows, scales, True)
    names = {"bias", "mase", "rmsse", "rmsse_intermittent", "pinball_p10", "pinball_p90"}
    assert set(figures.ranges) == names
    for name in names:
        without = [scoring.further(rows[rows["Month"] != month], scales, True) for month in rows["Month"].unique()]
        values = np.array([getattr(each, name) for each in without])
        error = 1.2816 * np.sqrt(5 / 6 * ((values - values.mean()) ** 2).sum())
        low, high = figures.ranges[name]
        assert high == pytest.approx(getattr(figures, name) + error)
        assert low == pytest.approx(max(getattr(figures, name) - error, -1.0 if name == "bias" else 0.0))


def test_bias_has_the_sign_of_the_forecast_less_the_sales() -> None:
    assert scoring.further(table({"S001": [50.0] * 4}, 55.0), Scales.of(ROWS), False).bias == pytest.approx(0.1)


def test_bounds_hold_the_forecast_and_come_from_other_months() -> None:
    rng = np.random.default_rng(3)
    sold = {f"S{number:03d}": list(rng.uniform(80, 120, 6)) for number in range(6)}
    bounded = scoring.with_bounds(table(sold, 100.0))
    assert (bounded["P10"] <= 100).all() and (bounded["P90"] >= 100).all()
    last = table(sold, 100.0)["Month"] == LAST
    moved = table({key: [*values[:-1], 500.0] for key, values in sold.items()}, 100.0)
    again = scoring.with_bounds(moved.assign(Usual=table(sold, 100.0)["Usual"]))
    np.testing.assert_array_equal(again.loc[last, "P90"], bounded.loc[last, "P90"])
