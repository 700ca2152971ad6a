"""One call, two engines: a function of this process, or a command line of `az ml`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from amlspec.errors import UserError
from pipeline import azml

# Writes what it was called with, and answers or fails as its file says.
AZ = """#!/bin/sh
printf '%s\\n' "$@" > "{folder}/words"
cat "{folder}/stderr" >&2
printf '...{{"status": "Running"}}'
exit $(cat "{folder}/code")
"""


class Service:
    """A command line in the place of `az ml`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "az").write_text(AZ.format(folder=folder))
        (folder / "az").chmod(0o755)
        self.will(0, "")

    def will(self, code: int, stderr: str) -> None:
        """How the next call ends."""
        (self.folder / "code").write_text(str(code))
        (self.folder / "stderr").write_text(stderr)

    def words(self) -> list[str]:
        """What the last call said."""
        return (self.folder / "words").read_text().splitlines()


@pytest.fixture
def service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Service:
    made = Service(tmp_path)
    monkeypatch.setenv("AZ_ML", f"{tmp_path / 'az'} ml")
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    return made


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZ_ML", "python -m localml")
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("parameters", "flags"),
    [
        ({"spec": Path("a b.yml"), "settings": ("x=1", "y=2 3")}, ["--file", "a b.yml", "--set", "x=1", "y=2 3"]),
        ({"max_results": 50, "parent_job_name": "j"}, ["--max-results", "50", "--parent-job-name", "j"]),
        ({"traffic": {"green": 10, "blue": 90}}, ["--traffic", "blue=90 green=10"]),
        ({"yes": True}, ["--yes"]),
        ({"yes": False, "settings": (), "name": None}, []),
        ({"settings": []}, []),
    ],
)
def test_a_parameter_is_the_flag_of_its_name(service: Service, parameters: dict[str, Any], flags: list[str]) -> None:
    azml.run("group", "verb", **parameters)
    assert service.words() == ["ml", "group", "verb", *flags, "--output", "none"]


def test_an_answer_is_read_behind_the_dots(service: Service) -> None:
    assert azml.call("job", "show", name="j") == {"status": "Running"}
    assert service.words()[-2:] == ["--output", "json"]


def test_what_is_missing_is_an_empty_list_none_or_an_error_by_what_was_asked(service: Service) -> None:
    service.will(1, "ERROR: (UserError) Model container with name: m not found.\n")
    assert azml.listed("model", "list", name="m") == []
    assert azml.optional("model", "show", name="m", version="1") is None
    with pytest.raises(azml.NotFoundError, match=r"ml model show --name m: \(UserError\) Model container"):
        azml.call("model", "show", name="m")


@pytest.mark.parametrize("strict", ["0", "1"])
def test_on_this_machine_what_is_missing_is_the_same(local: None, monkeypatch: pytest.MonkeyPatch, strict: str) -> None:
    monkeypatch.setenv("LOCALML_STRICT", strict)
    assert azml.listed("environment", "list", name="e") == []
    assert azml.optional("environment", "show", name="e", version="1") is None
    with pytest.raises(azml.NotFoundError, match="environment e:1 is not registered here"):
        azml.call("environment", "show", name="e", version="1")


def test_on_this_machine_an_answer_is_json_as_the_service_would_print_it_when_that_is_asked_for(
    local: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"name": "aks", "type": "Kubernetes", "resource_id": "/c", "namespace": "demand"}
    for strict, state in (("0", "Succeeded"), ("1", "EndpointProvisioningState.SUCCEEDED")):
        monkeypatch.setenv("LOCALML_STRICT", strict)
        assert azml.call("compute", "attach", **cluster)["provisioning_state"] == state


def test_a_job_is_begun_with_its_settings(service: Service) -> None:
    azml.begin_job(Path("train.yml"), "train-1", ["inputs.a=1"])
    assert service.words()[:7] == ["ml", "job", "create", "--file", "train.yml", "--name", "train-1"]
    assert service.words()[7:] == ["--set", "inputs.a=1", "--output", "none"]


def test_a_verb_that_the_engine_does_not_have_is_an_error_of_one_line(local: None) -> None:
    with pytest.raises(UserError, match="localml has no group 'workspace'"):
        azml.call("workspace", "list")
