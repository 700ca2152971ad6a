"""What serves forecasts as what was trained: ONNX and tables against scikit-learn, recursion against evaluation."""

import string
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from demand.forecaster import Forecaster
from demand.forest import Forest
from demand.quantiles import Factors, mean_p10_p90, spread
from forecasting import export, packing
from forecasting.features import model_frame, month_index, state_of
from forecasting.forests import Settings
from forecasting.packing import Packed
from forecasting.prepare import add_features
from forecasting.recipes import FittedForest, asked_columns, without_plan
from forecasting.rolling import Rolling
from forecasting.train import fit_with_interval
from helpers_sales import CONTRACT, monthly_sales

pytestmark = pytest.mark.slow  # fits real forests

CASES = {"contextual": (20, "contextual"), "history": (20, "history"), "many stores": (130, "history")}
ROWS = 10_000


@pytest.fixture(scope="module", params=CASES)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Packed, Any, Path]:
    stores, features = CASES[request.param]
    rows = add_features(monthly_sales(stores=stores, months=30))
    rows["IsWeekend"] = [weekend(start) for start in rows["MonthStart"]]  # as the aggregate step has it
    packed, _ = fit_with_interval(Settings(features, features, n_estimators=40), rows, Rolling(2))
    folder = tmp_path_factory.mktemp("model") / "model"
    example = model_frame(rows.tail(20), packed.features)
    packing.save(packed.model, example, packed.metadata, folder)
    export.write_model(packed.model, packed.features, example, folder)
    export.write_state(state_of(rows), CONTRACT, folder)
    return packed, rows, folder


def random_frame(packed: Packed, rows: pd.DataFrame, seed: int = 3) -> pd.DataFrame:
    """10 000 rows: values of training in every combination, missing, unseen and extreme ones."""
    random = np.random.default_rng(seed)
    frame = model_frame(rows, packed.features)
    mixed = pd.DataFrame({name: frame[name].sample(ROWS, replace=True, random_state=seed).to_numpy() for name in frame})
    for name in mixed:
        at = random.random(ROWS)
        if mixed[name].dtype == object:
            unseen = "".join(random.choice(list(string.printable + "éß漢"), 8))
            mixed.loc[at < 0.2, name] = unseen
        else:
            mixed.loc[at < 0.2, name] = random.choice([0.0, -1.0, 1e-9, 1e9, 123.456], int((at < 0.2).sum()))
        mixed.loc[at > 0.8, name] = np.nan
    return mixed


def test_onnx_and_scikit_learn_agree_on_10_000_random_rows(trained: tuple[Packed, Any, Path]) -> None:
    packed, rows, folder = trained
    frame = random_frame(packed, rows)
    forecasts = Forest(folder / "endpoint").of_frame(frame).mean(axis=1)
    np.testing.assert_allclose(forecasts, packed.model.predict(frame), rtol=1e-6)


def test_one_month_ahead_is_what_the_evaluation_scores(trained: tuple[Packed, Any, Path]) -> None:
    packed, rows, folder = trained
    forecaster = Forecaster(folder, packed.metadata)
    last = rows[rows["MonthYear"] == rows["MonthYear"].max()]
    names = ("StoreID", "Country", "City", "Price", "Promotion", "Holiday")
    asked = [
        {**{name: value for name, value in row.items() if name in names and pd.notna(value)}, "Month": int(month)}
        for row, month in zip(last.to_dict("records"), month_index(last["MonthStart"]), strict=True)
    ]
    frame = model_frame(last, packed.features, ("Weather",))
    forecasts = forecaster.forecast(asked)
    np.testing.assert_allclose([one.sales for one in forecasts], packed.model.predict(frame), rtol=1e-6)


def test_six_months_ahead_are_forecast_step_by_step_as_in_the_evaluation(trained: tuple[Packed, Any, Path]) -> None:
    packed, rows, folder = trained
    forecaster, last = Forecaster(folder, packed.metadata), rows[rows["MonthYear"] == rows["MonthYear"].max()]
    ahead = [
        last.assign(MonthStart=last["MonthStart"] + pd.DateOffset(months=number), Promotion=np.nan, Holiday=np.nan)
        for number in range(1, 7)
    ]
    future = pd.concat(ahead, ignore_index=True)
    future["Season"] = add_features(future)["Season"].to_numpy()
    future = future.sort_values(["MonthStart", "StoreID"], ignore_index=True)
    future["Season"] = add_features(future)["Season"].to_numpy()
    future["IsWeekend"] = [weekend(start) for start in future["MonthStart"]]
    wanted = FittedForest(packed.model, packed.features, rows).forecast(without_plan(future[asked_columns(future)]))
    asked = [
        {"StoreID": store, "Month": int(month)}
        for store, month in zip(future["StoreID"], month_index(future["MonthStart"]), strict=True)
    ]
    np.testing.assert_allclose([one.sales for one in forecaster.forecast(asked)], wanted, rtol=1e-5)
    alone = [forecaster.forecast([row])[0].sales for row in asked]
    np.testing.assert_allclose(alone, wanted, rtol=1e-5)


def weekend(start: pd.Timestamp) -> float:
    days = pd.date_range(start, start + pd.offsets.MonthEnd(0))
    return float((days.dayofweek >= 5).mean())


def test_equal_models_give_equal_onnx_bytes_and_a_wrong_table_is_refused(
    trained: tuple[Packed, Any, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed, rows, folder = trained
    example = model_frame(rows.tail(50), packed.features)
    export.write_model(packed.model, packed.features, example, tmp_path)
    for name in ("forest.onnx", "encoder.json"):
        assert (tmp_path / "endpoint" / name).read_bytes() == (folder / "endpoint" / name).read_bytes()
    right = export.tables(packed.model, packed.features)
    wrong = {**right, "numbers": [{**entry, "mean": entry["mean"] + 1.0} for entry in right["numbers"]]}
    monkeypatch.setattr(export, "tables", lambda *_: wrong)
    with pytest.raises(StepError, match="ONNX forecasts"):
        export.write_model(packed.model, packed.features, example, tmp_path)


def test_the_interval_of_one_row_is_that_of_the_arrays() -> None:
    trees = np.random.default_rng(5).normal(100, 20, (50, 40))
    factors = Factors(1.5, 2.0, 2.5, 3.0)
    center, below, above = spread(trees)
    for ahead in (False, True):
        low, high = factors.at([ahead] * 50)
        figures = mean_p10_p90(np.sort(trees, axis=1)).tolist()
        rows = [factors.interval(*figure, ahead) for figure in figures]
        np.testing.assert_allclose(rows, np.stack([center - low * below, center + high * above], axis=1))
