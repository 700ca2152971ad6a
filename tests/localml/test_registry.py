"""The model registry read from SQLite says what MLflow's own client says, and a step that died leaves no model."""

from urllib.parse import unquote

import pytest
from mlflow import MlflowClient

from localml import registry, tracking

MLFLOW_STEP = """
import pathlib, sys, mlflow
with mlflow.start_run() as run:
    mlflow.log_metric("wape", 0.1)
    pathlib.Path("MLmodel").write_text("flavors: {}")
    mlflow.log_artifact("MLmodel", "model")
    mlflow.register_model(f"runs:/{run.info.run_id}/model", "demand", tags={"recipe": "r"})
    __END__
"""


@pytest.fixture
def home(tracked_engine, monkeypatch):
    monkeypatch.setenv("LOCALML_HOME", str(tracked_engine.home))
    return tracked_engine


def client():
    return MlflowClient(tracking_uri=tracking.uri(), registry_uri=tracking.uri())


@pytest.mark.slow
def test_models_are_listed_as_mlflow_lists_them(home):
    for number in range(1, 12):
        home.write("model/MLmodel", f"flavors: {{}}\n# {number}\n")
        call = ["model", "create", "--name", "demand", "--path", "model", "--type", "mlflow_model"]
        if number in (1, 11):
            assert home.json(*call)["version"] == str(number)
        else:  # the registry alone, without the seconds that a process of its own takes
            client().create_model_version("demand", source=str(home.root / "model"))
    theirs = sorted(int(each.version) for each in client().search_model_versions("name = 'demand'"))
    ours = home.json("model", "list", "--name", "demand", "--query", "[].version")
    assert [int(version) for version in ours] == theirs[::-1]
    newest = home.json("model", "show", "--name", "demand", "--label", "latest")
    assert newest["version"] == "11"
    uri = client().get_model_version_download_uri("demand", "11")
    assert registry.get("demand", "11")["path"] == unquote(uri.removeprefix("file://"))
    home.run("model", "download", "--name", "demand", "--version", "11", "--download-path", "got")
    assert (home.root / "got/demand/MLmodel").read_text().endswith("# 11\n")


@pytest.mark.slow
def test_the_alias_champion_shows_as_a_tag_of_its_bearer_alone(home):
    for _ in range(2):
        home.write("model/MLmodel", "flavors: {}\n")
        home.json("model", "create", "--name", "crowned", "--path", "model", "--type", "mlflow_model")
    mlflow = client()
    mlflow.set_model_version_tag("crowned", "2", "champion", "2026-11-24")
    mlflow.set_registered_model_alias("crowned", "champion", "2")
    tags = {each["version"]: each["tags"] for each in home.json("model", "list", "--name", "crowned")}
    assert (tags["1"].get("champion"), tags["2"]["champion"]) == (None, "2026-11-24")
    mlflow.set_registered_model_alias("crowned", "champion", "1")  # as a person does on MLflow's page
    tags = {each["version"]: each["tags"] for each in home.json("model", "list", "--name", "crowned")}
    assert ("champion" in tags["1"], "champion" in tags["2"]) == (True, False)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["raise SystemExit(1)", "import os; os.kill(os.getpid(), 9)"])
def test_a_step_that_dies_after_it_registered_leaves_no_model(home, end):
    home.component("keep", MLFLOW_STEP.replace("__END__", "pass"))
    home.component("die", MLFLOW_STEP.replace("__END__", end))
    home.pipeline({"keep": {"component": "keep.yml"}})
    home.job()
    home.pipeline({"die": {"component": "die.yml"}})
    home.run("job", "create", "--file", "pipeline.yml", "--stream", code=1)
    kept = home.json("model", "list", "--name", "demand")
    assert [(each["version"], each["tags"]) for each in kept] == [("1", {"recipe": "r"})]
    runs = client().search_runs([client().get_experiment_by_name("tests").experiment_id])
    steps = {run.data.tags["localml.step"]: run.info.status for run in runs if "localml.step" in run.data.tags}
    assert steps == {"keep": "FINISHED", "die": "FAILED"}


def test_without_a_store_there_are_no_models(tmp_path, monkeypatch):
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    assert registry.versions("demand") == []
    assert not registry.has_experiment("tests")
