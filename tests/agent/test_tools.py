"""An agent is held to the pinned versions: what is missing is installed by its hash, what differs ends it."""

import hashlib
import io
import json
import stat
import zipfile
from pathlib import Path

import pytest

from agent import tools
from amlspec.errors import UserError

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose PATH has nothing but what a test puts there; its Python is the pinned one."""
    monkeypatch.chdir(ROOT)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setenv("AGENT_TEMPDIRECTORY", str(tmp_path / "temp"))
    pins = {**tools.wanted(), "pythonVersion": ".".join(map(str, __import__("sys").version_info[:2]))}
    monkeypatch.setattr(tools, "wanted", lambda: pins)
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def az(folder: Path, version: str, ml: str | None) -> None:
    """An az that knows its versions, and installs what it is asked for."""
    state = folder / "ml"
    if ml:
        state.write_text(ml)
    program(
        folder,
        "az",
        f'case "$*" in\n  "version --output json") ml=$(cat {state} 2>/dev/null)\n'
        f'    echo "{{\\"azure-cli\\": \\"{version}\\", \\"extensions\\": {{\\"ml\\": \\"$ml\\"}}}}" ;;\n'
        f'  "extension remove --name ml") rm {state} ;;\n'
        f'  "extension add --name ml --version "*) echo -n "$6" >{state} ;;\n  *) exit 2 ;;\nesac',
    )


def archive(version: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        made.writestr("terraform", f"#!/bin/sh\necho '{json.dumps({'terraform_version': version})}'\n")
    return content.getvalue()


def serve(monkeypatch: pytest.MonkeyPatch, content: bytes, pin: str | None = None) -> None:
    monkeypatch.setattr(tools.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(content))
    pins = {**tools.wanted(), "terraformSha256": pin or hashlib.sha256(content).hexdigest()}
    monkeypatch.setattr(tools, "wanted", lambda: pins)


def test_terraform_is_installed_by_its_hash_and_put_on_path(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    version = tools.wanted()["terraformVersion"]
    serve(monkeypatch, archive(version))
    tools.hold(["terraform"], stands_in=False)
    shown = capsys.readouterr().out
    assert (
        f"##vso[task.prependpath]{Path(__import__('os').environ['AGENT_TEMPDIRECTORY'])}/terraform-{version}" in shown
    )
    assert f"terraform {version}" in shown


def test_an_archive_of_another_hash_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    serve(monkeypatch, archive("1.11.4"), pin="0" * 64)
    with pytest.raises(
        UserError, match=r"its SHA-256 is not the one of \.azuredevops/variables\.yml: nothing is installed"
    ):
        tools.hold(["terraform"], stands_in=False)
    assert not list((tmp_path / "temp").rglob("terraform"))


def test_an_archive_with_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, archive("9.9.9"))
    with pytest.raises(UserError, match="is of another version"):
        tools.hold(["terraform"], stands_in=False)


@pytest.mark.parametrize("before", [None, "2.30.0", "2.44.1"])
def test_the_ml_extension_becomes_the_pinned_one(
    before: str | None, agent: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    az(agent, "2.80.0", before)
    tools.hold(["az"], stands_in=False)
    assert f"az 2.80.0, ml {tools.wanted()['mlVersion']}" in capsys.readouterr().out


def test_an_older_az_or_another_python_ends_it(agent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    az(agent, "2.9.9", "2.44.1")
    with pytest.raises(UserError, match=r"az 2\.9\.9 is here, .* wants 2\.75\.0 or later"):
        tools.hold(["az"], stands_in=False)
    monkeypatch.setattr(tools, "wanted", lambda: {"pythonVersion": "3.7"})
    with pytest.raises(UserError, match=r"runs here, \.azuredevops/variables\.yml says 3\.7"):
        tools.hold([], stands_in=False)


def test_a_laptop_needs_neither_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    tools.hold(["az", "terraform"], stands_in=True)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "stand-in: terraform is not called here", "stand-in: az is not called here",
    ]  # fmt: skip
    with pytest.raises(UserError, match="NEEDS: kubectl: give python, terraform, az"):
        tools.hold(["kubectl"], stands_in=True)
