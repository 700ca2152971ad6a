"""What the recipes of ENV=dev call, while the service fails at the k-th call or the caller is killed in it: nothing is
lost, nothing doubled, and the next call goes on. The steps are trivial; training is in test_recipes.py."""

import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import workspace_kit
from workspace_kit import Shell, Workspace

from host.state import read_json

pytestmark = pytest.mark.slow

PIPELINE = """\
type: pipeline
experiment_name: faults
settings: {{default_compute: azureml:cpu-cluster}}
inputs:
  note: {{type: uri_file, path: note.txt}}
jobs:
  copy: {{type: command, component: azureml:{name}:1, inputs: {{note: "${{{{parent.inputs.note}}}}"}}}}
"""
COMPONENT = """\
name: {name}
version: "1"
type: command
code: code
inputs:
  note: {{type: uri_file}}
outputs:
  out: {{type: uri_folder}}
environment: azureml:{name}:1
command: cp ${{{{inputs.note}}}} ${{{{outputs.out}}}}/note.txt
"""
ENVIRONMENT = 'name: {name}\nversion: "1"\nbuild: {{path: context}}\n'
# The calls of `make register-assets` and of `make run-pipeline`, in their order.
RECIPE = (
    "az ml environment create --file environment.yml --output none && "
    "az ml component create --file component.yml --output none && "
    '"$AZ_PYTHON" -m pipeline.submit {name} --file pipeline.yml'
)
ONCE = {"method": "PUT", "at": 1}
LOST = ONCE | {"after": True}
# What strikes in one run of the recipe, each rule once, at the k-th call that it is for. The SDK tries again by itself
# after the first two; the others end the recipe.
FAULTS: dict[str, list[dict[str, Any]]] = {
    "answers that get lost": [
        LOST | {"path": "/environments/", "status": 500},
        LOST | {"path": "/startPendingUpload", "method": "POST", "status": 500},
        LOST | {"path": "/codes/", "cut": True},
        LOST | {"path": "/components/", "cut": True},
        LOST | {"path": "/jobs/", "status": 503},
    ],
    "calls that are refused, cut off and slow": [
        ONCE | {"path": "/listSecrets", "method": "POST", "status": 403},
        ONCE | {"path": "/environments/", "status": 503},
        ONCE | {"path": "/large.bin", "cut": True},
        ONCE | {"path": "/codes/", "status": 429},
        ONCE | {"path": "/jobs/[^/]+$", "method": "GET", "at": 2, "status": 500},
        {"path": "/(jobs|components)/", "at": None, "seconds": 0.1},
    ],
    "a component that is refused": [ONCE | {"path": "/components/", "status": 400}],
    "a job that is refused": [ONCE | {"path": "/jobs/", "status": 400}],
}
# The caller is killed while the server still works on these; what it was asked for may come a second later.
KILLED_IN = {
    "environment": {"method": "PUT", "path": "/environments/"},
    "upload": {"method": "PUT", "path": "/large.bin"},
    "code": {"method": "PUT", "path": "/codes/"},
    "component": {"method": "PUT", "path": "/components/"},
    "job": {"method": "PUT", "path": "/jobs/"},
    "look": {"method": "GET", "path": "/jobs/[^/]+$", "at": 2},
}


@dataclass(frozen=True)
class Project:
    """Specs under a name that no other test has, and the workspace that they go to."""

    folder: Path
    shell: Shell
    workspace: Workspace

    @property
    def name(self) -> str:
        """Name of the environment, the component and the job."""
        return self.folder.name

    @property
    def recipe(self) -> str:
        """The calls, in the project's folder."""
        return f"cd {self.folder}; export AZ_ML='az ml' WATCH_SECONDS=0.2; {RECIPE.format(name=self.name)}"

    def completes(self) -> None:
        """Without faults the recipe goes on, and everything is there once and whole."""
        self.workspace.faults()
        self.shell.run(self.recipe)
        assets = self.workspace.home / "assets"
        for kind in ("environment", "component"):
            assert [path.parent.name for path in (assets / kind / self.name).glob("*/asset.json")] == ["1"]
        sent = (self.folder / "code/large.bin").read_bytes()
        kept = assets / "component" / self.name / "1/content" / f"component-{self.name}" / "code/large.bin"
        assert kept.read_bytes() == sent
        job = read_json(self.workspace.home / "jobs" / self.name / "job.json")
        assert job["status"] == "Completed"
        assert Path(job["jobs"]["copy"]["outputs"]["out"], "note.txt").read_text() == self.name
        assert self.ran() == 1

    def ran(self) -> int:
        """How many jobs of this project there are."""
        return sum(path.name == self.name for path in (self.workspace.home / "jobs").glob("*"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, shop_template: Path) -> Iterator[Workspace]:
    """A workspace with `az` over the SDK of this interpreter, in a state that has MLflow's store already."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(shop_template / "home", home)
    yield workspace_kit.start(home, "--az", sys.executable)
    workspace_kit.run(home, "stop")


@pytest.fixture
def project(request: pytest.FixtureRequest, served: Workspace, tmp_path: Path) -> Iterator[Project]:
    yield new_project(tmp_path, served)
    served.faults()


def new_project(base: Path, served: Workspace) -> Project:
    """Specs whose code and build context nobody has sent before."""
    folder = base / f"p{os.urandom(6).hex()}"
    for name, text in (("environment", ENVIRONMENT), ("component", COMPONENT), ("pipeline", PIPELINE)):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.yml").write_text(text.format(name=folder.name))
    (folder / "note.txt").write_text(folder.name)
    for part in ("code", "context"):
        (folder / part).mkdir()
        (folder / part / "Dockerfile").write_text(f"FROM scratch\n# {folder.name}\n")
    (folder / "code/large.bin").write_bytes(os.urandom(200_000))
    return Project(folder, Shell(served.home), served)


@pytest.mark.parametrize("name", FAULTS)
def test_the_next_call_goes_on_after_a_fault(project: Project, name: str) -> None:
    project.workspace.faults(*FAULTS[name])
    run = project.shell.begin(project.recipe)
    _, err = run.communicate()
    survives = len(FAULTS[name]) > 1
    assert (run.returncode == 0) == survives and ("InjectedFault" in err) == (not survives), err
    assert "Traceback" not in err
    assert project.ran() <= 1
    project.completes()


@pytest.mark.parametrize("rule", KILLED_IN.values(), ids=KILLED_IN)
def test_the_next_call_goes_on_after_the_caller_was_killed(project: Project, rule: dict[str, Any]) -> None:
    project.workspace.faults(rule | {"seconds": 1.0})
    run = project.shell.begin(project.recipe)
    _wait_for_call(project.workspace, rule, run)
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()
    project.completes()


def _wait_for_call(workspace: Workspace, rule: dict[str, Any], run: Any) -> None:
    """Until the server holds the call back, which it notes."""
    held = workspace.home / "workspace" / "held.json"
    end = time.monotonic() + 60
    while read_json(held) is None:
        assert run.poll() is None and time.monotonic() < end, f"no call of {rule}"
        time.sleep(0.02)


def test_recipes_at_once_make_everything_once(project: Project, served: Workspace, tmp_path: Path) -> None:
    """Two callers of one recipe, and one of another."""
    other = new_project(tmp_path, served)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(project.shell.run, [project.recipe, project.recipe, other.recipe]))
    project.completes()
    other.completes()
