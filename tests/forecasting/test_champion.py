"""The champion is compared by its recipe, on the origins of the candidates, and judged on today's sales as it is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand import tracking
from demand.errors import StepError
from forecasting import champion, export
from forecasting.candidates import Candidate, keyed
from forecasting.features import model_frame, state_of
from forecasting.forests import Settings, fit
from forecasting.packing import save
from forecasting.prepare import add_features
from forecasting.recipes import DirectRecipe, ForestRecipe
from forecasting.rolling import Rolling, backtest
from helpers_sales import CONTRACT, monthly_sales

pytestmark = pytest.mark.slow  # fits real forests
SETTINGS = Settings("history", n_estimators=10)
SHORT = Rolling(origins=2, warm_up=0)


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return add_features(monthly_sales(stores=8, months=30))


@pytest.fixture(scope="module")
def registered(rows: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forest of an earlier release, which tells its parameters and no recipe, until three months ago."""
    train = rows[rows["MonthYear"] <= "2024-03"]
    model, metadata = fit(SETTINGS, train)
    folder = tmp_path_factory.mktemp("champion") / "model"
    metadata["interval"] = {"low": 1.0, "high": 1.0}
    save(model, model_frame(train.tail(2), metadata["features"]), metadata, folder)
    export.write_model(model, metadata["features"], model_frame(train.tail(9), metadata["features"]), folder)
    export.write_state(state_of(rows), CONTRACT, folder)
    return folder


@pytest.fixture
def read(registered: Path, monkeypatch: pytest.MonkeyPatch) -> champion.Champion:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:///nowhere")
    monkeypatch.setattr(tracking, "download", lambda _: registered)
    read_one = champion.read("demand-forecast", "4", "store")
    assert read_one is not None
    return read_one


def test_none_is_no_champion() -> None:
    assert champion.read("demand-forecast", "none", "store") is None


def test_a_forest_of_an_earlier_release_is_compared_by_the_recipe_that_its_parameters_tell(
    read: champion.Champion, rows: pd.DataFrame
) -> None:
    assert read.recipe == ForestRecipe("history", SETTINGS).settings()
    table = champion.backtest_of(read.recipe, {}, rows, SHORT)
    wanted = keyed(backtest(ForestRecipe("history", SETTINGS), rows, SHORT))
    np.testing.assert_array_equal(table["Forecast"], wanted["Forecast"])


def test_a_candidate_of_the_same_recipe_lends_its_back_test_whatever_it_is_called(rows: pd.DataFrame) -> None:
    table = pd.DataFrame({"Forecast": [1.0]})
    forest = ForestRecipe("mine", Settings("mine", n_estimators=10)).settings()
    candidates = {"mine": Candidate(Path(), {"recipe": forest}, table)}
    assert champion.backtest_of(ForestRecipe("history", SETTINGS).settings(), candidates, rows, SHORT) is table


def test_a_recipe_without_a_setting_that_is_new_is_the_one_with_its_default() -> None:
    now = ForestRecipe("history", SETTINGS).settings()
    before = {key: value for key, value in now.items() if key != "max_rows"}
    assert champion.text(before) == champion.text(now) != champion.text({**now, "max_rows": 1000})
    assert champion.text({"kind": "of a later release", "x": 1}) != champion.text(now)


def test_a_blend_is_back_tested_by_its_parts_and_the_names_of_these_do_not_matter(rows: pd.DataFrame) -> None:
    profile = DirectRecipe("profile").settings()
    one = {"kind": "blend", "parts": {"profile": profile}}
    assert champion.text(one) == champion.text({"kind": "blend", "parts": {"other": profile}})
    table = champion.backtest_of(one, {}, rows, SHORT)
    joined = table.merge(keyed(backtest(DirectRecipe("profile"), rows, SHORT)), on=["Key", "Origin", "Month"])
    np.testing.assert_allclose(joined["Forecast_x"], joined["Forecast_y"])


def test_a_champion_is_as_old_as_the_months_that_it_has_not_seen(read: champion.Champion, rows: pd.DataFrame) -> None:
    assert read.age_months(rows) == 3
    assert "was fitted on months until 2024-03" in read.notes()[0]


def test_months_of_other_sales_were_not_learned_from_whatever_their_dates(
    read: champion.Champion, rows: pd.DataFrame
) -> None:
    others = rows.assign(StoreID="X" + rows["StoreID"])
    assert read.age_months(others) == read.age_months(rows.assign(TotalSales=rows["TotalSales"] * 2)) == 30
    assert champion.live(read, others, 6)["months_seen"] == 0


def test_a_few_corrected_sales_do_not_make_a_champion_old(read: champion.Champion, rows: pd.DataFrame) -> None:
    corrected = rows.assign(TotalSales=rows["TotalSales"].where(rows["StoreID"] != "S000", rows["TotalSales"] + 1))
    assert read.age_months(corrected) == 3


def test_a_champion_without_a_recipe_cannot_be_compared() -> None:
    with pytest.raises(StepError, match=r"does not tell its recipe .*pass --champion none"):
        champion.recipe({"features": ["StoreID"]})


def test_a_champion_of_another_grain_is_refused(read: champion.Champion) -> None:
    with pytest.raises(StepError, match="champion demand-forecast:4 forecasts by store, these sales are by category"):
        champion.read(read.name, read.version, "category")


def test_the_live_model_is_judged_beside_the_same_month_of_last_year(
    read: champion.Champion, rows: pd.DataFrame
) -> None:
    live = champion.live(read, rows, 6)
    assert live["version"] == "4" and live["months_seen"] == 3
    assert live["is_worse"] == (live["wape"] > live["seasonal_naive"])
    # Sales that fall to a hundredth, as when a currency or a unit changes: last year's level is no guide.
    fallen = rows.assign(TotalSales=rows["TotalSales"].where(rows["MonthYear"] < "2024-06", rows["TotalSales"] * 0.01))
    assert champion.live(read, fallen, 1)["wape"] > 10
