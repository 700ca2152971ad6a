"""Drift of environments and components: versions and what `az ml` shows of them, against the specs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from drift import assets
from pipeline import azml

Records = dict[tuple[str, str], list[dict[str, Any]]]
ENVIRONMENT = "name: demand\nversion: '2'\nimage: base\n"
COMPONENT = """name: train
version: "2"
type: command
inputs:
  rows: {type: uri_file}
outputs:
  model: {type: mlflow_model}
environment: azureml:demand:2
command: >-
  python -m forecasting.train
  --rows ${{inputs.rows}}
"""
# As `az ml component list --name` writes a version: resource ids, and the command as one line.
REGISTERED = {
    "name": "train",
    "version": "2",
    "inputs": {"rows": {"type": "uri_file"}},
    "outputs": {"model": {"type": "mlflow_model"}},
    "environment": "azureml:/subscriptions/s/resourceGroups/g/providers/x/workspaces/w/environments/demand/versions/2",
    "command": "python -m forecasting.train --rows ${{inputs.rows}}",
}


@pytest.fixture
def drift(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Compare two specs with what the workspace lists."""
    for folder, text in (("environments", ENVIRONMENT), ("components", COMPONENT)):
        (tmp_path / "ml" / folder).mkdir(parents=True)
        (tmp_path / "ml" / folder / "spec.yml").write_text(text)

    def compare(components: list[dict[str, Any]], env: str = "dev") -> list[str]:
        known: Records = {("environment", "demand"): [{"version": "2"}], ("component", "train"): components}
        monkeypatch.setattr(azml, "call", lambda kind, verb, name: known[kind, name])
        monkeypatch.setenv("ENV", env)
        monkeypatch.setenv("AZ_ML", "localml" if env == "local" else "az ml")
        return [str(each) for each in assets.differences(tmp_path)]

    return compare


def test_a_workspace_that_holds_what_git_holds_has_no_drift(drift: Callable[..., list[str]]) -> None:
    assert drift([REGISTERED, {"version": "1"}]) == []


def test_a_missing_version_is_named_with_those_that_are_there(drift: Callable[..., list[str]]) -> None:
    assert drift([{"version": "1"}]) == [
        "component train:2: registered are 1  -> make register-assets ENV=dev",
    ]
    assert drift([]) == ["component train:2: none is registered  -> make register-assets ENV=dev"]


def test_a_newer_version_than_gits_was_registered_from_elsewhere(drift: Callable[..., list[str]]) -> None:
    differences = drift([REGISTERED, {"version": "10"}, {"version": "9"}])
    assert differences == ["component train: version 10 is registered, git holds 2  -> bring it into git"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("command", "python -m forecasting.train --rows ${{inputs.rows}} --fast"),
        ("environment", "azureml:demand:1"),
        ("inputs", {}),
        ("outputs", {"model": {}, "card": {}}),
    ],
)
def test_a_version_that_says_something_else_than_git_is_named(
    field: str, value: object, drift: Callable[..., list[str]]
) -> None:
    (difference,) = drift([{**REGISTERED, field: value}])
    assert difference.startswith(f"component train:2: {field} differs from git  -> give it a new version: make bump")


def test_a_laptop_reads_components_as_files_so_none_need_be_registered(drift: Callable[..., list[str]]) -> None:
    assert drift([], env="local") == []
    assert drift([{"version": "1"}], env="local") == [
        "component train:2: registered are 1  -> make register-assets ENV=local"
    ]
