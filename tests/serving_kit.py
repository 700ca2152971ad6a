"""A project with an endpoint for tests: real inference servers, and models that misbehave as a file tells them to."""

import http.client
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from localml import cli
from serving_models import BEHAVIOURS, DEPLOYMENT, GOOD, HELPER, REQUEST, SCORE

REPO = Path(__file__).parents[1]
PYTHON = REPO / ".venv-score" / "bin" / "python"


@dataclass
class Answer:
    """What the endpoint answered."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass(frozen=True)
class Done:
    """What a call printed."""

    stdout: str
    stderr: str


@contextmanager
def _variables(wanted: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(wanted)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@dataclass
class Shop:
    """A project folder with its own state, and its endpoint `shop`."""

    root: Path
    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, strict: str = "1") -> dict[str, str]:
        """Variables of a call; strict: the engine answers a script as the service does."""
        ours = {"LOCALML_HOME": str(self.home), "LOCALML_SERVER_PYTHON": str(PYTHON)}
        kept = {key: value for key, value in os.environ.items() if key not in ("AZ_ML", "ENV")}
        return {**kept, **ours, "PYTHONDONTWRITEBYTECODE": "", "LOCALML_STRICT": strict, **self.variables}

    def run(self, *arguments: str, code: int = 0) -> Done:
        """Call localml in this process, which saves an interpreter's start; the exit code must be `code`."""
        out, err, before = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
        try:
            with (
                _variables(self.environment(strict="0")),
                chdir(self.root),
                redirect_stdout(out),
                redirect_stderr(err),
            ):
                returned = cli.main(list(arguments))
        finally:
            signal.signal(signal.SIGTERM, before)
        assert returned == code, out.getvalue() + err.getvalue()
        return Done(out.getvalue(), err.getvalue())

    def rollout(self, *arguments: str, code: int = 0) -> str:
        """Run `python -m rollout` with few requests a step; all that it printed."""
        child = self.start(*arguments, "--samples", "24", module="rollout")
        out, err = child.communicate(timeout=120)
        assert child.returncode == code, out + err
        return out + err

    def start(self, *arguments: str, module: str = "localml") -> subprocess.Popen[str]:
        """Call a module's command line and do not wait."""
        specs = ("--endpoint", "endpoint.yml", "--deployment", "deployment.yml") if module.startswith("rollout") else ()
        command = [sys.executable, "-m", module, *arguments, *specs]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(command, cwd=self.root, env=self.environment(), start_new_session=True, **pipes)

    def json(self, *arguments: str) -> Any:
        """The JSON that a verb prints."""
        return json.loads(self.run(*arguments).stdout)

    def spec(self, name: str, **changes: Any) -> None:
        """Write a deployment spec with top-level fields changed."""
        (self.root / name).write_text(yaml.safe_dump({**DEPLOYMENT, **changes}, sort_keys=False))

    def deploy(self, colour: str = "blue", version: str = GOOD, code: int = 0, **changes: Any) -> str:
        """Create a deployment; what stderr says."""
        self.spec("deployment.yml", **changes)
        model = f"model=azureml:shop-model:{version}"
        flags = ("--file", "deployment.yml", "--name", colour, "--set", model, "--output", "none")
        return self.run("online-deployment", "create", *flags, code=code).stderr

    def traffic(self, text: str, code: int = 0) -> str:
        """Set traffic; what stderr says."""
        flags = ("--name", "shop", "--traffic", text, "--output", "none")
        return self.run("online-endpoint", "update", *flags, code=code).stderr

    def show(self, colour: str = "blue") -> Any:
        """A deployment's record."""
        return self.json("online-deployment", "show", "--endpoint-name", "shop", "--name", colour)

    def key(self) -> str:
        """The primary key."""
        return str(json.loads((self.home / "endpoints" / "shop" / "keys.json").read_text())["primaryKey"])

    def port(self) -> int:
        """The endpoint's port."""
        return int(json.loads((self.home / "endpoints" / "shop" / "endpoint.json").read_text())["port"])

    def ask(self, body: Any = REQUEST, path: str = "/score", method: str = "POST", **headers: str) -> Answer:
        """One request as a caller sends it; `headers` with _ for -."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {self.key()}", "Content-Type": "application/json"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port(), timeout=60)) as connection:
            connection.request(method, path, data, given)
            got = connection.getresponse()
            return Answer(got.status, got.read().decode(), {key.lower(): value for key, value in got.getheaders()})

    def processes(self) -> list[str]:
        """Command lines of the processes that work for this state."""
        import psutil  # noqa: PLC0415

        marks = (str(self.home), f"LOCALML_HOME={self.home}")
        lines = []
        for process in psutil.process_iter():
            try:
                line = " ".join(process.cmdline())
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
            if any(mark in line for mark in marks):
                lines.append(line)
        return lines


@pytest.fixture(scope="session")
def serving_python() -> Path:
    """The inference server's interpreter; made where it is missing."""
    with FileLock(REPO / ".venv" / "score.lock"):
        if not PYTHON.exists():
            subprocess.run(["make", "setup-serving"], cwd=REPO, check=True)
    return PYTHON


@pytest.fixture(scope="session")
def shop_template(tmp_path_factory: pytest.TempPathFactory, serving_python: Path) -> Path:
    """State with every version of the test model registered, made once: that takes seconds."""
    root = tmp_path_factory.mktemp("shop-template")
    for number, behaviour in enumerate(BEHAVIOURS, 1):
        folder = root / str(number) / "model"
        folder.mkdir(parents=True)
        (folder / "behaviour.json").write_text(json.dumps(behaviour))
        (folder / "MLmodel").write_text("flavors: {}\nmlflow_version: 3.15.0\n")
    # All in one process: importing MLflow anew for each version would take a minute.
    code = (
        "import json, os, sys; from pathlib import Path\n"
        "from localml import tracking; from provenance import rehearsal\n"
        "tracking.prepare('model-registrations')\n"
        "os.environ['MLFLOW_TRACKING_URI'] = tracking.uri()\n"
        "for n in range(int(sys.argv[2])):\n"
        "    model = Path(sys.argv[1], str(n + 1), 'model')\n"
        "    tags = rehearsal.prepare(model, 'shop-model')\n"
        "    tracking.main(['register', 'shop-model', str(model), json.dumps(tags), ''])\n"
    )
    env = {**os.environ, "LOCALML_HOME": str(root / "home"), "PYTHONDONTWRITEBYTECODE": ""}
    subprocess.run([sys.executable, "-c", code, str(root), str(len(BEHAVIOURS))], env=env, check=True)
    return root


@pytest.fixture
def bare_shop(tmp_path: Path, shop_template: Path) -> Iterator[Shop]:
    """A project with models, environment and compute, and no endpoint yet."""
    home = tmp_path / "state of mine"
    shutil.copytree(shop_template / "home", home)
    shop = Shop(tmp_path / "project", home)
    (shop.root / "src").mkdir(parents=True)
    (shop.root / "src" / "score.py").write_text(SCORE)
    (shop.root / "src" / "helper.py").write_text(HELPER)
    (shop.root / "request.json").write_text(json.dumps(REQUEST))
    (shop.root / "sample-request.json").write_text(json.dumps(REQUEST))
    (shop.root / "env.yml").write_text(yaml.safe_dump({"name": "score", "version": "1", "image": "example.com/p:1"}))
    endpoint = {"name": "shop", "auth_mode": "key", "compute": "azureml:cluster", "tags": {"team": "platform"}}
    (shop.root / "endpoint.yml").write_text(yaml.safe_dump(endpoint))
    shop.spec("deployment.yml")
    shop.run("environment", "create", "--file", "env.yml", "--output", "none")
    cluster = (
        "--name",
        "cluster",
        "--type",
        "Kubernetes",
        "--resource-id",
        "/subscriptions/0/x",
        "--namespace",
        "demand",
    )
    shop.run("compute", "attach", *cluster, "--output", "none")
    yield shop
    shop.run("_stop")


@pytest.fixture
def shop(bare_shop: Shop) -> Shop:
    """The same with its endpoint."""
    bare_shop.run("online-endpoint", "create", "--file", "endpoint.yml", "--output", "none")
    return bare_shop
