"""A comparison that cannot be had is said, and ends no rollout."""

from typing import Any

import pytest

from amlspec.errors import UserError
from rollout import batch
from rollout.engine import Rollout
from rollout.policy import Policy
from rollout.report import Report


class Site:
    """An endpoint of which only the model is asked."""

    model = "demand-forecast"

    def call(self, *_: str, **__: Any) -> Any:
        """No job can be listed."""
        raise UserError("az ml job list: the gateway did not answer", 1)


def test_a_batch_result_that_cannot_be_fetched_is_said_and_the_rollout_goes_on(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    rollout = Rollout(Site(), [], None, Policy(), Report("deploy", "shop"))  # type: ignore[arg-type]
    assert rollout._batch("9") is None
    assert "not compared with a batch result: az ml job list: the gateway did not answer" in capsys.readouterr().out


@pytest.mark.parametrize("status", ["Completed", "JobStatus.COMPLETED"])
def test_a_completed_job_is_one_in_either_spelling(status: str) -> None:
    assert batch._is_completed({"status": status})
    assert not batch._is_completed({"status": status.replace("ompleted", "anceled").replace("OMPLETED", "ANCELED")})
