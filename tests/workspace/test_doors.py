"""The same YAML by the command line (`python -m localml`) and by the SDK over REST: one content, the same records."""

import re
from pathlib import Path
from typing import Any

import pytest
from workspace_kit import Workspace

from host.state import read_json
from localml import commands

ROOT = Path(__file__).parents[2]
COMPONENTS = sorted(path.name for path in (ROOT / "ml/components").glob("*.yml"))
ENVIRONMENTS = sorted(path.name for path in (ROOT / "ml/environments").glob("*.yml"))
pytestmark = pytest.mark.slow

# What tells of a moment, a place or a name, and not of what was asked for.
OF_THE_MOMENT = ("creation_context", "id", "name", "path", "log", "process", "engine", "started", "seconds", "spec")
# Files lie beside the spec or in the datastore, outputs below the job.
_PLACES = re.compile(r"/\S*(?=/(?:note.txt|out)\b)")
SPEC = """\
type: pipeline
display_name: two
experiment_name: doors
description: Two steps
tags: {kind: doors}
settings: {default_compute: azureml:cpu-cluster}
inputs:
  note: {type: uri_file, path: note.txt}
  times: 2
  word: "3"
outputs:
  last: {type: uri_folder, mode: rw_mount}
jobs:
  first:
    type: command
    component: azureml:repeat:1
    limits: {timeout: 600}
    inputs:
      note: ${{parent.inputs.note}}
      times: ${{parent.inputs.times}}
      rate: 1
      sure: true
      word: ${{parent.inputs.word}}
  second:
    type: command
    component: azureml:repeat:1
    inputs: {note: "${{parent.jobs.first.outputs.out}}"}
    outputs: {out: "${{parent.outputs.last}}"}
"""
COMPONENT = """\
$schema: https://azuremlschemas.azureedge.net/latest/commandComponent.schema.json
name: repeat
version: "1"
type: command
code: code
inputs:
  note: {type: uri_folder}
  times: {type: integer, default: 1, min: 1, max: 9}
  rate: {type: number, default: 1, min: 0}
  sure: {type: boolean, default: false}
  word: {type: string, default: "7", optional: true}
outputs:
  out: {type: uri_folder}
environment: azureml:plain:1
command: >-
  python repeat.py ${{inputs.note}} ${{inputs.times}} ${{inputs.rate}} ${{inputs.sure}} ${{outputs.out}}
  $[[--word ${{inputs.word}}]]
"""
CODE = """\
import pathlib, sys
note = pathlib.Path(sys.argv[1])
text = (note / "note.txt" if note.is_dir() else note).read_text()
pathlib.Path(sys.argv[5], "note.txt").write_text(text * int(sys.argv[2]) + " ".join(sys.argv[3:5] + sys.argv[6:]))
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Specs of a project of trivial steps."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "code").mkdir()
    for name, text in {"code/repeat.py": CODE, "repeat.yml": COMPONENT, "two.yml": SPEC, "note.txt": "x"}.items():
        (folder / name).write_text(text)
    (folder / "plain.yml").write_text('name: plain\nversion: "1"\nimage: ubuntu:24.04\n')
    (folder / "data.yml").write_text('name: note\nversion: "1"\ntype: uri_file\npath: note.txt\n')
    (folder / "model.yml").write_text('name: kept\nversion: "1"\ntype: custom_model\npath: code\n')
    return folder


@pytest.fixture(scope="module", autouse=True)
def environments(client: Any, workspace: Workspace) -> None:
    """What components refer to, made by the command line."""
    for name in ENVIRONMENTS:
        by_line(workspace, "environment", "create", ROOT / "ml/environments" / name)


def by_line(workspace: Workspace, group: str, verb: str, spec: Path, **flags: Any) -> Any:
    """What the command line answers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LOCALML_HOME", str(workspace.home))
        patch.delenv("LOCALML_STRICT", raising=False)
        return commands.run(group, verb, spec=spec, **flags)


def by_sdk(client: Any, kind: str, spec: Path) -> Any:
    """What the SDK makes of a spec."""
    from azure.ai import ml  # noqa: PLC0415 - takes seconds

    operations = {"environment": "environments", "component": "components", "data": "data", "model": "models"}
    return getattr(client, operations[kind]).create_or_update(getattr(ml, f"load_{kind}")(spec))


def kept(workspace: Workspace, kind: str, name: str) -> dict[str, Any]:
    """What the engine keeps of an asset, without what tells of the moment."""
    entry: dict[str, Any] = read_json(next((workspace.home / "assets" / kind / name).glob("*/asset.json")))
    record = {key: value for key, value in entry["record"].items() if key not in OF_THE_MOMENT}
    return {"sha256": entry["sha256"], "record": record}


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_of_this_repo_is_the_same_by_either_door(client: Any, workspace: Workspace, name: str) -> None:
    spec = ROOT / "ml/components" / name
    record = by_line(workspace, "component", "create", spec)
    before = kept(workspace, "component", record["name"])
    by_sdk(client, "component", spec)  # 409 where the content is another
    assert kept(workspace, "component", record["name"]) == before


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_of_this_repo_is_the_same_by_either_door(client: Any, workspace: Workspace, name: str) -> None:
    spec = ROOT / "ml/environments" / name
    record = by_line(workspace, "environment", "create", spec)
    by_sdk(client, "environment", spec)
    assert [each.version for each in client.environments.list(record["name"])] == [record["version"]]


@pytest.mark.parametrize(("kind", "file"), [("environment", "plain"), ("component", "repeat"), ("data", "data")])
def test_an_asset_made_by_the_sdk_first_is_the_same_for_the_command_line(
    client: Any, workspace: Workspace, project: Path, kind: str, file: str
) -> None:
    spec = project / f"{file}.yml"
    made = by_sdk(client, kind, spec)
    before = kept(workspace, kind, made.name)
    by_line(workspace, kind, "create", spec)
    assert kept(workspace, kind, made.name) == before


def test_a_model_of_either_door_is_the_same_for_the_other(client: Any, workspace: Workspace, project: Path) -> None:
    made = by_line(workspace, "model", "create", project / "model.yml")
    again = by_sdk(client, "model", project / "model.yml")
    assert (again.name, str(again.version), again.type) == (made["name"], str(made["version"]), made["type"])
    assert [each.version for each in client.models.list("kept")] == ["1"]


def test_a_compute_and_a_connection_are_the_same_by_either_door(client: Any, workspace: Workspace) -> None:
    from azure.ai import ml  # noqa: PLC0415 - takes seconds

    compute, connection = ROOT / "ml/deploy/compute.yml", ROOT / "ml/data/snowflake.connection.yml"
    files = [workspace.home / "computes", workspace.home / "connections"]
    by_line(workspace, "compute", "attach", compute)
    by_line(workspace, "connection", "create", connection)
    before = [read_json(next(folder.glob("*.json"))) for folder in files]
    client.compute.begin_attach(ml.load_compute(compute)).result()
    client.connections.create_or_update(ml.load_workspace_connection(connection))
    assert [read_json(next(folder.glob("*.json"))) for folder in files] == before


def test_a_job_leaves_the_same_record_by_either_door(client: Any, workspace: Workspace, project: Path) -> None:
    from azure.ai import ml  # noqa: PLC0415 - takes seconds

    for kind, name in (("environment", "plain"), ("component", "repeat")):
        by_sdk(client, kind, project / f"{name}.yml")
    anew = "settings.force_rerun=true"
    submitted = ml.load_job(project / "two.yml", params_override=[{"settings.force_rerun": True}, {"name": "sdk"}])
    client.jobs.create_or_update(submitted)
    client.jobs.stream("sdk")
    by_line(workspace, "job", "create", project / "two.yml", name="line", stream=True, settings=[anew])
    sdk, line = (_record(workspace, name) for name in ("sdk", "line"))
    assert sdk == line
    assert (sdk["status"], sorted(sdk["jobs"])) == ("Completed", ["first", "second"])
    # What the one has computed the other need not compute again.
    by_line(workspace, "job", "create", project / "two.yml", name="first", stream=True)
    client.jobs.create_or_update(ml.load_job(project / "two.yml", params_override=[{"name": "again"}]))
    client.jobs.stream("again")
    again = read_json(workspace.home / "jobs" / "again" / "job.json")
    assert [step["reused_from"] for step in again["jobs"].values()] == ["first", "first"]


def _record(workspace: Workspace, job: str) -> Any:
    """A job's record. Literals of its inputs are texts over REST, as the service has them (JobInputLiteral.value)."""
    record = _lasting(read_json(workspace.home / "jobs" / job / "job.json"))
    inputs = {key: each if isinstance(each, dict) else str(each) for key, each in record["inputs"].items()}
    return record | {"inputs": inputs}


def _lasting(value: Any) -> Any:
    if isinstance(value, list):
        return [_lasting(each) for each in value]
    if isinstance(value, dict):
        return {key: _lasting(each) for key, each in value.items() if key not in OF_THE_MOMENT}
    return _PLACES.sub("PLACE", value) if isinstance(value, str) else value
