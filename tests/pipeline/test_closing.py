"""The end of a run repeats every step's warnings and counts them, on either engine."""

import json

import pytest

from amlspec.errors import UserError
from forecasting.verdict import Verdict
from pipeline import azml, closing, forecast, imported

DECIDED = {"promoted": False, "selected": "history"}
WARNING = {"step": "aggregate", "message": "2024-02 is incomplete"}


def test_warnings_are_repeated_and_counted_in_the_last_line():
    verdict = {**DECIDED, "seconds": {"aggregate": 1.0, "prepare": None}, "warnings": [WARNING]}
    assert closing.of_verdict(Verdict.of(verdict)) == [
        "Warnings:",
        "  - aggregate: 2024-02 is incomplete",
        "PASS=2 WARN=1 ERROR=0",
    ]


def test_a_verdict_of_an_earlier_release_has_no_warnings():
    assert closing.of_verdict(Verdict.of({**DECIDED, "seconds": {"aggregate": 1.0}})) == ["PASS=1 WARN=0 ERROR=0"]


def test_make_forecast_ends_with_the_warnings_beside_its_files(tmp_path, monkeypatch):
    (tmp_path / "warnings.json").write_text(json.dumps([WARNING]))
    (tmp_path / "forecasts.csv").write_text("StoreID,MonthYear,TotalSales,P10,P90\nS001,2024-03,5,4,6\n")
    record = {"name": "f-1", "outputs": {"forecasts": {"path": str(tmp_path)}}, "jobs": {"aggregate": {}, "x": {}}}
    monkeypatch.setattr(azml, "call", lambda *_, **__: record)
    assert forecast.lines("f-1")[-3:] == ["Warnings:", "  - aggregate: 2024-02 is incomplete", "PASS=2 WARN=1 ERROR=0"]


@pytest.fixture
def azure(monkeypatch, tmp_path):
    """A workspace whose output is downloaded, nested as the CLI lays it; None: the download fails."""
    answers = {"warnings": [WARNING]}
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))

    def call(*words, **_):
        record = {"name": "f-1", "outputs": {"forecasts": {"path": "azureml://datastores/x"}}, "jobs": {"a": {}}}
        return record if words == ("job", "show") else []

    def run(*_, download_path, **__):
        if answers["warnings"] is None:
            raise UserError("az ml job download: quota exceeded", 1)
        folder = download_path / "named-outputs/forecasts"
        folder.mkdir(parents=True)
        (folder / "warnings.json").write_text(json.dumps(answers["warnings"]))

    monkeypatch.setattr(azml, "call", call)
    monkeypatch.setattr(azml, "run", run)
    return answers


def test_on_azure_the_warnings_are_fetched(azure):
    assert forecast.lines("f-1")[1:] == ["Warnings:", "  - aggregate: 2024-02 is incomplete", "PASS=1 WARN=1 ERROR=0"]


def test_warnings_that_cannot_be_fetched_are_said_and_end_nothing(azure):
    azure["warnings"] = None
    (line,) = forecast.lines("f-1")[1:]
    assert "could not be read" in line
    assert "az ml job download: quota exceeded" in line


@pytest.mark.parametrize(
    ("sales", "day"),
    [
        ({"creation_context": {"created_at": "2026-11-24T23:30:00+00:00"}}, "2026-11-24Z"),
        ({"creation_context": {"created_at": "2026-11-24T23:30:00.123456Z"}}, "2026-11-24Z"),
        ({"creation_context": {"created_at": "2026-11-24T23:30:00-07:00"}}, "2026-11-25Z"),
        ({"creation_context": {"created_at": "2026-11-24T23:30:00"}}, "2026-11-24Z"),
        ({"creation_context": None}, "none"),
        ({}, "none"),
        (None, "none"),
    ],
)
def test_the_day_of_the_import_is_that_of_the_version_and_none_where_it_has_no_time(sales, day):
    assert imported.day(sales) == day
