"""The batch forecast: every series and month once, the plan followed, nothing for a spreadsheet to run."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from demand import health
from demand.errors import StepError
from demand.steps import run
from forecasting import export, packing
from forecasting.features import model_frame, state_of
from forecasting.forests import Settings
from forecasting.prepare import add_features
from forecasting.rolling import Rolling
from forecasting.train import fit_with_interval
from helpers_sales import CONTRACT, monthly_sales
from planning.batch import for_planners
from planning.forecast import main

HEADER = "StoreID,MonthYear,Price,Promotion,Holiday\n"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inputs")
    monthly = monthly_sales(stores=8, months=24)
    monthly.to_parquet(folder / "monthly.parquet")
    rows = add_features(monthly)
    packed, _ = fit_with_interval(Settings("history", n_estimators=40), rows, Rolling(3))
    example = model_frame(rows.tail(5), packed.features)
    packing.save(packed.model, example, packed.metadata, folder / "model")
    export.write_model(packed.model, packed.features, example, folder / "model")
    export.write_state(state_of(rows), CONTRACT, folder / "model")
    return folder


@pytest.fixture
def step(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pd.DataFrame]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def call(plan: str = HEADER, horizon: int = 6, monthly: Path = inputs) -> pd.DataFrame:
        (tmp_path / "plan.csv").write_text(plan, encoding="utf-8")
        flags = [f"--model={inputs / 'model'}", f"--monthly={monthly}", f"--contract={CONTRACT}"]
        flags += [f"--plan={tmp_path / 'plan.csv'}", f"--horizon={horizon}", f"--forecasts={tmp_path / 'out'}"]
        assert main([*flags, "--model-name=demand-forecast", "--model-version=12"]) == 0
        return pd.read_parquet(tmp_path / "out/forecasts.parquet")

    return call


def test_every_store_and_month_is_forecast_once_with_its_interval(step: Callable[..., pd.DataFrame]) -> None:
    table = step(horizon=4)
    assert sorted(table["MonthYear"].unique()) == ["2024-01", "2024-02", "2024-03", "2024-04"]
    assert len(table) == 32 and not table.duplicated(["StoreID", "MonthYear"]).any()
    assert ((table["P10"] <= table["TotalSales"]) & (table["TotalSales"] <= table["P90"])).all()
    assert set(table["ModelVersion"]) == {"12"} and set(table["Origin"]) == {"2023-12"}


def test_a_store_that_has_ended_is_not_forecast_for_ever_unless_a_plan_names_it(
    step: Callable[..., pd.DataFrame], inputs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = pd.read_parquet(inputs / "monthly.parquet")
    months = pd.to_datetime(rows["MonthStart"])
    for store, last in (("S003", "2022-12-01"), ("S004", "2023-01-01")):
        rows, months = (each[(rows["StoreID"] != store) | (months <= last)] for each in (rows, months))
    rows.to_parquet(tmp_path / "monthly.parquet")
    assert sorted(step(monthly=tmp_path)["StoreID"].unique()) == [f"S{n:03d}" for n in range(8) if n != 3]
    (entry,) = [each for each in json.loads((tmp_path / "out/warnings.json").read_text()) if "12 months" in str(each)]
    assert "Not forecast, since they have sold nothing for 12 months: S003;" in entry["message"]
    assert "S003" in set(step(HEADER + "S003,2024-02,3,,\n", monthly=tmp_path)["StoreID"])


def test_a_plan_moves_its_month_and_the_months_after_it_of_its_store_alone(step: Callable[..., pd.DataFrame]) -> None:
    before = step().set_index(["StoreID", "MonthYear"])["TotalSales"]
    after = step(HEADER + "S001,2024-03,0.5,yes,no\n").set_index(["StoreID", "MonthYear"])["TotalSales"]
    moved = {key for key in before.index if abs(after[key] - before[key]) > 1e-9 * before[key]}
    assert ("S001", "2024-03") in moved
    assert {store for store, _ in moved} == {"S001"} and min(month for _, month in moved) == "2024-03"


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        ("StoreID,Month\n", ":1: unknown column Month"),
        (HEADER + "S001,2024-01,abc,,\n", r":2: Price: must be a number"),
        (HEADER + "S001,2024-01,,maybe,\n", r":2: Promotion: must be true or false"),
        (HEADER + "S001,2024-01,1,,\nS001,2024-01,2,,\n", r":3: S001 has this month twice"),
        (HEADER + ",2024-01,1,,\n", r":2: StoreID: missing"),
        (HEADER + "S001,January,1,,\n", r":2: MonthYear: must be a month"),
    ],
)
def test_a_plan_that_cannot_be_followed_names_its_line(
    step: Callable[..., pd.DataFrame], plan: str, words: str
) -> None:
    with pytest.raises(StepError, match=words):
        step(plan)


def test_a_horizon_of_no_month_is_refused(step: Callable[..., pd.DataFrame]) -> None:
    with pytest.raises(StepError, match="1 to 60 months"):
        step(horizon=0)


def test_the_planners_file_holds_no_formula_and_opens_as_utf_8(
    step: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    table = step().head(1).assign(StoreID='=HYPERLINK("x")')
    assert for_planners(table)["StoreID"].tolist() == ['\'=HYPERLINK("x")']
    assert (tmp_path / "out/forecasts.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_totals_by_country_stand_beside_the_forecasts(step: Callable[..., pd.DataFrame], tmp_path: Path) -> None:
    table, sums = step(), pd.read_csv(tmp_path / "out/totals.csv")
    everything = sums[sums["Level"] == "all"].set_index("MonthYear")
    summed = table.groupby("MonthYear")["TotalSales"].sum().to_dict()
    assert everything["TotalSales"].to_dict() == pytest.approx(summed, abs=0.5)
    assert set(everything["Series"]) == {8}
    of_countries = sums[sums["Level"] == "country"]
    assert of_countries["Country"].notna().all()
    assert of_countries.groupby("MonthYear")["TotalSales"].sum().to_dict() == pytest.approx(
        everything["TotalSales"].to_dict()
    )


def test_a_missing_plan_ends_with_one_line(tmp_path: Path, inputs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flags = [f"--model={inputs / 'model'}", f"--monthly={inputs}", f"--contract={CONTRACT}", "--model-name=m"]
    flags += ["--model-version=1", f"--plan={tmp_path / 'none.csv'}", f"--forecasts={tmp_path / 'out'}"]
    assert run(lambda: main(flags)) == 2
    assert "none.csv: no such plan" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def warned(folder: Path) -> list[str]:
    return [f"{one['step']}: {one['message']}" for one in json.loads((folder / "out/warnings.json").read_text())]


def test_plan_rows_that_no_forecast_uses_bring_a_warning_with_the_reason(
    step: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    rows = ["S001,2024-01", "s001 ,2024-01", "X9,2024-01", "X9,2024-02", "S002,2023-12", "S002,2023-11", "S002,2024-09"]
    step(HEADER + "".join(f"{row},1,,\n" for row in rows))
    assert warned(tmp_path) == [
        'forecast: plan.csv: 3 rows of series without sales, not used: "X9", "s001 " (did you mean "S001"?)',
        "forecast: plan.csv: 2 rows of past months, not used: the first forecast is 2024-01",
        "forecast: plan.csv: 1 row of months after the last forecast, 2024-06, not used: raise the horizon",
    ]


def test_warnings_of_the_sales_stand_before_those_of_the_forecast(
    step: Callable[..., pd.DataFrame], inputs: Path, tmp_path: Path
) -> None:
    earlier = {"step": "aggregate", "message": "2024-01 is incomplete"}
    (inputs / "rows.json").write_text(json.dumps({"warnings": [earlier]}))
    try:
        step()
    finally:
        (inputs / "rows.json").unlink()
    assert warned(tmp_path) == [
        "aggregate: 2024-01 is incomplete",
        "forecast: No plan was given: prices stay as they are, and promotions count as unknown",
    ]


def test_sales_of_another_grain_than_the_model_s_are_refused(inputs: Path, tmp_path: Path) -> None:
    monthly = pd.read_parquet(inputs / "monthly.parquet").assign(Category="Food")
    monthly.to_parquet(tmp_path / "monthly.parquet")
    (tmp_path / "plan.csv").write_text(HEADER)
    flags = [f"--model={inputs / 'model'}", f"--monthly={tmp_path}", f"--contract={CONTRACT}"]
    flags += [f"--plan={tmp_path / 'plan.csv'}", f"--forecasts={tmp_path / 'out'}"]
    with pytest.raises(StepError, match="version 12 forecasts by store, the sales are summed by category"):
        main([*flags, "--model-name=demand-forecast", "--model-version=12"])


def test_the_model_is_judged_on_the_sales_that_it_forecasts_from(
    step: Callable[..., pd.DataFrame], tmp_path: Path
) -> None:
    step()
    comparison = health.read(tmp_path / "out")
    assert (comparison["name"], comparison["version"], comparison["until"]) == ("demand-forecast", "12", "2023-12")
    assert 0 < comparison["wape"] < 1 and comparison["seasonal_naive"] > 0
    assert comparison["is_worse"] == (comparison["wape"] > comparison["seasonal_naive"])
