"""The same YAML through both doors, the command line's and REST's, is the same content and leaves the same records."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
ENVIRONMENTS = sorted((ROOT / "ml/environments").glob("*.yml"))
COMPONENTS = sorted((ROOT / "ml/components").glob("*.yml"))


def localml(home: Path, *words: str) -> Any:
    """What a verb of the command line answers."""
    env = {key: value for key, value in os.environ.items() if key != "LOCALML_STRICT"} | {"LOCALML_HOME": str(home)}
    command = [sys.executable, "-m", "localml", *words, "--output", "json"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def registered(client: Any, workspace: Any) -> dict[Path, dict[str, Any]]:
    """Every spec of the repo, made over REST; its record as the command line shows it."""
    from azure.ai.ml import load_component, load_environment  # noqa: PLC0415 - takes seconds

    for spec in ENVIRONMENTS:
        client.environments.create_or_update(load_environment(spec))
    for spec in COMPONENTS:
        client.components.create_or_update(load_component(spec))
    shown = {}
    for kind, specs in (("environment", ENVIRONMENTS), ("component", COMPONENTS)):
        for spec in specs:
            text = spec.read_text()
            name, version = (
                re.search(rf'^{key}: "?([^"\n]+)"?$', text, re.MULTILINE)[1] for key in ("name", "version")
            )  # type: ignore[index]
            shown[spec] = localml(workspace.home, kind, "show", "--name", name, "--version", version)
    return shown


@pytest.mark.parametrize("spec", [*ENVIRONMENTS, *COMPONENTS], ids=lambda path: path.stem)
def test_what_rest_has_registered_is_no_change_for_the_command_line(
    registered: dict[Path, dict[str, Any]], workspace: Any, spec: Path
) -> None:
    kind = spec.parent.name.removesuffix("s")
    assert localml(workspace.home, kind, "create", "--file", str(spec)) == registered[spec]


def test_what_the_command_line_has_registered_is_no_change_for_rest(
    client: Any, workspace: Any, tmp_path: Path
) -> None:
    from azure.ai.ml import load_component, load_data, load_environment, load_model  # noqa: PLC0415 - takes seconds

    folder = project(tmp_path)
    loaders = {
        "environment": load_environment,
        "component": load_component,
        "data": load_data,
        "model": load_model,
    }
    for kind, loader in loaders.items():
        spec = folder / f"{kind}.yml"
        made = localml(workspace.home, kind, "create", "--file", str(spec))
        operations = getattr(client, kind if kind == "data" else f"{kind}s")
        assert operations.create_or_update(loader(spec)).version == made["version"] == "1"
        assert [each["version"] for each in localml(workspace.home, kind, "list", "--name", made["name"])] == ["1"]


def project(folder: Path) -> Path:
    """One spec of every kind, and a pipeline of two steps."""
    files = {
        "code/double.py": "import pathlib, sys\n"
        "text = pathlib.Path(sys.argv[1]).read_text()\n"
        "pathlib.Path(sys.argv[2], 'text.txt').write_text(text * int(sys.argv[3]))\nprint('doubled')\n",
        "sales.csv": "a,b\n",
        "environment.yml": 'name: doors\nversion: "1"\ndescription: Doors.\nimage: ubuntu:24.04\n',
        "component.yml": 'name: double\nversion: "1"\ntype: command\ncode: code\nenvironment: azureml:doors:1\n'
        "inputs:\n  text: {type: uri_file}\n  times: {type: integer, default: 2, min: 1, max: 9}\n"
        "outputs:\n  result: {type: uri_folder}\n"
        "command: python double.py ${{inputs.text}} ${{outputs.result}} ${{inputs.times}}\n",
        "data.yml": 'name: doors\nversion: "1"\ntype: uri_file\npath: sales.csv\n',
        "model.yml": 'name: doors\nversion: "1"\ntype: custom_model\npath: sales.csv\n',
        "pipeline.yml": "type: pipeline\nsettings: {default_compute: azureml:cpu-cluster}\n"
        "experiment_name: doors\ndisplay_name: Two steps\n"
        "inputs:\n  text: {type: uri_file, path: azureml:doors:1}\n  times: 3\n"
        "outputs:\n  twice: {type: uri_folder}\n"
        "jobs:\n"
        "  first:\n    type: command\n    component: azureml:double:1\n"
        "    inputs: {text: '${{parent.inputs.text}}', times: '${{parent.inputs.times}}'}\n"
        "  second:\n    type: command\n    component: file:component.yml\n"
        "    inputs: {text: {type: uri_file, path: 'azureml:doors:1'}}\n"
        "    outputs: {result: '${{parent.outputs.twice}}'}\n",
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_job_leaves_the_same_record_and_reuses_the_other_doors_steps(
    client: Any, workspace: Any, tmp_path: Path
) -> None:
    from azure.ai.ml import load_job  # noqa: PLC0415 - takes seconds

    folder = project(tmp_path)
    for kind in ("environment", "component", "data"):
        localml(workspace.home, kind, "create", "--file", str(folder / f"{kind}.yml"))
    localml(workspace.home, "job", "create", "--file", str(folder / "pipeline.yml"), "--name", "by-file")
    localml(workspace.home, "job", "stream", "--name", "by-file")
    submitted = client.jobs.create_or_update(load_job(folder / "pipeline.yml"))
    client.jobs.stream(submitted.name)
    by_file, by_rest = (localml(workspace.home, "job", "show", "--name", name) for name in ("by-file", submitted.name))
    assert {step["reused_from"] for step in by_rest["jobs"].values()} == {"by-file"}
    assert meaning(by_file) == meaning(by_rest)
    assert (Path(by_rest["outputs"]["twice"]["path"]) / "text.txt").read_text() == "a,b\n" * 2


# What differs from run to run, and the file's name, which nothing tells the service.
LEFT_OUT = ("name", "id", "creation_context", "engine", "started", "seconds", "process", "log", "command")
LEFT_OUT += ("reused_from", "exit_code", "spec")


def meaning(record: Any) -> Any:
    """A record without names, times, processes and places; numbers as texts, which literals are in a REST body."""
    if isinstance(record, dict):
        return {key: meaning(value) for key, value in record.items() if key not in LEFT_OUT}
    return re.sub(r".*/", "", str(record))
