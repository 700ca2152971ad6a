"""Rollouts whose CLI fails, or who are killed: the next call finishes or undoes, and callers notice nothing."""

from typing import Any

import pytest
from test_rollout import Caller, live

from serving_kit import Shop
from serving_models import GOOD, NEWEST, OTHER

pytestmark = pytest.mark.slow  # each test starts servers
UPDATE = "online-endpoint update"


@pytest.fixture
def old(bare_shop: Shop) -> Shop:
    """Version 1 is live on blue."""
    bare_shop.rollout("deploy", "--model-version", GOOD)
    return bare_shop


@pytest.mark.parametrize(
    ("match", "do"),
    [
        ("online-deployment create", "fail"),
        ("online-deployment create", "lose"),
        (UPDATE, "lose"),
        ("online-endpoint list", "fail"),
        ("get-credentials", "fail"),
    ],
)
def test_a_call_that_fails_once_is_made_again(old: Shop, faults: Any, match: str, do: str) -> None:
    faults({"match": match, "do": do})
    with Caller(old):
        said = old.rollout("deploy", "--model-version", OTHER)
    assert "is live on green" in said
    assert live(old) == {"blue": f"{GOOD} 0", "green": f"{OTHER} 100"}


@pytest.mark.parametrize("match", ["online-deployment create", "get-credentials", "green=50"])
def test_a_call_that_fails_for_good_is_taken_back(old: Shop, faults: Any, match: str) -> None:
    faults({"match": match, "times": 0})
    with Caller(old):
        said = old.rollout("deploy", "--model-version", OTHER, code=1)
    assert "the gateway did not answer" in said
    assert live(old) == {"blue": f"{GOOD} 100"}


def test_a_way_back_that_fails_too_is_reported_and_the_next_call_goes_on(old: Shop, faults: Any) -> None:
    faults({"match": UPDATE, "nth": 3, "times": 0})
    with Caller(old):
        said = old.rollout("deploy", "--model-version", OTHER, code=1)
        assert "could not be taken back" in said
        assert live(old)["green"] == f"{OTHER} 50"
        faults()
        old.rollout("deploy", "--model-version", OTHER)
    assert live(old) == {"blue": f"{GOOD} 0", "green": f"{OTHER} 100"}


KILLS = [
    {"match": "online-deployment create", "do": "kill-before"},
    {"match": "online-deployment create", "do": "kill-after"},
    *(
        {"match": UPDATE, "nth": nth, "do": do}
        for nth, do in ((1, "kill-after"), (2, "kill-before"), (3, "kill-after"))
    ),
    {"match": UPDATE, "nth": 4, "do": "kill-before"},
    {"match": UPDATE, "nth": 4, "do": "kill-after"},
]


@pytest.mark.parametrize(
    "kill", KILLS, ids=lambda kill: f"{kill['do']}-{kill['match'].split()[1]}-{kill.get('nth', 1)}"
)
def test_a_rollout_that_was_killed_is_finished_by_the_next_call(old: Shop, faults: Any, kill: dict[str, Any]) -> None:
    faults(kill)
    with Caller(old):
        old.rollout("deploy", "--model-version", OTHER, code=-9)
        faults()
        old.rollout("deploy", "--model-version", OTHER)
    assert live(old) == {"blue": f"{GOOD} 0", "green": f"{OTHER} 100"}


@pytest.mark.parametrize("verb", ["another version", "the old version", "rollback"])
def test_a_rollout_that_was_killed_at_half_is_undone_by_any_other_call(old: Shop, faults: Any, verb: str) -> None:
    faults({"match": UPDATE, "nth": 2, "do": "kill-after"})
    with Caller(old):
        old.rollout("deploy", "--model-version", OTHER, code=-9)
        assert live(old) == {"blue": f"{GOOD} 50", "green": f"{OTHER} 50"}
        faults()
        calls = {"rollback": ["rollback"], "the old version": ["deploy", "--model-version", GOOD]}
        old.rollout(*calls.get(verb, ["deploy", "--model-version", NEWEST]))
    wanted = {"blue": f"{GOOD} 0", "green": f"{NEWEST} 100"} if verb == "another version" else {"blue": f"{GOOD} 100"}
    assert live(old) == wanted
