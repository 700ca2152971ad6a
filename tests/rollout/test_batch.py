"""What the batch job forecast, as the rollout finds, reads and compares it."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from amlspec.errors import UserError
from rollout import batch
from rollout.batch import Result
from serving_kit import Shop
from serving_models import GOOD, OTHER

ROW = {"StoreID": "S1", "MonthYear": "2026-12", "TotalSales": 100.0}
FORECAST = """
import argparse, pathlib
parser = argparse.ArgumentParser()
for name in ("rows", "model_name", "model_version", "forecasts"):
    parser.add_argument("--" + name)
args = parser.parse_args()
pathlib.Path(args.forecasts).mkdir(exist_ok=True)
(pathlib.Path(args.forecasts) / "part.parquet").write_bytes(pathlib.Path(args.rows).read_bytes())
"""


def result(*rows: dict[str, Any]) -> Result:
    return Result("batch.csv", list(rows), given=True)


def test_endpoint_and_batch_agree_up_to_a_relative_limit() -> None:
    expected = {("S1", "2026-12"): 100_000.0, ("S9", "2026-12"): 1.0}
    assert batch.problems([{**ROW, "TotalSales": 100_090.0}], expected, 1e-3) == []
    assert "S1" in batch.problems([{**ROW, "TotalSales": 100_110.0}], expected, 1e-3)[0]


@pytest.mark.parametrize(
    ("origin", "known", "is_reported"),
    [("2026-10", "2026-10", False), ("2026-10", "2026-09", True), ("", "2026-09", False), ("2026-10", None, False)],
)
def test_forecasts_from_another_month_cannot_agree(origin: str, known: str | None, is_reported: bool) -> None:
    problem = result({**ROW, "Origin": origin}).origin_problem({"model": {"known_until": known}})
    assert (problem is not None) == is_reported


def test_the_first_stores_are_asked_with_what_was_planned_for_them() -> None:
    planned = {"Price": "4.5", "Promotion": "True", "Holiday": "", "City": "Boston"}
    stores = [{**ROW, "StoreID": f"S{number}", **planned} for number in range(batch.STORES + 1)]
    asked = result(*stores, {**ROW, "StoreID": "S0", "MonthYear": "2027-01"}).request()["input_data"]
    assert asked[0] == {"StoreID": "S0", "MonthYear": "2026-12", "Price": 4.5, "Promotion": True}
    assert [row["StoreID"] for row in asked] == [*(f"S{number}" for number in range(batch.STORES)), "S0"]


@pytest.mark.parametrize("name", ["batch.csv", "batch.parquet", "folder"])
def test_a_batch_result_is_read_from_csv_parquet_or_its_folder(tmp_path: Path, name: str) -> None:
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame({"StoreID": ["001"], "MonthYear": ["2026-12"], "TotalSales": [5.5]})
    target = tmp_path / name
    if name == "folder":
        target.mkdir()
        frame.to_parquet(target / "part.parquet")
    else:
        frame.to_csv(target, index=False) if name.endswith("csv") else frame.to_parquet(target)
    assert batch.read(target).expected() == {("001", "2026-12"): 5.5}


def test_a_batch_result_of_another_shape_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("StoreID,Month\n1,2\n")
    with pytest.raises(UserError, match="has StoreID, MonthYear and TotalSales"):
        batch.read(tmp_path / "x.csv")


def forecast_job(shop: Shop, name: str, factor: float, version: str = OTHER, origin: str = "") -> None:
    """A completed batch job of a version, whose forecasts are `factor` times the live ones."""
    import pandas as pd  # noqa: PLC0415

    rows = [
        {**row, "TotalSales": row["TotalSales"] * factor, "Origin": origin} for row in shop.ask().json["predictions"]
    ]
    pd.DataFrame(rows)[["StoreID", "MonthYear", "TotalSales", "Origin"]].to_parquet(shop.root / "rows.parquet")
    (shop.root / "code").mkdir(exist_ok=True)
    (shop.root / "code/forecast.py").write_text(FORECAST)
    flags = [f"--{name} ${{{{inputs.{name}}}}}" for name in ("rows", "model_name", "model_version")]
    inputs = {"rows": {"type": "uri_file"}, "model_name": {"type": "string"}, "model_version": {"type": "string"}}
    component = {
        "name": "forecast",
        "version": "1",
        "type": "command",
        "inputs": inputs,
        "outputs": {"forecasts": {"type": "uri_folder"}},
        "code": "code",
        "environment": "azureml:shop-env:1",
        "command": f"python forecast.py {' '.join(flags)} --forecasts ${{{{outputs.forecasts}}}}",
    }
    (shop.root / "component.yml").write_text(yaml.safe_dump(component))
    (shop.root / "environment.yml").write_text("name: shop-env\nversion: '1'\nimage: python:3.11\n")
    step = {"type": "command", "component": "component.yml"}
    step["inputs"] = {each: f"${{{{parent.inputs.{each}}}}}" for each in inputs}
    step["outputs"] = {"forecasts": "${{parent.outputs.forecasts}}"}
    values = {
        "rows": {"type": "uri_file", "path": "rows.parquet"},
        "model_name": "shop-model",
        "model_version": version,
    }
    pipeline = {"type": "pipeline", "display_name": batch.JOBS[0], "experiment_name": "shop", "inputs": values}
    pipeline |= {"outputs": {"forecasts": {"type": "uri_folder"}}, "jobs": {"forecast": step}}
    (shop.root / "forecast.yml").write_text(json.dumps(pipeline))
    shop.run("environment", "create", "--file", "environment.yml", "--output", "none")
    shop.run("job", "create", "--file", "forecast.yml", "--name", name, "--stream", "--output", "none")


@pytest.fixture
def live_shop(bare_shop: Shop) -> Shop:
    """Version 1 is live on blue."""
    bare_shop.rollout("deploy", "--model-version", GOOD)
    return bare_shop


@pytest.mark.slow
def test_the_newest_batch_job_of_the_version_is_compared_by_itself(live_shop: Shop) -> None:
    forecast_job(live_shop, "forecast-of-another", 5.0, version=GOOD)
    assert "agree with" not in live_shop.rollout("deploy", "--model-version", OTHER)
    live_shop.rollout("rollback")
    forecast_job(live_shop, "forecast-1", 1.01)
    assert "2 forecasts agree with job forecast-1" in live_shop.rollout("deploy", "--model-version", OTHER)


@pytest.mark.slow
def test_a_version_that_its_own_batch_job_contradicts_is_taken_back(live_shop: Shop) -> None:
    forecast_job(live_shop, "forecast-1", 1.2)
    said = live_shop.rollout("deploy", "--model-version", OTHER, code=1)
    assert "batch forecast" in said
    assert "blue has all traffic" in said


@pytest.mark.slow
def test_a_batch_job_on_newer_sales_is_reported_and_not_compared(live_shop: Shop) -> None:
    forecast_job(live_shop, "forecast-1", 1.2, origin="2099-01")
    said = live_shop.rollout("deploy", "--model-version", OTHER)
    assert "not compared with the batch result: job forecast-1 forecasts from 2099-01" in said
