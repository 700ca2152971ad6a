"""Drift of the endpoint: compute, settings, content of what has traffic, a rollout that did not end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from drift import serving
from drift.__main__ import ROOT
from pipeline import azml
from rollout.site import Site

DEPLOY = ROOT / "ml" / "deploy"
CONTENT = Site(DEPLOY / "endpoint.yml", DEPLOY / "deployment.yml").content()


@pytest.fixture
def drift(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Compare ml/deploy with an endpoint."""
    monkeypatch.setenv("ENV", "dev")
    monkeypatch.setenv("AZ_ML", "az ml")
    name = Site(DEPLOY / "endpoint.yml", DEPLOY / "deployment.yml").name

    def compare(
        endpoint: dict[str, Any] | None, content: str | None = CONTENT, computes: tuple[str, ...] = ("aks-inference",)
    ) -> list[str]:
        shown = (
            None if endpoint is None else {"name": name, "auth_mode": "key", "tags": {"team": "platform"}} | endpoint
        )
        tags = {} if content is None else {"content": content}
        deployments = [{"name": each, "model": "azureml:demand-forecast:7", "tags": tags} for each in ("blue", "green")]
        known: dict[tuple[str, ...], Any] = {
            ("compute", "list"): [{"name": each} for each in computes],
            ("online-endpoint", "list"): [shown] if shown else [],
            ("online-endpoint", "show"): shown,
            ("online-deployment", "list"): deployments,
        }
        monkeypatch.setattr(azml, "call", lambda *words, **_: known[words])
        return [str(each) for each in serving.differences(ROOT)]

    return compare


LIVE = {"traffic": {"blue": 100, "green": 0}}


def test_an_endpoint_that_serves_what_git_holds_has_no_drift(drift: Callable[..., list[str]]) -> None:
    assert drift(LIVE) == []
    # A newer SDK writes enumerations by their names.
    assert drift({**LIVE, "auth_mode": "AuthMode.KEY"}) == []


def test_other_content_behind_the_endpoint_is_named_for_what_has_traffic_alone(
    drift: Callable[..., list[str]],
) -> None:
    assert drift(LIVE, content="0123") == [
        "online-deployment blue: serves another deployment.yml or other code than git holds  -> make deploy ENV=dev"
    ]
    assert "it has no content tag" in drift(LIVE, content=None)[0]


@pytest.mark.parametrize(
    ("endpoint", "says"),
    [
        (None, "is not there  -> make deploy ENV=dev"),
        ({"traffic": {}}, "serves nothing  -> make deploy ENV=dev"),
        ({**LIVE, "auth_mode": "aml_token"}, "auth_mode is aml_token, git says key"),
        ({**LIVE, "tags": {}}, "tag team is not set, git says platform"),
        ({"traffic": {"blue": 90, "green": 10}}, "traffic is blue=90 green=10: a rollout did not end"),
    ],
)
def test_each_difference_of_the_endpoint_is_one_line(
    endpoint: dict[str, Any] | None, says: str, drift: Callable[..., list[str]]
) -> None:
    (difference,) = drift(endpoint)
    assert says in difference


def test_a_compute_that_is_not_attached_is_named(drift: Callable[..., list[str]]) -> None:
    assert drift(LIVE, computes=()) == ["compute aks-inference: is not attached  -> make attach-infra ENV=dev"]
