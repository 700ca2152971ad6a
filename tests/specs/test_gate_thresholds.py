"""A threshold that cannot be meant is found by `make check`, at its line."""

from pathlib import Path

import pytest

from helpers_sales import REPO
from speccheck.check import run_checks


def findings(folder: Path, text: str) -> list[str]:
    (folder / "ml").mkdir()
    (folder / "ml/gate.yml").write_text(text)
    return [str(finding) for finding in run_checks(folder, [folder / "ml"], loaders=False)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alpha: 1.5\n", "ml/gate.yml:1: alpha is 1.5, it must lie between 0 and 1"),
        ("alpha: 0.1\nmin_months: six\n", "ml/gate.yml:2: min_months is 'six', it must be a whole number from 0 on"),
        ("alpha: 0.1\nalhpa: 0.2\n", "ml/gate.yml:2: a gate has the thresholds alpha, min_months"),
        ("refresh_months: true\n", "ml/gate.yml:1: refresh_months is True, it must be a whole number"),
        ("max_segment_rise: .nan\n", "ml/gate.yml:1: max_segment_rise is nan, it must be a number from 0 on"),
    ],
)
def test_a_threshold_that_cannot_be_meant_is_a_finding_at_its_line(tmp_path: Path, text: str, says: str) -> None:
    (finding,) = findings(tmp_path, text)
    assert finding.startswith(says)


def test_the_thresholds_of_the_repo_are_clean(tmp_path: Path) -> None:
    assert findings(tmp_path, (REPO / "ml/gate.yml").read_text()) == []


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("ml/monitor.yml", "max_bias: 0.2\nmax_bais: 0.1\n", "ml/monitor.yml:2: a monitor has the thresholds"),
        ("ml/deploy/rollout.yml", "samples: 60\nsteps: [0, 50]\n", "ml/deploy/rollout.yml:2: steps are [0, 50]"),
        ("ml/deploy/rollout.yml", "limits:\n  error_rat: 1\n", "ml/deploy/rollout.yml:2: limits has error_rate"),
    ],
)
def test_limits_of_monitor_and_rollout_are_checked_as_those_of_the_gate(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_text(text)
    shown = [str(finding) for finding in run_checks(tmp_path, [tmp_path / "ml"], loaders=False)]
    assert any(line.startswith(said) for line in shown), shown
