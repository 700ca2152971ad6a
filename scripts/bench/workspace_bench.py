"""What the workspace costs: one REST call, and a whole training through the real SDK beside the direct one."""

import contextlib
import http.client
import json
import os
import shlex
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

REPO = Path(__file__).parents[2]
CALLS = 300
# Names of dev, so that the recipes find the workspace.
_NAMES = ("--group", "gbj-dmd-dev-rg", "--name", "gbj-dmd-dev-mlw")
# Each look at a job is two calls of the SDK, which take a core from the steps; on Azure it is every 10 s.
_WATCH_SECONDS = "4"
_JOB = "type: command\ncommand: echo hello\nenvironment: azureml:plain:1\n"
_ENVIRONMENT = 'name: plain\nversion: "1"\nimage: ubuntu:24.04\n'


def rest_job_show_p50_ms() -> dict[str, Any]:
    """Milliseconds of a job's GET over a kept connection, the median; beside the same by the command line."""
    with tempfile.TemporaryDirectory() as home, _workspace(home) as client:
        _job(home)
        path = f"{_scope(client)}/jobs/bench?api-version=2024-01-01-preview"
        times = list(_gets(client, path))
        started = time.perf_counter()
        _localml(home, "job", "show", "--name", "bench")
        command = (time.perf_counter() - started) * 1000
    times.sort()
    detail = {"calls": CALLS, "p95_ms": round(times[int(CALLS * 0.95)], 2), "max_ms": round(times[-1], 2)}
    return {
        "value": round(statistics.median(times), 2),
        "unit": "ms",
        "goal": "< 10",
        "peer": f"localml job show: {command:.0f} ms",
        "detail": detail,
    }


def sdk_round_trip_seconds() -> dict[str, Any]:
    """Seconds of `make run-pipeline ENV=dev` through azure-ai-ml and the workspace, its imports paid beforehand."""
    with tempfile.TemporaryDirectory() as direct:
        _make(direct, "import-data")
        own = _timed(lambda: _make(direct, "run-pipeline"))
        _make(direct, "stop")
    with tempfile.TemporaryDirectory() as home:
        # Imported by the engine itself, into the state that the workspace then serves.
        _make(home, "import-data")
        with _workspace(home) as client, _preloaded(home, client) as variables:
            through = _timed(lambda: _make(home, "run-pipeline", "ENV=dev", **variables))
        _make(home, "stop")
    return {
        "value": round(through, 1),
        "unit": "s",
        "goal": f"<= 1.3x: {1.3 * own:.1f}",
        "peer": f"make run-pipeline: {own:.1f} s",
        "detail": {"ratio": round(through / own, 2), "direct_s": round(own, 1)},
    }


@contextlib.contextmanager
def _workspace(home: str) -> Iterator[dict[str, str]]:
    """A workspace on a state folder; the variables of its clients."""
    _python(home, "workspace", "start", *_NAMES)
    lines = Path(home, "workspace/env.sh").read_text(encoding="utf-8").splitlines()
    pairs = (shlex.split(line.removeprefix("export "))[0].partition("=") for line in lines)
    try:
        yield {key: value for key, _, value in pairs}
    finally:
        _python(home, "workspace", "stop")


@contextlib.contextmanager
def _preloaded(home: str, client: dict[str, str]) -> Iterator[dict[str, str]]:
    """`az` first on PATH, over an interpreter that has imported the SDK."""
    path = Path(home, "az.sock")
    command = [sys.executable, "-m", "workspace.az.preloaded", str(path)]
    child = subprocess.Popen(command, cwd=REPO, env=environment(home))
    try:
        while not path.is_socket():
            if child.poll() is not None:
                raise RuntimeError(f"the preloaded interpreter ended with {child.returncode}")
            time.sleep(0.1)
        az = REPO / "scripts/workspace/az"
        more = {"AZ_PRELOADED": str(path), "AZ_PYTHON": sys.executable, "WATCH_SECONDS": _WATCH_SECONDS}
        yield {**client, **more, "PATH": f"{az}{os.pathsep}{os.environ['PATH']}"}
    finally:
        child.terminate()
        child.wait()


def _job(home: str) -> None:
    """A job of one command that has ended."""
    for name, text in (("env.yml", _ENVIRONMENT), ("job.yml", _JOB)):
        Path(home, name).write_text(text, encoding="utf-8")
    _localml(home, "environment", "create", "--file", f"{home}/env.yml")
    _localml(home, "job", "create", "--file", f"{home}/job.yml", "--name", "bench", "--stream")


def _gets(client: dict[str, str], path: str) -> Iterator[float]:
    """Milliseconds of each call."""
    address = urlsplit(client["ARM_CLOUD_METADATA_URL"])
    trust = ssl.create_default_context(cafile=client["REQUESTS_CA_BUNDLE"])
    connection = http.client.HTTPSConnection(str(address.hostname), address.port, context=trust)
    with contextlib.closing(connection):
        secret = {"X-IDENTITY-HEADER": client["IDENTITY_HEADER"]}
        connection.request("GET", "/identity/token?api-version=2019-08-01&resource=bench", headers=secret)
        token = json.loads(connection.getresponse().read())["access_token"]
        for _ in range(CALLS):
            started = time.perf_counter()
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status != 200:
                raise RuntimeError(f"the workspace answered {answer.status}: {body}")
            yield (time.perf_counter() - started) * 1000


def _scope(client: dict[str, str]) -> str:
    names = [client[key] for key in ("AZURE_SUBSCRIPTION_ID", "AZURE_DEFAULTS_GROUP", "AZURE_DEFAULTS_WORKSPACE")]
    place = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.MachineLearningServices/workspaces/{}"
    return place.format(*names)


def _timed(work: Any) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def _make(home: str, *words: str, **variables: str) -> None:
    seeded = [] if Path(home, "warehouse/seeded.json").exists() or "stop" in words else ["seed-sales"]
    _run(["/usr/bin/env", "make", *seeded, *words], {**environment(home), **variables})


def _localml(home: str, *words: str) -> None:
    _python(home, "localml", *words)


def _python(home: str, module: str, *words: str) -> None:
    _run([sys.executable, "-m", module, *words], environment(home))


def _run(command: list[str], variables: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=REPO, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-500:]}")


def environment(home: str) -> dict[str, str]:
    """Variables of a call with this state, whatever the shell has set for make."""
    kept = {key: value for key, value in os.environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL", "AZ_ML", "ENV")}
    return {**kept, "LOCALML_HOME": home, "PYTHONDONTWRITEBYTECODE": ""}
