"""The endpoint's server with our scoring script, with one that returns a constant, and `mlflow models serve`.

One worker each, one-row requests on loopback, turn by turn so that noise of the machine meets all alike.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from bench.fit_bench import monthly_sales
from demand.grain import MODEL_NAME
from demand.months import month_name
from forecasting import export, packing
from forecasting.features import model_frame, state_of
from forecasting.forests import Settings
from forecasting.prepare import add_features
from forecasting.train import fit_with_interval
from localml.serving.container import LAUNCH
from localml.serving.replica import free_port

REPO = Path(__file__).parents[2]
STORES, ROUNDS, SECONDS, CONNECTIONS = 70, 5, 4, 8
START_SECONDS = 60.0
Figures = dict[str, float]


@cache
def measured() -> dict[str, list[Figures]]:
    """Figures of each round by server: requests per second, and p50 and p99 in ms with one connection and with many."""
    program = wrk()
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as servers:
        model, rows = forest_model(Path(scratch))
        row = {"StoreID": rows["StoreID"].iloc[0], "MonthYear": month_name(_next_month(rows)), "Price": 4.5}
        ours = {"input_data": [{**row, "Promotion": True}]}
        frame = model_frame(rows.tail(1), packing.load(model).features)
        theirs = {"dataframe_split": json.loads(frame.to_json(orient="split", index=False))}
        asked = {
            "constant": (servers.enter_context(server(REPO / "scripts/bench/constant_score.py", model)), ours),
            "ours": (servers.enter_context(server(REPO / "src/score.py", model)), ours),
            "collecting": (servers.enter_context(server(REPO / "src/score.py", model, Path(scratch) / "rows")), ours),
            "mlflow": (servers.enter_context(mlflow(model)), theirs),
        }
        figures: dict[str, list[Figures]] = {name: [] for name in asked}
        for _ in range(ROUNDS):
            for name, (url, body) in asked.items():
                one, many = load(program, url, body, 1), load(program, url, body, CONNECTIONS)
                figures[name].append({"rps": many["rps"], "p99": many["p99"], "row_p50": one["p50"]})
        return figures


def wrk() -> str:
    """The load generator. Raises UserError where it is not there."""
    program = shutil.which("wrk")
    if not program:
        raise UserError("wrk is not on PATH: apt install wrk (Debian, Ubuntu) or brew install wrk")
    return program


def forest_model(scratch: Path) -> tuple[Path, Any]:
    """(folder of a model as the registry has it, the rows it was trained on)."""
    rows = add_features(monthly_sales(STORES))
    packed, _ = fit_with_interval(Settings("history"), rows)
    folder = scratch / MODEL_NAME / "1" / "model"
    folder.parent.mkdir(parents=True)
    packing.save(packed.model, model_frame(rows.tail(3), packed.features), packed.metadata, folder)
    export.write_model(packed.model, packed.features, model_frame(rows.tail(9), packed.features), folder)
    export.write_state(state_of(rows), REPO / "ml/data/sales.contract.yml", folder)
    return folder, rows


def _next_month(rows: Any) -> int:
    last = rows["MonthStart"].max()
    return int(last.year * 12 + last.month)


@contextmanager
def server(
    script: Path, model: Path, collected: Path | None = None, workers: int = 1, pause: float = 0.1
) -> Iterator[str]:
    """The inference server with `script`, which keeps rows where there is a folder for them; its scoring address.

    It is asked every `pause` seconds whether it has started.
    """
    port, python = free_port(), REPO / ".venv-score" / "bin" / "python"
    if not python.exists():
        raise UserError(f"{python} is not there: make setup-serving")
    ours = {"AML_APP_ROOT": str(script.parent), "AZUREML_MODEL_DIR": str(model.parent), "WORKER_COUNT": str(workers)}
    settings = {**os.environ, **ours, "OMP_NUM_THREADS": "1"}
    settings |= {"DEMAND_COLLECT": str(collected)} if collected else {}
    command = [str(python), str(LAUNCH), "--entry_script", str(script), "--port", str(port)]
    with _running(command, settings, f"http://127.0.0.1:{port}/", pause):
        yield f"http://127.0.0.1:{port}/score"


@contextmanager
def mlflow(model: Path) -> Iterator[str]:
    """`mlflow models serve` with the model; its scoring address."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("mlflow")), "models", "serve", "--model-uri", str(model)]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    with _running(command, {**os.environ, "PATH": path}, f"http://127.0.0.1:{port}/ping"):
        yield f"http://127.0.0.1:{port}/invocations"


@contextmanager
def _running(command: Sequence[str], settings: dict[str, str], probe: str, pause: float = 0.1) -> Iterator[None]:
    """A server in a session of its own, ended with all that it started."""
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, env=settings, stdout=log, stderr=log, start_new_session=True)
        try:
            if not _answers(child, probe, pause):
                log.seek(0)
                raise UserError(f"{command[0]} did not start: {log.read().decode(errors='replace')[-500:]}", 1)
            yield
        finally:
            os.killpg(child.pid, 15)
            child.wait()


def _answers(child: subprocess.Popen[bytes], probe: str, pause: float) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(probe, timeout=1).close()  # noqa: S310  loopback
        except OSError:
            time.sleep(pause)
        else:
            return True
    return False


def load(program: str, url: str, body: Any, connections: int) -> Figures:
    """Figures of SECONDS with so many connections."""
    command = [program, "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(Path(__file__).with_name("wrk.lua")), url]
    done = subprocess.run(
        command, env={**os.environ, "BENCH_BODY": json.dumps(body)}, capture_output=True, text=True, check=True
    )
    figures: Figures = json.loads(done.stdout.strip().splitlines()[-1])
    if figures["errors"]:
        raise UserError(f"{url}: {figures['errors']:.0f} requests were not answered well", 1)
    return figures


def _median(name: str, key: str) -> float:
    return statistics.median(round_[key] for round_ in measured()[name])


def _ratio(key: str, peer: str) -> float:
    """Median over the rounds of ours to the peer's: a slow moment of the machine lasts longer than one round."""
    figures = measured()
    return statistics.median(one[key] / other[key] for one, other in zip(figures["ours"], figures[peer], strict=True))


def _result(value: float, unit: str, goal: str, peer: str) -> dict[str, Any]:
    detail = {
        name: {key: round(_median(name, key), 2) for key in ("rps", "p99", "row_p50")}
        for name in ("ours", "collecting", "constant", "mlflow")
    }
    return {"value": round(value, 3), "unit": unit, "goal": goal, "peer": peer, "detail": detail}


def score_vs_constant_rps_fraction() -> dict[str, Any]:
    """Requests per second against a handler that does nothing; the p99 of both is in the detail."""
    result = _result(_ratio("rps", "constant"), "of peer", ">= 0.8, p99 < 3x", "same server, constant handler")
    return {**result, "detail": {**result["detail"], "p99_over_constant": round(_ratio("p99", "constant"), 2)}}


def score_vs_mlflow_serve_rps_ratio() -> dict[str, Any]:
    """Requests per second against MLflow's own server with the scikit-learn model."""
    return _result(_ratio("rps", "mlflow"), "x", ">= 25", "mlflow models serve")


def score_without_collecting_rps_ratio() -> dict[str, Any]:
    """Requests per second without collection over those with it: what keeping every row of every request costs."""
    return _result(_ratio("rps", "collecting"), "x", "<= 1.05", "same script with data_collector on")


def score_row_p50_ms() -> dict[str, Any]:
    """Median milliseconds of a one-row request, one after the other."""
    return _result(_median("ours", "row_p50"), "ms", "under 2x constant", "same server, constant handler")
