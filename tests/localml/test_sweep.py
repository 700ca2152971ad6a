"""A sweep runs its trials, compares the metric of each, and hands on the outputs of the best."""

import math
import re
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from localml import search_space

ENV = "azureml:env:1"
# Logs the metric as MLflow's client would, straight into the store: this test's environment need not have MLflow.
LOG = (
    "import os, sqlite3, sys, time\n"
    "store = sqlite3.connect(os.environ['MLFLOW_TRACKING_URI'].removeprefix('sqlite:///'), timeout=30)\n"
    "x = float(sys.argv[1])\n"
    "if x > 90: sys.exit(3)\n"
    "row = ('loss', (x - 3) ** 2, 0, os.environ['MLFLOW_RUN_ID'], 0, 0)\n"
    "names = 'key, value, timestamp, run_uuid, step, is_nan'\n"
    "store.execute(f'insert into metrics ({names}) values (?, ?, ?, ?, ?, ?)', row)\n"
    "store.commit()\n"
    "open(f'{sys.argv[2]}/x', 'w').write(sys.argv[1] + ' ' + os.environ['AZUREML_SWEEP_x'])\n"
)


def spec(**more: Any) -> dict[str, Any]:
    command = "python log.py ${{search_space.x}} ${{outputs.model}}"
    return {
        "type": "sweep",
        "trial": {"code": "src", "command": command, "environment": ENV},
        "sampling_algorithm": "grid",
        "search_space": {"x": {"type": "choice", "values": [1, 2, 4.5, 99]}},
        "objective": {"primary_metric": "loss", "goal": "minimize"},
        "limits": {"max_total_trials": 4, "max_concurrent_trials": 2},
        "outputs": {"model": {"type": "uri_folder"}},
        **more,
    }


@pytest.fixture
def project(engine: Any) -> Any:
    engine.write("src/log.py", LOG)
    with sqlite3.connect(engine.home / "mlflow.db") as store:
        store.execute("create table metrics (key, value, timestamp, run_uuid, step, is_nan)")
    return engine


def test_the_outputs_of_the_best_trial_are_those_of_a_sweep_job(project: Any) -> None:
    project.write("pipeline.yml", {**spec(), "experiment_name": "tests"})
    job = project.job()
    assert (Path(job["outputs"]["model"]["path"]) / "x").read_text() == "2 2"
    said = Path(job["jobs"]["main"]["log"]).read_text()
    assert "trial 3: x=99: ended with exit code 3" in said and "the best is trial 1" in said


def test_a_step_reads_what_the_best_trial_of_a_component_wrote(project: Any) -> None:
    component = {"name": "t", "version": "1", "type": "command", "environment": ENV}
    component |= {"additional_includes": ["../src/log.py"]}
    component |= {"inputs": {"x": {"type": "number"}}, "outputs": {"model": {"type": "uri_folder"}}}
    project.write("parts/t.yml", {**component, "command": "python log.py ${{inputs.x}} ${{outputs.model}}"})
    node = spec(trial="./parts/t.yml", objective={"primary_metric": "loss", "goal": "maximize"})
    del node["outputs"]
    source = {"type": "uri_folder", "path": "${{parent.jobs.a.outputs.model}}"}
    read = {"type": "command", "command": "cat ${{inputs.m}}/x", "environment": ENV, "inputs": {"m": source}}
    project.pipeline({"a": node, "b": read})
    assert Path(project.job()["jobs"]["b"]["log"]).read_text() == "1 1"


def test_trials_that_fall_behind_end_early_and_the_best_still_counts(project: Any) -> None:
    slow = LOG.replace("store.commit()", "store.commit(); time.sleep(60 if x == 99 else 0)").replace("x > 90", "False")
    project.write("src/log.py", slow)
    policy = {"type": "bandit", "slack_amount": 10}
    limits = {"max_total_trials": 4, "max_concurrent_trials": 2}
    project.write("pipeline.yml", {**spec(early_termination=policy, limits=limits), "experiment_name": "tests"})
    job = project.job()
    said = Path(job["jobs"]["main"]["log"]).read_text()
    assert "trial 3: x=99: ended early after 1 values, the last 9216" in said
    assert (Path(job["outputs"]["model"]["path"]) / "x").read_text() == "2 2"


def test_bayesian_sampling_comes_nearer_to_the_best_from_trial_to_trial(project: Any) -> None:
    space = {"x": {"type": "uniform", "min_value": -20, "max_value": 20}}
    limits = {"max_total_trials": 24, "max_concurrent_trials": 2}
    algorithm = {"type": "bayesian", "seed": 1}
    more = spec(sampling_algorithm=algorithm, search_space=space, limits=limits)
    project.write("pipeline.yml", {**more, "experiment_name": "tests"})
    tried = re.findall(r"x=(\S+): loss", Path(project.job()["jobs"]["main"]["log"]).read_text())
    distances = [abs(float(each) - 3) for each in tried]
    assert len(distances) == 24
    assert sum(distances[-8:]) < sum(distances[:8]) / 2


def test_a_sweep_without_the_metric_fails_and_says_so(project: Any) -> None:
    objective = {"primary_metric": "accuracy", "goal": "maximize"}
    project.write("pipeline.yml", {**spec(objective=objective), "experiment_name": "tests"})
    said = project.run("job", "create", "--file", "pipeline.yml", "--stream", code=1).stderr
    assert "no trial ended well with the metric accuracy" in said


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"sampling_algorithm": "genetic"}, "sampling_algorithm genetic is not one of random, grid, bayesian"),
        (
            {"sampling_algorithm": "bayesian", "search_space": {"x": {"type": "randint", "upper": 3}}},
            "bayesian sampling takes type choice, uniform, quniform only",
        ),
        (
            {"sampling_algorithm": "bayesian", "early_termination": {"type": "median_stopping"}},
            "bayesian sampling has no early termination",
        ),
        ({"early_termination": {"type": "bandit"}}, "a bandit policy needs slack_factor or slack_amount"),
        ({"early_termination": {"type": "truncation_selection"}}, "needs truncation_percentage, 1 to 99"),
        (
            {"search_space": {"x": {"type": "choise", "values": [1]}}},
            "search_space.x: type choise is not one of choice",
        ),
        ({"search_space": {"x": {"type": "uniform", "min_value": 1}}}, "uniform has the fields min_value, max_value"),
        ({"search_space": {"x": {"type": "randint", "upper": 3}}}, "grid sampling takes type choice only"),
        ({"objective": {"primary_metric": "loss", "goal": "down"}}, "objective.goal"),
        ({"resources": {"instance_count": 2}}, "resources: not a field here"),
    ],
)
def test_an_invalid_sweep_is_refused_before_a_trial_runs(engine: Any, more: dict[str, Any], message: str) -> None:
    engine.write("src/log.py", LOG)
    engine.write("pipeline.yml", {**spec(**more), "experiment_name": "tests"})
    said = engine.run("job", "create", "--file", "pipeline.yml", "--stream", code=2).stderr
    assert said.startswith("error: pipeline.yml:") and message in said


@pytest.mark.parametrize(
    ("space", "point", "value"),
    [
        ({"type": "choice", "values": ["a", "b"]}, 0.5, "b"),
        ({"type": "randint", "upper": 4}, 0.999, 3),
        ({"type": "uniform", "min_value": -1, "max_value": 3}, 0.25, 0),
        ({"type": "quniform", "min_value": 1, "max_value": 10, "q": 2}, 0.5, 6),
        ({"type": "loguniform", "min_value": -2, "max_value": 0}, 0.5, math.exp(-1)),
        ({"type": "normal", "mu": 5, "sigma": 2}, 0.5, 5),
        ({"type": "qlognormal", "mu": 0, "sigma": 1, "q": 0.5}, 0.5, 1),
    ],
)
def test_a_distribution_gives_its_quantile(space: dict[str, Any], point: float, value: Any) -> None:
    assert search_space.at(space, point) == (pytest.approx(value) if isinstance(value, float) else value)
