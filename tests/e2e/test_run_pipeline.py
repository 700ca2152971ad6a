"""`make run-pipeline` as a person runs it: good sales, bad sales, and a process killed in every step."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from e2e.checkout import Checkout, wait_for
from helpers_sales import daily_sales

ROOT = Path(__file__).parents[2]
STEPS = ("aggregate", "prepare", "train_booster", "train_blend", "evaluate", "register")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    made = Checkout(tmp_path_factory.mktemp("home"))
    yield made
    made.make("stop")


@pytest.fixture(scope="module")
def sales(tmp_path_factory):
    """A folder with good sales in it: 6 stores, 30 months, one line a day."""
    folder = tmp_path_factory.mktemp("sales")
    daily_sales(stores=6, first="2022-01-01", last="2024-06-30").to_csv(folder / "good.csv", index=False)
    return folder


def test_a_process_killed_in_every_step_leaves_nothing_and_the_next_run_goes_on(checkout, sales):
    # Fewer months to judge by: what is trained is not looked at.
    verb = ("run-pipeline", f"SALES={sales / 'good.csv'}", "HOLDOUT_MONTHS=3")
    for step in ("import", *STEPS):
        run = checkout.start(*verb, strict="0")
        os.kill(wait_for(lambda step=step: checkout.running(step)), signal.SIGKILL)
        output, _ = run.communicate(timeout=120)
        assert run.returncode == 2
        assert f"{step}: was killed by signal 9" in output, output
        assert f"failed in {step}; finished steps are kept for the next run" in output
        assert checkout.models() == []
    output = checkout.make(*verb)
    assert output.count("reused from") == 8  # all but register
    assert checkout.verdict()["rows"]["quarantined"] == 0


def test_an_interrupt_ends_the_run_and_the_next_one_goes_on(checkout, sales):
    run = checkout.start("run-pipeline", "HOLDOUT_MONTHS=5")
    wait_for(lambda: checkout.running("evaluate"))
    os.killpg(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "error: interrupted; nothing half-written is kept" in output
    assert checkout.running("evaluate") is None
    assert "train_history: reused" in checkout.make("run-pipeline", "HOLDOUT_MONTHS=5")


def test_a_sweep_says_which_settings_to_try_and_registers_nothing(checkout, sales):
    before = checkout.models()
    output = checkout.make("sweep", f"SALES={sales / 'good.csv'}", "TRIALS=2")
    assert "Best of the trials: WAPE" in output
    assert checkout.models() == before


def test_a_refused_gate_ends_well_registers_nothing_and_when_strict_ends_with_3(checkout, sales):
    """Every store sells the same every month: the naive forecasts are exact, and nothing can beat them."""
    starts = pd.date_range("2022-01-01", "2024-06-30", freq="ME")
    stores = [(f"S{number}", 100.0 * number) for number in (1, 2, 3)]
    rows = [{"SaleDate": start, "StoreID": name, "Quantity": sold} for start in starts for name, sold in stores]
    pd.DataFrame(rows).assign(SaleID=range(len(rows))).to_csv(sales / "constant.csv", index=False)
    before = checkout.models()
    output = checkout.make("run-pipeline", f"SALES={sales / 'constant.csv'}")
    assert "Not promoted:" in output
    assert "does not beat last_month: WAPE" in output
    verdict = checkout.verdict()
    assert (verdict["promoted"], verdict["model"]) == (False, None)
    assert checkout.models() == before
    # make ends with 2 for any failed recipe and names the program's own code.
    assert "Error 3" in checkout.make("run-pipeline", "STRICT=1", code=2)
    checkout.demand("run-pipeline", "--strict", code=3)


def test_mlflows_page_opens_on_machine_learning_and_each_candidate_has_its_own_figures(checkout):
    client = MlflowClient(f"sqlite:///{checkout.home}/mlflow.db")
    (experiment,) = client.search_experiments(filter_string="name = 'demand-forecast'")
    assert experiment.tags["mlflow.experimentKind"] == "custom_model_development"
    runs = client.search_runs([experiment.experiment_id], max_results=500)
    trained = [run for run in runs if run.info.run_name == "train_booster" and run.info.status == "FINISHED"]
    assert trained
    assert {"wape", "wape_1_to_6_months", "wape_with_plan", "model_mb"} <= trained[0].data.metrics.keys()
    assert trained[0].info.end_time > trained[0].info.start_time
    jobs = {run.info.run_id for run in runs if "mlflow.parentRunId" not in run.data.tags}
    assert {run.data.tags["mlflow.parentRunId"] for run in trained} <= jobs, "one parent run for each job"


def test_an_edited_import_spec_is_imported_anew(checkout):
    """What is imported follows the spec, not only the warehouse."""
    spec = ROOT / "ml/data/sales.import.yml"
    checkout.make("ready")
    before, text = checkout.data_versions(), spec.read_text()
    checkout.make("ready")
    assert checkout.data_versions() == before
    edited = checkout.home / "ml-data"
    edited.mkdir()
    (edited / "sales.import.yml").write_text(text + "# edited\n")
    checkout.make("ready", f"IMPORT_SPECS={edited / 'sales.import.yml'}")
    assert checkout.data_versions() == before + 1


def test_the_cli_verb_of_a_data_import_does_what_import_data_does(checkout):
    before = checkout.data_versions()
    checkout.make("start-warehouse")
    checkout.demand("ml", "data", "import", "--file", "ml/data/sales.import.yml", "--output", "none")
    assert checkout.data_versions() == before + 1


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda frame: frame.drop(columns="Quantity"), "Quantity"),
        (lambda frame: frame.head(0), "no rows"),
        (lambda frame: frame.assign(Price=-1.0), "Price"),
        (lambda frame: frame.assign(SaleDate="32/13/2024"), "SaleDate"),
        (lambda frame: frame[frame["SaleDate"] < "2022-02-01"], "1 complete month"),
    ],
    ids=["missing column", "empty table", "all rows bad", "unparsable dates", "one month"],
)
def test_bad_sales_end_with_one_line_and_the_next_run_works(checkout, sales, edit, message):
    frame = edit(daily_sales(stores=2, first="2022-01-01", last="2022-03-31"))
    frame.to_csv(sales / "bad.csv", index=False)
    before = sorted(checkout.home.glob("assets/data/sales/*/asset.json"))
    output = checkout.make("run-pipeline", f"SALES={sales / 'bad.csv'}", code=2)
    errors = [line for line in output.splitlines() if "error: " in line]
    assert any(message in line for line in errors), output
    assert "Traceback" not in output
    if message != "1 complete month":  # one month is good sales, and too few to learn from
        assert sorted(checkout.home.glob("assets/data/sales/*/asset.json")) == before
    output = checkout.make("run-pipeline", f"SALES={sales / 'good.csv'}")
    assert "Report: " in output


def test_a_broken_line_in_the_middle_of_200_000_is_quarantined_and_the_rest_is_learned_from(checkout, sales):
    frame = daily_sales(stores=70, first="2022-01-01", last="2024-06-30").head(63_000)
    lines = frame.to_csv(index=False).splitlines()
    body = lines[1:]
    # Unique ids for three more copies of the rows: 252 000 lines.
    copies = [f"{number}{line[line.index(',') :]}" for number, line in enumerate(body * 4)]
    copies.insert(100_000, 'not,a "row')
    (sales / "large.csv").write_text("\n".join([lines[0], *copies]) + "\n")
    checkout.make("run-pipeline", f"SALES={sales / 'large.csv'}")
    assert checkout.verdict()["rows"]["read"] == len(copies) - 1
    kept = [path.read_text() for path in checkout.home.glob("quarantine/large*.csv")]
    assert any("100002" in text and "not,a" in text for text in kept), kept
