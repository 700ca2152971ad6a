"""The few tasks that the pipelines use, as an agent does them; any other is an error that names it."""

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from agent.project import Project
from agent.workspace import Workspace
from amlspec.errors import UserError

STAND_IN_ID = "00000000-0000-0000-0000-000000000000"
Inputs = Mapping[str, str]


class Place(Protocol):
    """What a task may do to its job."""

    workspace: Workspace
    project: Project

    def script(self, text: str, env: Mapping[str, str], folder: Path) -> int: ...

    def set(self, name: str, value: str) -> None: ...

    def note(self, line: str) -> None: ...

    def at_end(self, action: Callable[[], None]) -> None: ...


def _azure_cli(inputs: Inputs, place: Place) -> int:
    """The script; there is no sign-in, and what needs Azure stands on the workspaces of this machine."""
    connection = inputs["azuresubscription"]
    if connection not in place.project.connections:
        known = ", ".join(place.project.connections)
        raise UserError(f"service connection {connection} is not in {place.project.document.shown}: it has {known}", 1)
    if inputs.get("scripttype") != "bash" or inputs.get("scriptlocation") != "inlineScript":
        raise UserError("AzureCLI@2: scriptType bash with scriptLocation inlineScript is known here, no other", 1)
    env = {f"AZURESUBSCRIPTION_{name}": STAND_IN_ID for name in ("SERVICE_CONNECTION_ID", "CLIENT_ID", "TENANT_ID")}
    return place.script(inputs["inlinescript"], env, place.workspace.sources)


def _use_python(inputs: Inputs, place: Place) -> int:
    wanted = inputs["versionspec"].removesuffix(".x")
    here = ".".join(map(str, sys.version_info[:2]))
    if wanted != here and not shutil.which(f"python{wanted}"):
        place.note(f"Python {wanted} is not on PATH")
        return 1
    place.note(f"Python {wanted}")
    place.set("PYTHON", sys.executable if wanted == here else f"python{wanted}")
    return 0


def _cache(inputs: Inputs, place: Place) -> int:
    """Bring what an equal key left; at the end of a job that went well keep what a new key made."""
    known = place.workspace.cache(place.workspace.cache_key(inputs["key"]))
    path = place.workspace.sources / inputs["path"]
    is_there = known.is_dir()
    if hit := inputs.get("cachehitvar"):
        place.set(hit, str(is_there).lower())
    if is_there:
        _linked(known, path)
    else:
        place.at_end(lambda: _linked(path, known) if path.is_dir() else None)
    place.note("restored" if is_there else "nothing under this key yet")
    return 0


def _linked(source: Path, target: Path) -> None:
    """A copy of a folder that shares its files' content."""
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    subprocess.run(["cp", "--archive", "--link", str(source), str(partial)], check=True)  # noqa: S607
    partial.rename(target)


def _publish(inputs: Inputs, place: Place) -> int:
    name = inputs.get("artifact") or inputs.get("artifactname") or ""
    source = place.workspace.sources / inputs["targetpath"]
    place.note(f"artifact {name}: {place.workspace.publish(source, name)}")
    return 0


def _download(inputs: Inputs, place: Place) -> int:
    if inputs.get("buildtype", inputs.get("source", "current")) != "current":
        raise UserError("DownloadPipelineArtifact@2: artifacts of this run are known here, no other's", 1)
    name = inputs.get("artifact") or inputs.get("artifactname") or ""
    folder = inputs.get("targetpath") or inputs.get("path") or str(place.workspace.work / name)
    place.workspace.download(name, place.workspace.work / folder)
    return 0


def _test_results(inputs: Inputs, place: Place) -> int:
    if inputs.get("testresultsformat", "JUnit") != "JUnit":
        raise UserError("PublishTestResults@2: JUnit is known here, no other format", 1)
    folder = Path(inputs.get("searchfolder") or place.workspace.sources)
    files = sorted(folder.glob(inputs.get("testresultsfiles") or "**/TEST-*.xml"))
    if not files:
        place.note("no test results")
        return int(inputs.get("failtaskonmissingresultsfile", "false").lower() == "true")
    tests, bad = 0, 0
    for path in files:
        for suite in ET.parse(path).getroot().iter("testsuite"):  # noqa: S314  written by this run
            tests += int(suite.get("tests", 0))
            bad += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    place.note(f"{tests} tests, {bad} failed")
    return int(bad > 0 and inputs.get("failtaskonfailedtests", "false").lower() == "true")


Task = Callable[[Inputs, Place], int]
# name@version -> (what it does, inputs that it must have, inputs that it may have); names without case.
TASKS: dict[str, tuple[Task, frozenset[str], frozenset[str]]] = {
    "azurecli@2": (
        _azure_cli,
        frozenset({"azuresubscription", "scripttype", "scriptlocation", "inlinescript"}),
        frozenset({"visibleazlogin", "addspntoenvironment", "keepazsessionactive", "failonstandarderror"}),
    ),
    "usepythonversion@0": (_use_python, frozenset({"versionspec"}), frozenset({"addtopath", "architecture"})),
    "cache@2": (_cache, frozenset({"key", "path"}), frozenset({"cachehitvar"})),
    "publishpipelineartifact@1": (_publish, frozenset({"targetpath"}), frozenset({"artifact", "artifactname"})),
    "downloadpipelineartifact@2": (
        _download,
        frozenset(),
        frozenset({"artifact", "artifactname", "targetpath", "path", "buildtype", "source"}),
    ),
    "publishtestresults@2": (
        _test_results,
        frozenset(),
        frozenset({"testresultsformat", "testresultsfiles", "searchfolder", "testruntitle", "mergetestresults",
                   "failtaskonfailedtests", "failtaskonmissingresultsfile"}),
    ),
}  # fmt: skip


def check(task: str, inputs: Mapping[str, str], where: str) -> None:
    """Raises UserError for a task, or an input of one, that is not known here."""
    if task.lower() not in TASKS:
        raise UserError(f"{where}: the task {task} is not known here")
    _, needed, more = TASKS[task.lower()]
    given = {name.lower() for name in inputs}
    if unknown := sorted(given - needed - more):
        raise UserError(f"{where}: {task}: the input {unknown[0]} is not known here")
    if missing := sorted(needed - given):
        raise UserError(f"{where}: {task}: the input {missing[0]} is missing")


def run(task: str, inputs: Mapping[str, str], place: Place) -> int:
    """Do a task; its exit code."""
    return TASKS[task.lower()][0]({name.lower(): value for name, value in inputs.items()}, place)
