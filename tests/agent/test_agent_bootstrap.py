"""What `make bootstrap-devops` makes in a project that is empty, in one that is whole, and with the issuer that ends.

A project of Azure DevOps is imitated by an `az` on PATH that keeps what it is told to make, with the shapes of
vsts-rest-api-specs 7.1; where the reference of the CLI is at hand each call is checked against it. No organisation was
asked.
"""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import bootstrap
from amlspec.errors import UserError
from frontdoor import site

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # each call of az is a process
OFFLINE = ROOT.parent / "shared/tools/az-offline"
ORGANISATION = "https://dev.azure.com/globojava"
TENANT = "11111111-2222-3333-4444-555555555555"
ISSUER = f"https://login.microsoftonline.com/{TENANT}/v2.0"


class Azure:
    """The state behind az, kept in a file so that each call is a process of its own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, issuer: str = ISSUER) -> None:
        self.log, self.state = folder / "az.jsonl", folder / "state.json"
        self.state.write_text(json.dumps({"issuer": issuer, "tenant": TENANT}))
        binaries = folder / "bin"
        binaries.mkdir()
        (binaries / "az").write_text(
            f"#!{shutil.which('python3')}\n" + (Path(__file__).parent / "fake_az.py").read_text()
        )
        (binaries / "az").chmod(0o755)
        monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
        monkeypatch.setenv("FAKE_AZ", str(folder))

    def calls(self) -> list[list[str]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []

    def has(self, kind: str) -> list[Any]:
        return list(json.loads(self.state.read_text()).get(kind, []))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with what a bootstrap reads and writes."""
    made = tmp_path / "repo"
    shutil.copytree(ROOT / ".azuredevops", made / ".azuredevops")
    shutil.copytree(ROOT / "infra/environments", made / "infra/environments")
    return made


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Azure, Path]]:
    """An empty project and a checkout after one run, for the tests that only look: each call of az is a process."""
    folder = tmp_path_factory.mktemp("made")
    shutil.copytree(ROOT / ".azuredevops", folder / "repo/.azuredevops")
    shutil.copytree(ROOT / "infra/environments", folder / "repo/infra/environments")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        azure = Azure(folder, patch)
        assert run(folder / "repo") == 0
        yield azure, folder / "repo"


def run(root: Path, is_dry: bool = False) -> int:
    names = {each: site.names(each) for each in ("dev", "prod")}
    return bootstrap.run(root, ORGANISATION, "demand", "demand", names, is_dry)


def test_an_empty_project_gets_everything_and_a_second_run_makes_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    azure = Azure(tmp_path, monkeypatch)
    assert run(root) == 0
    first = capsys.readouterr().out
    assert len(azure.has("endpoints")) == 6
    assert len(azure.has("environments")) == 4
    assert len(azure.has("groups")) == 2
    assert sorted(each["name"] for each in azure.has("pipelines")) == [
        "canary", "deploy", "infra", "pr", "rollback", "teardown", "train",
    ]  # fmt: skip
    assert {each["type"]["displayName"] for each in azure.has("policies")} == {
        "Minimum number of reviewers", "Work item linking", "Comment requirements", "Build", "Required reviewers",
    }  # fmt: skip
    assert "What a person still does:" in first
    assert run(root) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "0 made; what was there is unchanged"


def test_prod_asks_a_person_who_did_not_start_it_from_main_alone_one_at_a_time(made: tuple[Azure, Path]) -> None:
    azure, _ = made
    of_prod = [each for each in azure.has("checks") if each["resource"]["name"] == "demand-prod"]
    assert sorted(each["type"]["name"] for each in of_prod) == ["Approval", "ExclusiveLock", "Task Check"]
    approval = next(each for each in of_prod if each["type"]["name"] == "Approval")
    assert approval["settings"]["requesterCannotBeApprover"] is True
    assert approval["settings"]["approvers"] == [{"id": "group-[demand]\\Approvers"}]
    branch = next(each for each in of_prod if each["type"]["name"] == "Task Check")
    assert branch["settings"]["inputs"]["allowedBranches"] == "refs/heads/main"
    # A pipeline that skips the environment still meets the connection's own check.
    guarded = {each["resource"]["name"] for each in azure.has("checks") if each["resource"]["type"] == "endpoint"}
    assert guarded == {
        "demand-dev-apply", "demand-dev-models", "demand-prod-plan", "demand-prod-apply", "demand-prod-models",
    }  # fmt: skip


def test_a_connection_is_bound_to_the_pipelines_that_use_it(made: tuple[Azure, Path]) -> None:
    azure, _ = made
    names = {str(each["id"]): each["name"] for each in (*azure.has("endpoints"), *azure.has("pipelines"))}
    allowed: dict[str, set[str]] = {}
    for each in azure.has("permissions"):
        if each["kind"] == "endpoint":
            allowed.setdefault(names[each["id"]], set()).add(names[str(each["pipeline"])])
    assert allowed["demand-dev-plan"] == {"pr", "infra", "train", "deploy", "rollback"}
    assert allowed["demand-prod-apply"] == {"infra", "teardown"}
    assert allowed["demand-prod-models"] == {"deploy", "rollback"}


def test_issuer_and_subject_are_read_back_and_written_where_they_belong(made: tuple[Azure, Path]) -> None:
    azure, root = made
    credentials = azure.has("credentials")
    assert len(credentials) == 4
    assert {each["issuer"] for each in credentials} == {ISSUER}
    assert all(each["subject"].startswith("/eid1/c/pub/t/") for each in credentials)
    text = (root / "infra/environments/dev.tfvars").read_text()
    assert f'demand-dev-models = {{ issuer = "{ISSUER}", subject = "/eid1/c/pub/t/' in text
    assert text.count("pipelines_federation") == 1


def test_the_old_issuer_is_refused(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    azure = Azure(tmp_path, monkeypatch, issuer="https://vstoken.dev.azure.com/0")
    with pytest.raises(UserError, match="the old one ends on 2027-07-01: delete the connection, then run this again"):
        run(root)
    assert azure.has("credentials") == []


def test_a_dry_run_makes_nothing_and_says_what_it_would(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    azure = Azure(tmp_path, monkeypatch)
    before = (root / "infra/environments/dev.tfvars").read_text()
    assert run(root, is_dry=True) == 0
    shown = capsys.readouterr().out
    assert "would make service connection demand-prod-apply" in shown
    assert "would make environment demand-prod" in shown
    assert not [each for each in azure.calls() if {"create", "post", "patch", "update"} & set(each)]
    assert (root / "infra/environments/dev.tfvars").read_text() == before


def test_no_secret_is_in_a_call(made: tuple[Azure, Path]) -> None:
    azure, _ = made
    said = json.dumps(azure.calls()).lower()
    for word in ("password", "--service-principal-key", "pat ", "secret"):
        assert word not in said


@pytest.mark.skipif(not OFFLINE.exists(), reason=f"NOT RUN: calls against the CLI's reference, {OFFLINE} is not there")
def test_every_call_is_one_that_the_cli_knows(made: tuple[Azure, Path], tmp_path: Path) -> None:
    azure, _ = made
    import shlex  # noqa: PLC0415

    script = tmp_path / "calls.sh"
    script.write_text("".join(f"az {shlex.join(words)}\n" for words in azure.calls()))
    done = subprocess.run([OFFLINE / "check-az", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
