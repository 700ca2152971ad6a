"""A blend weighs its parts by what they erred before each origin, and by nothing that came later."""

import numpy as np
import pandas as pd
import pytest

from forecasting.blending import aligned, blend, weights


def table(factor: float, origins: range = range(10, 16)) -> pd.DataFrame:
    rows = [(key, origin, origin + ahead) for key in ("a", "b") for origin in origins for ahead in (1, 2)]
    frame = pd.DataFrame(rows, columns=["Key", "Origin", "Month"])
    return frame.assign(Horizon=frame["Month"] - frame["Origin"], Actual=100.0, Forecast=100.0 * factor, Planned=100.0)


def test_a_part_that_errs_twice_as_much_counts_a_sixteenth() -> None:
    good, bad = weights([table(1.1), table(1.2)], "Forecast")
    assert good / bad == pytest.approx(16) and good + bad == pytest.approx(1)


def test_before_anything_is_known_the_parts_count_alike() -> None:
    assert weights([table(1.1), table(1.2)], "Forecast", until=10).tolist() == [0.5, 0.5]


def test_the_blend_of_an_origin_does_not_change_with_later_sales() -> None:
    parts = {"x": table(1.1), "y": table(0.7)}
    before = blend(parts)
    later = {name: each.assign(Actual=each["Actual"].where(each["Month"] < 15, 1.0)) for name, each in parts.items()}
    after = blend(later)
    at = (before["Origin"] < 15).to_numpy()
    np.testing.assert_array_equal(before.loc[at, "Forecast"], after.loc[at, "Forecast"])


def test_only_rows_that_all_parts_have_are_blended() -> None:
    first, second = aligned([table(1.0), table(1.0, range(12, 16)).sample(frac=1.0, random_state=1)])
    assert len(first) == len(second) == 16
    assert first[["Key", "Origin", "Month"]].equals(second[["Key", "Origin", "Month"]])


def test_tables_of_the_same_rows_share_all_but_their_forecasts_and_are_what_a_join_gives() -> None:
    judged = {"Judged": table(1.0)["Origin"] > 12, "Promotion": 1.0}
    tables = [table(factor).assign(**judged).sample(frac=1.0, random_state=1) for factor in (1.0, 1.3)]
    shared = aligned(tables, judged_only=True)
    joined = aligned([tables[0], tables[1].sample(frac=1.0, random_state=2)], judged_only=True)
    for one, other in zip(shared, joined, strict=True):
        pd.testing.assert_frame_equal(one, other[list(one)])
    assert np.shares_memory(shared[0]["Actual"].to_numpy(), shared[1]["Actual"].to_numpy())
    assert len(shared[0]) == int(judged["Judged"].sum())


def test_a_part_without_an_error_does_not_divide_by_zero() -> None:
    assert np.isfinite(weights([table(1.0), table(1.2)], "Forecast")).all()
