"""Ordinary sequences of verbs that once ended with a wrong or unfair result and exit code 0."""

import json
import os
import re
import signal

import pandas as pd
import pytest

from e2e.checkout import Checkout, wait_for
from helpers_sales import promoted_sales

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = Checkout(tmp_path_factory.mktemp("home"))
    yield made
    made.make("stop")


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """CSV files of 30 months: what a forest learns and no naive forecast knows, and what a naive one knows exactly."""
    folder = tmp_path_factory.mktemp("sales")
    promoted_sales().to_csv(folder / "good.csv", index=False)
    starts = pd.date_range("2022-01-01", "2024-06-30", freq="ME")
    stores = [(f"X{number}", 90_000.0 * number) for number in (1, 2, 3)]
    rows = [{"SaleDate": start, "StoreID": name, "Quantity": sold} for start in starts for name, sold in stores]
    pd.DataFrame(rows).assign(SaleID=range(len(rows))).to_csv(folder / "constant.csv", index=False)
    return folder


def champions(checkout):
    """Model name -> version of its champion."""
    return {model["name"]: model["version"] for model in checkout.models() if model["tags"].get("champion") is not None}


def test_each_grain_has_models_a_champion_and_forecasts_of_its_own(checkout, sales):
    checkout.make("run-pipeline", f"SALES={sales / 'good.csv'}")
    output = checkout.make("run-pipeline", "GRAIN=category")
    assert checkout.verdict()["champion"] is None, "a store model does not compete with a category model"
    assert "is demand-forecast-category version 1" in output
    assert champions(checkout) == {"demand-forecast": "1", "demand-forecast-category": "1"}
    by_store, by_category = checkout.make("forecast"), checkout.make("forecast", "GRAIN=category")
    assert "... 48 forecasts in all" in by_store  # 8 stores, 6 months
    assert "All: 2024-07 " in by_store
    assert "... 96 forecasts in all" in by_category  # 2 categories each
    # Even where the call goes past make: the step itself compares the grains.
    settings = ["inputs.model.path=azureml:demand-forecast-category:1", "inputs.model_version=1"]
    words = ["--file", "ml/pipelines/forecast.yml", "--stream", "--output", "none", "--set", *settings]
    past = checkout.demand("ml", "job", "create", *words, code=1)
    assert "forecasts by category, the sales are summed by store: give the grain category" in past
    assert "GRAIN=shop: store, category or product" in checkout.make("run-pipeline", "GRAIN=shop", code=2)


def test_a_forecast_in_parts_goes_on_after_a_kill_in_every_step_and_is_that_of_one_step(checkout, sales):
    checkout.make("run-pipeline", f"SALES={sales / 'good.csv'}", "GRAIN=category")
    call = ("forecast", "GRAIN=category", "PARALLEL=2")
    for step in ("split", "forecast_parts", "forecast"):
        run = checkout.start(*call, strict="0")
        os.kill(wait_for(lambda step=step: checkout.running(step)), signal.SIGKILL)
        output, _ = run.communicate(timeout=120)
        assert run.returncode == 2 and f"{step}: was killed by signal 9" in output, output
    parts, whole = checkout.make(*call), checkout.make(*call[:2])
    assert parts.count("reused from") == 3  # all but forecast and publish
    assert forecasts_in(parts) == forecasts_in(whole) and len(forecasts_in(whole)) > 4


def forecasts_in(output):
    """The lines of `make forecast` that say forecasts, totals and warnings."""
    return [line for line in output.splitlines() if re.match(r"S\d|All: |\.\.\. |  - ", line)]


def test_a_champion_that_saw_the_hold_out_is_compared_by_its_recipe_and_an_unchanged_rerun_promotes_nothing(
    tmp_path_factory, sales
):
    own = Checkout(tmp_path_factory.mktemp("holdout"))
    try:
        assert "Promoted: " in own.make("run-pipeline", f"SALES={sales / 'good.csv'}")
        again = own.make("run-pipeline")
        assert "Unchanged: " in again and "Promoted" not in again
        # What is registered has learned from every month, so its recipe is what the months of any back-test judge.
        output = own.make("run-pipeline", "HOLDOUT_MONTHS=10")
        assert "Promoted" not in output and "does not beat champion" not in output
        entry = own.verdict()["champion"]
        assert entry["refitted"] is True
    finally:
        own.make("stop")


def test_a_champion_that_last_year_beats_is_named_and_its_forecasts_are_not_published(checkout, sales):
    checkout.make("run-pipeline", f"SALES={sales / 'good.csv'}")
    refused = checkout.make("run-pipeline", f"SALES={sales / 'constant.csv'}")
    assert "Not promoted:" in refused
    assert "demand-forecast version 1 is worse on these sales than the same month of last year: WAPE" in refused
    failed = checkout.make("forecast", code=2)
    assert "nothing is published" in failed and "FORCE=1" in failed
    assert "Traceback" not in failed
    assert "forecasts in all" in checkout.make("forecast", "FORCE=1")


def test_two_runs_at_once_end_with_their_own_verdicts(checkout, sales):
    """The later run is the last run; the earlier one must still tell its own end."""
    checkout.make("ready", f"SALES={sales / 'good.csv'}")
    first = checkout.start("run-pipeline", "HOLDOUT_MONTHS=4")
    wait_for(lambda: list(checkout.home.glob("runs/local/train-*.json")))
    second = checkout.start("run-pipeline", "HOLDOUT_MONTHS=5")
    outputs = [run.communicate(timeout=300)[0] for run in (first, second)]
    for output, held_out in zip(outputs, (4, 5), strict=True):
        (report,) = [line.removeprefix("Report: ") for line in output.splitlines() if line.startswith("Report: ")]
        verdict = json.loads((checkout.path(report).parent / "verdict.json").read_text())
        assert verdict["rows"]["holdout"] == 8 * held_out, output
