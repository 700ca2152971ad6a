"""The register step reads the verdict and nothing else, registers once, and says why it does not."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from mlflow import MlflowClient

from demand.errors import StepError
from demand.grain import MODEL_NAME
from forecasting.features import model_frame
from forecasting.forests import Settings, fit
from forecasting.packing import save
from forecasting.prepare import add_features, split
from helpers_sales import monthly_sales
from judging import provenance
from judging.register import crown, describe, main
from provenance import keys

SCORE = {"one_step": {"wape": 0.1, "mae": 1.0, "rmse": 1.0, "r2": 0.9}, "coverage_p10_p90": 0.8}
SCORE["multi_step"] = SCORE["one_step"]


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("selected") / "model"
    train, _ = split(add_features(monthly_sales(stores=4, months=20)), 6)
    fitted, metadata = fit(Settings("history", n_estimators=10), train)
    save(fitted, model_frame(train.tail(2), metadata["features"]), metadata, folder)
    return folder


@pytest.fixture
def step(model, tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.chdir(tmp_path)

    def call(promoted, selected="history", report="report"):
        verdict = {
            "promoted": promoted, "reasons": ["because"], "selected": selected, "model": None, "champion": None,
            "candidates": {selected: SCORE}, "baselines": {"last_month": SCORE},
            "rows": {"read": 1, "quarantined": 0, "train": 1, "holdout": 1},
            "months": {"train": ["2022-01", "2022-12"], "holdout": ["2023-01", "2023-06"]},
            "by_country": {}, "importance": {"Lag1": 0.1}, "features": ["StoreID"], "ranked_by": "wape",
        }  # fmt: skip
        (tmp_path / "verdict").mkdir(exist_ok=True)
        (tmp_path / "verdict/verdict.json").write_text(json.dumps(verdict))
        flags = {"verdict": tmp_path / "verdict", "selected": model, "report": tmp_path / report}
        flags |= {"model-name": MODEL_NAME, "data-version": "7", "git-commit": "abc", "recipe": "r1"}
        (tmp_path / "monthly").mkdir(exist_ok=True)
        (tmp_path / "monthly/monthly.parquet").write_bytes(b"rows")
        flags |= {"monthly": tmp_path / "monthly", "as-of": "2026-12-01Z"}
        assert main([f"--{name}={value}" for name, value in flags.items()]) == 0
        return json.loads((tmp_path / report / "verdict.json").read_text())

    return call


def versions():
    return MlflowClient().search_model_versions("name = 'demand-forecast'")


@pytest.mark.slow
def test_a_promoted_model_is_registered_once_with_its_lineage(step, tmp_path):
    assert step(True)["model"] == {"name": "demand-forecast", "version": "1"}
    assert step(True, report="again")["model"] == {"name": "demand-forecast", "version": "1"}
    (version,) = versions()
    assert {version.tags[name] for name in ("data_version", "git_commit", "recipe")} == {"7", "abc", "r1"}
    card = (tmp_path / "report/model_card.md").read_text()
    assert "history" in card
    assert "abc" in card


@pytest.mark.slow
def test_a_model_registered_without_a_key_is_registered_again_once_there_is_one(step, tmp_path, monkeypatch):
    monkeypatch.delenv("MODEL_SIGNING_KEY", raising=False)
    assert step(True)["model"]["version"] == "1"
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path / "home"))
    keys.give_to_jobs()
    assert step(True, report="signed")["model"]["version"] == "2"
    assert step(True, report="again")["model"]["version"] == "2"
    assert {version.version: version.tags.get("signed") for version in versions()} == {1: None, 2: "yes"}
    folder = MlflowClient().get_run(next(each.run_id for each in versions() if each.version == 2)).info.artifact_uri
    provenance.verify(Path(folder.removeprefix("file://")) / "model", keys.trusted(True))


@pytest.mark.slow
def test_the_promoted_model_bears_the_alias_even_when_an_older_one_wins_again(step):
    step(True)
    client = MlflowClient()
    client.create_model_version("demand-forecast", source="elsewhere")
    client.set_registered_model_alias("demand-forecast", "champion", "2")
    assert step(True, report="again")["model"]["version"] == "1"
    assert client.get_model_version_by_alias("demand-forecast", "champion").version in (1, "1")


@pytest.mark.slow
def test_the_tags_of_a_version_say_what_it_was_compared_with(step):
    step(True)
    (version,) = versions()
    assert version.tags["compared_with"] == "none"


def test_on_azure_the_champion_is_a_tag_since_its_registry_has_no_aliases(monkeypatch):
    calls = []

    class Client:
        def set_model_version_tag(self, *words):
            calls.append(words)

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "azureml://eastus2.api.azureml.ms/mlflow/v1.0/x")
    crown(Client(), "demand-forecast", "3", datetime(2026, 11, 24, 5, tzinfo=UTC))
    assert calls == [("demand-forecast", "3", "champion", "2026-11-24T05:00:00+00:00")]


@pytest.mark.slow
def test_a_refused_model_is_not_registered(step):
    assert step(False)["model"] is None
    assert versions() == []


def test_a_verdict_about_another_model_is_an_error(step):
    with pytest.raises(StepError, match="but the verdict is about other"):
        step(True, selected="other")


def test_the_card_is_shown_on_the_page_of_the_version(step, tmp_path):
    step(promoted=True)
    (version,) = versions()
    assert version.description == (tmp_path / "report/model_card.md").read_text(encoding="utf-8")


def test_a_registry_that_takes_no_description_registers_all_the_same(caplog):
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    class Client:
        def update_model_version(self, *_, **__):
            raise MlflowException("not supported")

    describe(Client(), "demand-forecast", "3", "# card")
    assert "The card is not shown on the page of demand-forecast:3: not supported" in caplog.text
