"""The verdict is a value that is read and written in one place, and a broken file of one is an error of one line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from demand.errors import StepError
from forecasting import verdict
from forecasting.verdict import Errors, Figures, Further, Verdict

ENTRY = Figures(
    Errors(0.0605, 444.6, 717.04, 0.967),
    Errors(wape=0.0898),
    coverage_p10_p90=0.8,
    one_step_with_plan=Errors(wape=0.05),
    further=Further(bias=-0.01, mase=0.7),
)
VERDICT = Verdict(True, "history", ("beats all",), {"history": ENTRY}, {"last_month": ENTRY}, features=("Lag1",))


def test_a_written_verdict_is_read_as_it_was(tmp_path: Path) -> None:
    verdict.write(VERDICT, tmp_path)
    assert verdict.read(tmp_path) == VERDICT


def test_figures_that_are_not_finite_become_null(tmp_path: Path) -> None:
    odd = Figures(Errors(wape=float("nan"), mae=1.5), Errors(rmse=float("inf")))
    verdict.write(Verdict(False, "x", (), {"x": odd}, {}), tmp_path)
    written = json.loads((tmp_path / "verdict.json").read_text())["candidates"]["x"]
    assert written["one_step"] == {"wape": None, "mae": 1.5, "rmse": None, "r2": None}
    assert written["multi_step"]["rmse"] is None


def test_the_table_has_candidates_champion_and_baselines_in_one_format() -> None:
    champion = Figures(Errors(wape=0.5), Errors(), version="3", refitted=True)
    rows = Verdict(True, "history", (), {"history": ENTRY}, {"last_month": ENTRY}, champion).table()
    assert [(row.kind, row.name, row.is_selected) for row in rows] == [
        ("candidate", "history", True),
        ("champion", "version 3, refitted", False),
        ("baseline", "last_month", False),
    ]
    assert rows[0].cells == ("6.0%", "444.6", "717.0", "0.967", "9.0%", "5.0%")
    assert rows[1].cells == ("50.0%", "-", "-", "-", "-", "-")
    assert (rows[0].coverage, rows[1].coverage) == ("80.0%", "-")


def test_reading_a_verdict_needs_the_standard_library_only() -> None:
    code = "import sys, forecasting.verdict; sys.exit(bool({'numpy', 'pandas', 'sklearn'} & sys.modules.keys()))"
    src = Path(verdict.__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=src, check=False).returncode == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"promoted": true,\n "selected"', "verdict.json:2: not JSON"),
        ('{"promoted": "yes", "selected": "a"}', "not a verdict"),
        ('{"promoted": true}', "not a verdict"),
        ("[]", "not a verdict"),
    ],
)
def test_a_broken_verdict_is_a_user_error_that_names_its_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "verdict.json").write_text(text)
    with pytest.raises(StepError, match=says):
        verdict.read(tmp_path)


def test_an_absent_verdict_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="not there; give the verdict folder"):
        verdict.read(tmp_path)
