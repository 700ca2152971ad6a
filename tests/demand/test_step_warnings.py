"""Warnings are logged where they happen and travel with the data from step to step."""

import json
import logging
from pathlib import Path

import pytest

from demand.step_warnings import StepWarnings, of_rows
from forecasting import prepare
from helpers_sales import monthly_sales

EARLIER = {"step": "aggregate", "message": "2024-02 is incomplete"}


def test_a_warning_is_logged_and_kept_after_those_of_the_steps_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    warnings = StepWarnings("forecast", [EARLIER])
    warnings.add("100 % of the plan is unused")
    warnings.write(tmp_path)
    entries = json.loads((tmp_path / "warnings.json").read_text())
    assert entries == [EARLIER, {"step": "forecast", "message": "100 % of the plan is unused"}]
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, "100 % of the plan is unused")
    ]


def test_an_output_of_an_earlier_release_has_no_warnings(tmp_path: Path) -> None:
    assert of_rows(tmp_path) == []
    (tmp_path / "rows.json").write_text('{"read": 3}')
    assert of_rows(tmp_path) == []


def test_prepare_hands_the_warnings_of_aggregate_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monthly_sales(stores=2, months=24).to_parquet(tmp_path / "monthly.parquet")
    (tmp_path / "rows.json").write_text(json.dumps({"read": 9, "quarantined": 0, "warnings": [EARLIER]}))
    folders = [f"--train={tmp_path / 'train'}", f"--holdout={tmp_path / 'holdout'}"]
    assert prepare.main([f"--monthly={tmp_path}", *folders]) == 0
    assert of_rows(tmp_path / "train") == [EARLIER]
