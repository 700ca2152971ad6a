"""A small project of its own for every test, and the engine called as a person would call it."""

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from localml import cli

RUNS = (
    "create table runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status, start_time, "
    "end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
)
EXPERIMENTS = "create table experiments (experiment_id, name, artifact_location, lifecycle_stage)"


@dataclass(frozen=True)
class Done:
    """What a call printed."""

    stdout: str
    stderr: str


@dataclass
class Engine:
    """A project folder with its own state."""

    root: Path
    home: Path
    strict: str = "0"

    def write(self, path: str, text: str | dict[str, Any]) -> Path:
        """Write a file of the project; a mapping becomes YAML."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text if isinstance(text, str) else yaml.safe_dump(text, sort_keys=False))
        return target

    def component(self, name: str, script: str, inputs: Any = None, outputs: Any = None, **more: Any) -> None:
        """A component whose code is one script that gets every input and output as --name value."""
        flags = [
            f"--{each} ${{{{inputs.{each}}}}}" for each, spec in (inputs or {}).items() if not spec.get("optional")
        ]
        flags += [
            f"$[[--{each} ${{{{inputs.{each}}}}}]]" for each, spec in (inputs or {}).items() if spec.get("optional")
        ]
        flags += [f"--{each} ${{{{outputs.{each}}}}}" for each in outputs or {}]
        self.write(f"src/{name}/{name}.py", script)
        spec = {"name": name, "version": "1", "type": "command", "inputs": inputs or {}, "outputs": outputs or {}}
        spec |= {
            "code": f"src/{name}",
            "environment": "azureml:env:1",
            "command": f"python {name}.py {' '.join(flags)}",
        }
        self.write(f"{name}.yml", {**spec, **more})

    def pipeline(self, jobs: dict[str, Any], name: str = "pipeline.yml", **more: Any) -> Path:
        """A pipeline spec."""
        jobs = {key: {"type": "command", **job} for key, job in jobs.items()}
        return self.write(name, {"type": "pipeline", "experiment_name": "tests", **more, "jobs": jobs})

    def environment(self) -> dict[str, str]:
        """Variables of a call."""
        ours = {"LOCALML_HOME": str(self.home), "LOCALML_STRICT": self.strict, "LOCALML_WARM": "0"}
        return {**os.environ, **ours, "PYTHONDONTWRITEBYTECODE": ""}

    def run(self, *arguments: str, code: int = 0) -> Done:
        """Call localml in this process, which saves its start; the exit code must be `code`."""
        out, err = io.StringIO(), io.StringIO()
        before = signal.getsignal(signal.SIGTERM)
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(self.root)
            patch.setenv("LOCALML_HOME", str(self.home))
            patch.setenv("LOCALML_STRICT", self.strict)
            patch.setenv("LOCALML_WARM", "0")
            returned = cli.main(list(arguments))
        signal.signal(signal.SIGTERM, before)
        assert returned == code, out.getvalue() + err.getvalue()
        return Done(out.getvalue(), err.getvalue())

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Call localml and do not wait."""
        command = [sys.executable, "-m", "localml", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.root, env=self.environment(), start_new_session=True, **pipes)

    def json(self, *arguments: str) -> Any:
        """The JSON that a call prints."""
        return json.loads(self.run(*arguments).stdout)

    def job(self, *arguments: str) -> Any:
        """Run pipeline.yml to its end; the job's record."""
        return self.json("job", "create", "--file", "pipeline.yml", "--stream", *arguments)

    def jobs_left(self, pattern: str) -> list[Path]:
        """Files of the state folder that match."""
        return sorted(self.home.glob(pattern))


@pytest.fixture(scope="session")
def mlflow_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State with MLflow's real database in it, made once: that takes seconds."""
    home = tmp_path_factory.mktemp("mlflow")
    code = "from localml import tracking; tracking.prepare('tests')"
    env = {**os.environ, "LOCALML_HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], env=env, check=True)
    return home


@pytest.fixture
def empty_engine(tmp_path: Path) -> Engine:
    """A project without any state; a space in its path, which commands must survive."""
    return Engine(tmp_path / "project", tmp_path / "state of mine")


@pytest.fixture
def engine(empty_engine: Engine) -> Engine:
    """An empty project with a registered environment, and a store that holds no more than the experiment's name:
    these tests track nothing."""
    empty_engine.home.mkdir()
    with closing(sqlite3.connect(empty_engine.home / "mlflow.db")) as store:
        store.execute(EXPERIMENTS)
        store.execute("insert into experiments values (1, 'tests', 'file:///nowhere', 'active')")
        store.execute(RUNS)
        store.execute("create table tags (key text, value text, run_uuid text)")
        store.commit()
    return with_environment(empty_engine)


@pytest.fixture
def tracked_engine(empty_engine: Engine, mlflow_home: Path) -> Engine:
    """The same with MLflow's real store."""
    shutil.copytree(mlflow_home, empty_engine.home)
    return with_environment(empty_engine)


def with_environment(engine: Engine) -> Engine:
    """Register the environment that the components of the tests name."""
    engine.write("env.yml", {"name": "env", "version": "1", "image": "example.com/python:1"})
    engine.run("environment", "create", "--file", "env.yml", "--output", "none")
    return engine


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Wait up to 30 s until a condition holds; its value."""

    def wait(condition: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if value := condition():
                return value
            time.sleep(0.05)
        raise AssertionError("the condition did not come true within 30 s")

    return wait


from serving_kit import bare_shop, serving_python, shop, shop_template  # noqa: E402, F401 - fixtures
