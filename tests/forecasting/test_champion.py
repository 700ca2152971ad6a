"""The champion is compared on months that it has not learned from, and judged on today's sales as it is."""

import pytest

from demand import tracking
from demand.errors import StepError
from forecasting import champion, export
from forecasting.backtest import model_predictor
from forecasting.champion import months_seen, refitted
from forecasting.features import SalesHistory, model_frame
from forecasting.packing import Packed, save
from forecasting.prepare import add_features, split
from forecasting.train import Settings, fit
from helpers_sales import CONTRACT, monthly_sales

pytestmark = pytest.mark.slow  # fits real forests
SETTINGS = Settings("history", n_estimators=20)


@pytest.fixture(scope="module")
def rows():
    return add_features(monthly_sales(stores=8, months=30))


@pytest.fixture(scope="module")
def packed_until_three_months_ago(rows, tmp_path_factory):
    """(model, folder) of a run that held out three months."""
    train, _ = split(rows, 3)
    model, metadata = fit(SETTINGS, train)
    folder = tmp_path_factory.mktemp("champion") / "model"
    save(model, model_frame(train.tail(2), metadata["features"]), metadata, folder)
    export.write_state(rows, CONTRACT, folder)
    return Packed(model, metadata), folder


def read(packed_and_folder, rows, monkeypatch, grain="store"):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///nowhere")
    monkeypatch.setattr(tracking, "download", lambda _: packed_and_folder[1])
    train, holdout = split(rows, 6)
    return champion.read("demand-forecast", "4", train, holdout, grain), train, holdout


def test_version_none_means_that_there_is_no_champion(rows):
    assert champion.read("demand-forecast", "none", rows, rows, "store") is None


def test_a_champion_that_has_seen_held_out_months_is_compared_by_its_recipe(
    packed_until_three_months_ago, rows, monkeypatch
):
    registered, train, holdout = read(packed_until_three_months_ago, rows, monkeypatch)
    assert (registered.months_seen, registered.is_refitted) == (3, True)
    assert "has seen 3 of the held-out months" in registered.notes()[0]
    candidate = Packed(*fit(SETTINGS, train))
    history = SalesHistory.of(rows)
    same = [model_predictor(each)(holdout, history) for each in (candidate, registered.rival)]
    assert (same[0] == same[1]).all()


def test_a_champion_that_ends_before_the_hold_out_is_compared_itself(packed_until_three_months_ago, rows):
    packed, folder = packed_until_three_months_ago
    _, last_three = split(rows, 3)
    assert months_seen(packed, folder, last_three) == 0


def test_the_same_months_of_other_sales_have_not_been_seen(packed_until_three_months_ago, rows):
    packed, folder = packed_until_three_months_ago
    _, holdout = split(rows, 6)
    assert months_seen(packed, folder, holdout.assign(StoreID="X" + holdout["StoreID"])) == 0
    assert months_seen(packed, folder, holdout.assign(TotalSales=holdout["TotalSales"] * 2 + 1)) == 0
    assert months_seen(packed, folder, holdout) == 3


def test_a_model_without_its_last_training_month_counts_as_having_seen_everything(packed_until_three_months_ago, rows):
    packed, folder = packed_until_three_months_ago
    _, holdout = split(rows, 6)
    assert months_seen(Packed(packed.model, {"features": packed.features}), folder, holdout) == 6


def test_a_champion_without_a_recipe_cannot_be_compared(rows):
    with pytest.raises(StepError, match=r"does not state its recipe .*pass --champion none"):
        refitted(Packed(None, {"features": ["StoreID"]}), rows)


def test_a_champion_of_another_grain_is_refused(packed_until_three_months_ago, rows, monkeypatch):
    with pytest.raises(StepError, match="champion demand-forecast:4 forecasts by store, these sales are by category"):
        read(packed_until_three_months_ago, rows, monkeypatch, "category")


def test_the_live_model_is_judged_beside_the_same_month_of_last_year(packed_until_three_months_ago, rows, monkeypatch):
    registered, _, holdout = read(packed_until_three_months_ago, rows, monkeypatch)
    live = champion.live(registered, holdout, SalesHistory.of(rows))
    assert live["version"] == "4" and live["months_seen"] == 3
    assert live["is_worse"] == (live["wape"] > live["seasonal_naive"])
    # Sales that fall to a tenth every month, as when a currency or a unit changes.
    halved = holdout.assign(TotalSales=holdout["TotalSales"] * 0.01)
    assert champion.live(registered, halved, SalesHistory.of(rows))["wape"] > 10
