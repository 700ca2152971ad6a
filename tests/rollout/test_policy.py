"""ml/deploy/rollout.yml says how a rollout goes; what it cannot say is refused with its line; a bake takes it back."""

from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from rollout import engine, load
from rollout.checks import Limits, Seen
from rollout.engine import ProofError, Rollout
from rollout.policy import Policy
from rollout.report import Report

ROOT = Path(__file__).parents[2]


def read(folder: Path, text: str) -> Policy:
    (folder / "rollout.yml").write_text(text)
    return Policy.read(folder / "rollout.yml")


def test_the_repos_policy_has_the_defaults_of_the_code_and_a_bake_for_each_environment() -> None:
    kept = Policy.read(ROOT / "ml/deploy/rollout.yml")
    assert kept.steps == Policy.steps and kept.limits == Limits()
    assert set(kept.bake_seconds) == {"local", "dev", "prod"}
    assert kept.bake_seconds["prod"] >= 600


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    assert Policy.read(tmp_path / "none.yml") == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps: [0, 50]\n", r"rollout.yml:1: steps are \[0, 50\]: give whole percentages that rise from 0 to 100"),
        ("steps: [0, 50, 10, 100]\n", "rollout.yml:1: steps are"),
        ("steps: [10, 100]\n", "rollout.yml:1: steps are"),
        ("samples: 0\n", "samples is 0: nothing would be proved"),
        ("samples: many\n", "samples is 'many', it must be a number from 0 on"),
        ("pause_seconds: -1\n", "pause_seconds is -1"),
        ("workers: 2\nbake_second: {dev: 1}\n", "rollout.yml:2: a rollout has .* and no bake_second"),
        ("bake_seconds:\n  test: 5\n", "rollout.yml:2: bake_seconds has local, dev, prod and no test"),
        ("limits:\n  error_rat: 0.1\n", "rollout.yml:2: limits has .* and no error_rat"),
        ("limits:\n  change: true\n", "rollout.yml:2: change is True"),
        ("ask_before: {test: [50]}\n", "ask_before has local, dev, prod and no test"),
        ("ask_before: {prod: [30]}\n", r"rollout.yml:1: prod is \[30\]: give a list of steps after the first"),
        ("ask_before: [50]\n", "ask_before has local, dev, prod"),
        ("notify_variable: https://x.example\n", "give the name of an environment variable"),
        ("- steps\n", "the file must hold one mapping"),
    ],
)
def test_what_it_cannot_say_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read(tmp_path, text)


def test_each_environment_bakes_as_long_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = read(tmp_path, "bake_seconds: {dev: 60}\nlimits: {change: 0.2}\n")
    assert policy.limits.change == 0.2
    monkeypatch.setenv("ENV", "dev")
    assert policy.bake == 60
    monkeypatch.setenv("ENV", "local")
    assert policy.bake == 0


class Clock:
    """Time that passes where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Callers:
    """A site of which only the callers are asked for."""

    seen = (0, 0)

    def callers(self, deployment: str, since: float) -> tuple[int, int]:
        return self.seen


def baked(monkeypatch: pytest.MonkeyPatch, seen: list[Seen], seconds: float) -> Rollout:
    """A rollout whose looks see these, one after the other; the last again and again."""
    monkeypatch.setenv("ENV", "prod")
    monkeypatch.setattr(engine, "time", Clock())
    left = list(seen)

    def measure(*_: Any) -> dict[str, Seen]:
        return {"green": left.pop(0) if len(left) > 1 else left[0], "blue": Seen([5.0] * 20, rows=20)}

    monkeypatch.setattr(load, "measure", measure)
    policy = Policy(bake_seconds={"prod": seconds}, bake_every_seconds=10)
    return Rollout(Callers(), [], None, policy, Report("deploy", "shop"))  # type: ignore[arg-type]


GOOD = Seen([5.0] * 20, rows=20)
BAD = Seen([5.0] * 10, ["500"] * 10, rows=10)


def test_a_version_that_stays_well_is_watched_for_the_whole_time(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = baked(monkeypatch, [GOOD], 60)
    rollout._bake(None, "blue", "green")  # type: ignore[arg-type]
    assert rollout.report.data["steps"][-1]["text"] == "green with all traffic for 60 s, 6 looks, nothing wrong"


def test_an_error_while_it_is_watched_ends_the_rollout(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = baked(monkeypatch, [GOOD, GOOD, BAD], 60)
    with pytest.raises(ProofError, match="error rate 50") as caught:
        rollout._bake(None, "blue", "green")  # type: ignore[arg-type]
    assert caught.value.step == "bake"
    assert rollout.report.data["steps"][-1]["seen"]["green"]["error_rate"] == 0.5


@pytest.mark.parametrize(("seen", "ends"), [((500, 50), True), ((500, 2), False), ((10, 10), False)])
def test_callers_whose_requests_fail_end_it_too(
    monkeypatch: pytest.MonkeyPatch, seen: tuple[int, int], ends: bool
) -> None:
    rollout = baked(monkeypatch, [GOOD], 60)
    monkeypatch.setattr(Callers, "seen", seen)
    if not ends:
        rollout._bake(None, "blue", "green")  # type: ignore[arg-type]
        return
    with pytest.raises(ProofError, match="50 of 500 requests at the router failed, above 1%"):
        rollout._bake(None, "blue", "green")  # type: ignore[arg-type]


def test_without_a_bake_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    rollout = baked(monkeypatch, [BAD], 0)
    rollout._bake(None, "blue", "green")  # type: ignore[arg-type]
    assert rollout.report.data["steps"] == []
