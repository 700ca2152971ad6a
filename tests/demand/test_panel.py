"""The packed panel: nothing is lost that serving needs, and equal panels are equal bytes."""

from pathlib import Path

import numpy as np
import pytest

from demand.panel import PLAN_MONTHS, PLANNED, Panel


@pytest.fixture
def panel() -> Panel:
    random = np.random.default_rng(1)
    plans = {name: random.random((3, 30)).astype(np.float32).astype(np.float64) for name in PLANNED}
    sales = random.random((3, 30))
    sales[0, :4] = np.nan
    return Panel(np.array(["a", "b", "c"]), 24000, sales, random.random((3, 7)), np.ones(3), plans)


def test_a_saved_panel_is_read_as_it_was_with_the_plans_of_the_last_two_years(panel: Panel, tmp_path: Path) -> None:
    panel.save(tmp_path / "one.npz")
    read = Panel.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(read.sales, panel.sales)
    assert (read.keys.tolist(), read.first_month, read.last_month) == (["a", "b", "c"], 24000, 24029)
    for name in PLANNED:
        np.testing.assert_array_equal(read.plans[name][:, -PLAN_MONTHS:], panel.plans[name][:, -PLAN_MONTHS:])
        assert np.isnan(read.plans[name][:, :-PLAN_MONTHS]).all()


def test_equal_panels_give_equal_bytes(panel: Panel, tmp_path: Path) -> None:
    for name in ("one", "two"):
        panel.save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_what_was_known_earlier_holds_nothing_of_later_months(panel: Panel) -> None:
    cut = panel.until(24009)
    assert cut.last_month == 24009 and cut.sales.shape == (3, 10)
    assert all(values.shape == (3, 10) for values in cut.plans.values())
    assert panel.until(23000).sales.shape == (3, 1)  # there is no month before the first
