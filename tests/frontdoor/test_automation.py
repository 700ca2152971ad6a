"""Verbs of the pipelines as a person calls them: stand-ins on a laptop, secrets, SBOMs, release notes, one field."""

import json
import random
import string
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from frontdoor import app, automation, environment, infrastructure, site

ROOT = Path(__file__).parents[2]


@pytest.fixture
def laptop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose workspaces stand for dev and prod."""
    monkeypatch.setenv(site.LAPTOP, str(tmp_path / "environments"))
    monkeypatch.delenv("ENV", raising=False)
    return tmp_path / "environments"


def test_an_environment_is_a_workspace_of_this_machine_where_a_pipeline_runs_here(
    laptop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os  # noqa: PLC0415

    monkeypatch.setenv("ENV", "prod")
    site.enter()
    assert site.is_local()
    assert site.stands_for() == "prod"
    assert os.environ["LOCALML_HOME"] == str(laptop / "prod")
    assert os.environ["AZ_ML"].endswith("-m localml")
    assert os.environ["MODEL_SIGNING_KEYS"] == str(laptop / "keys")  # prod takes what dev has signed


def test_an_environment_of_azure_stays_one_where_no_pipeline_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv(site.LAPTOP, raising=False)
    monkeypatch.setenv("ENV", "prod")
    site.enter()
    assert not site.is_local()
    assert site.stands_for() is None


@pytest.mark.parametrize("verb", ["plan-infra", "deploy-infra", "outputs-infra", "destroy-infra", "bootstrap-infra"])
def test_infrastructure_is_stood_in_for_and_says_so(
    verb: str, laptop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "infra/outputs").mkdir(parents=True)
    (tmp_path / "infra/outputs/dev.tfplan").write_text("the plan of the stage before")
    assert app.main([verb, "--env", "dev"]) == 0
    shown = capsys.readouterr().out
    assert shown == f"stand-in: {verb} of dev needs Azure, so nothing is planned or changed here\n"
    if verb == "plan-infra":
        assert json.loads((infrastructure.site.OUTPUTS / "dev.tfplan.json").read_text()) == {"resource_changes": []}


def test_ci_says_which_pipelines_there_are(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert app.main(["ci"]) == 2
    assert "which one? make ci PIPELINE=pr" in capsys.readouterr().err
    assert app.main(["ci", "--pipeline", "nightly"]) == 2
    said = capsys.readouterr().err
    assert "PIPELINE=nightly: there are canary, deploy, infra, pr, rollback, teardown, train" in said


def git(folder: Path, *words: str) -> None:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@t", *words]
    subprocess.run(command, check=True, capture_output=True)


def test_release_notes_begin_at_the_newest_tag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(automation, "_module", lambda *words: asked.append(words) or 0)
    asked: list[Any] = []
    git(tmp_path, "init", "--quiet")
    for text in ("first", "second", "third"):
        git(tmp_path, "commit", "--quiet", "--allow-empty", "-m", text)
        if text == "first":
            git(tmp_path, "tag", "v1")
    out = subprocess.run(
        [sys.executable, "-c", "from frontdoor import automation; automation._module = lambda *_: 0; "
         "automation.release_notes()"], capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert out.startswith("# Since v1\n\n- third (")
    assert "second" in out
    assert "first" not in out


@pytest.mark.slow
def test_a_secret_in_a_file_or_only_in_the_history_is_seen_and_not_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    tools = environment.beside(Path(".venv-security"), automation.SECURITY, "tools").parent
    program = str((ROOT / tools / "kingfisher").absolute())
    monkeypatch.setattr(automation, "_security", lambda _name: program)
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "clean.txt").write_text("nothing\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "-m", "clean")
    assert app.main(["scan-secrets"]) == 0
    assert "no secret in the files, none in their history" in capfd.readouterr().out
    # Made here, so that no scan of this repo stops at it.
    letters = random.Random(4)
    key = "".join(letters.choice(string.ascii_letters + string.digits) for _ in range(86)) + "=="
    line = f"DefaultEndpointsProtocol=https;AccountName=gbjdmddevst;AccountKey={key};EndpointSuffix=core.windows.net\n"
    (tmp_path / "settings.txt").write_text(line)
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "-m", "oops")
    assert app.main(["scan-secrets"]) == 1
    git(tmp_path, "rm", "--quiet", "settings.txt")
    git(tmp_path, "commit", "--quiet", "-m", "gone")
    assert app.main(["scan-secrets"]) == 1
    said = capfd.readouterr()
    assert "secrets stand above" in said.err
    assert key not in said.out + said.err


@pytest.mark.slow
def test_an_sbom_names_every_locked_package_with_its_hashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert app.main(["sbom", "--folder", str(tmp_path)]) == 0
    for name, lock in automation.LOCKS.items():
        made = json.loads((tmp_path / f"{name}.cdx.json").read_text())
        assert made["bomFormat"] == "CycloneDX"
        listed = {(each["name"], each["version"]) for each in made["components"]}
        lines = [line for line in Path(lock).read_text().splitlines() if line[:1].isalnum()]
        pins = {tuple(line.split(" ")[0].split("==")) for line in lines}
        assert {(n.split("[")[0].lower(), v) for n, v in pins} <= {(n.lower(), v) for n, v in listed}
        assert all(each["externalReferences"][0]["hashes"] for each in made["components"])


def test_an_audit_looks_at_every_lock_and_fails_where_one_is_weak(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """PyPI's advisories cannot be asked from a test: a stand-in for pip-audit answers as it does (0 clean, 1 weak)."""
    program = tmp_path / "pip-audit"
    program.write_text(
        '#!/bin/sh\necho "$*"\ncase "$*" in *score*) echo "Found 1 known vulnerability"; exit 1 ;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(automation, "_security", lambda _name: str(program))
    assert app.main(["audit"]) == 1
    shown = capfd.readouterr().out
    for lock in automation.LOCKS.values():
        assert f"-r {lock} --require-hashes --disable-pip" in shown
    assert "Found 1 known vulnerability" in shown
