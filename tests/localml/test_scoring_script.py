"""The scoring script under the real inference server: its document is true, and no caller can hurt it."""

import http.client
import json
import os
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from forecasting import export, packing
from forecasting.features import model_frame, state_of
from forecasting.forests import Settings
from forecasting.prepare import add_features
from forecasting.rolling import Rolling
from forecasting.train import fit_with_interval
from helpers_sales import CONTRACT, monthly_sales
from localml.serving.container import LAUNCH
from localml.serving.replica import free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scoring")]
SRC = Path(__file__).parents[2] / "src"
JSON = {"Content-Type": "application/json"}
GOOD = {"input_data": [{"StoreID": "S000", "MonthYear": "2024-01"}]}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """AZUREML_MODEL_DIR of a small model, version 7 of demand-forecast."""
    rows = add_features(monthly_sales(stores=8, months=24))
    packed, _ = fit_with_interval(Settings("history", n_estimators=20), rows, Rolling(3))
    folder = tmp_path_factory.mktemp("models") / "demand-forecast" / "7" / "model"
    folder.parent.mkdir(parents=True)
    example = model_frame(rows.tail(9), packed.features)
    packing.save(packed.model, example, packed.metadata, folder)
    export.write_model(packed.model, packed.features, example, folder)
    export.write_state(state_of(rows), CONTRACT, folder)
    return folder.parent


@contextmanager
def serving(python: Path, model: Path, log: Path, **more: str) -> Iterator[int]:
    """The server's port."""
    number = free_port()
    # As on Azure ML: the folder of the scoring script, and nothing on PYTHONPATH.
    settings_ = {"AML_APP_ROOT": str(SRC), "AZUREML_ENTRY_SCRIPT": "score.py", "AZUREML_MODEL_DIR": str(model)}
    command = [str(python), "-P", str(LAUNCH), "--entry_script", "score.py", "--port", str(number)]
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment = {**kept, **settings_, "WORKER_COUNT": "1", "OMP_NUM_THREADS": "1", **more}
    with log.open("wb") as stream:
        child = subprocess.Popen(
            command, cwd=SRC, env=environment, stdout=stream, stderr=stream, start_new_session=True
        )
    try:
        _wait(number, child, log)
        yield number
    finally:
        os.killpg(child.pid, 9)
        child.wait()


@pytest.fixture(scope="module")
def port(serving_python: Path, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(serving_python, model, tmp_path_factory.mktemp("server") / "log") as number:
        yield number


def _wait(port: int, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and child.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(log.read_text())


def ask(port: int, body: Any, method: str = "POST", headers: dict[str, str] | None = None) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request(method, "/score", data, JSON if headers is None else headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def test_an_answer_has_forecasts_with_their_interval_and_the_model(port: int) -> None:
    status, answer = ask(port, {"input_data": [*GOOD["input_data"], {"StoreID": "new", "MonthYear": "2024-06"}]})
    assert status == 200
    assert answer["model"] == {"name": "demand-forecast", "version": "7", "known_until": "2023-12"}
    assert [row["flags"] for row in answer["predictions"]] == [[], ["unknown_store"]]
    for row in answer["predictions"]:
        assert row["P10"] <= row["TotalSales"] <= row["P90"]


def test_a_store_in_another_spelling_is_unknown_and_the_known_one_is_named(port: int) -> None:
    rows = [{"StoreID": store, "MonthYear": "2024-01"} for store in ("s000 ", "S000", "new")]
    _, answer = ask(port, {"input_data": rows})
    assert [row["flags"] for row in answer["predictions"]] == [["unknown_store"], [], ["unknown_store"]]
    assert [row.get("did_you_mean") for row in answer["predictions"]] == ["S000", None, None]


def test_explain_adds_drivers_and_the_past(port: int) -> None:
    _, answer = ask(port, {**GOOD, "explain": True})
    (row,) = answer["predictions"]
    assert row["drivers"] and [one["MonthYear"] for one in row["past"]] == ["2023-01", "2022-01"]


@pytest.mark.parametrize(
    ("body", "headers", "rule"),
    [
        (b'{"input_data": "\xff"}', JSON, "UTF-8"),
        (b"[" * 100_000, JSON, "nested"),
        (json.dumps(GOOD).replace('"2024-01"', "NaN").encode(), JSON, "NaN"),
        (json.dumps(GOOD).replace('"2024-01"', "-Infinity").encode(), JSON, "Infinity"),
        (json.dumps(GOOD).encode(), {"Content-Type": "text/plain"}, "content type"),
        (json.dumps(GOOD).encode(), {}, "content type"),
        (b"", JSON, "JSON"),
        (b" " * (10 << 20) + b"{}", JSON, "10 MB"),
        (json.dumps({"input_data": GOOD["input_data"] * 10_001}).encode(), JSON, "10000"),
    ],
    ids=["utf-8", "nesting", "nan", "infinity", "text", "no type", "empty", "too large", "too many"],
)
def test_whatever_a_client_does_wrong_is_400_and_the_server_lives_on(
    port: int, body: bytes, headers: dict[str, str], rule: str
) -> None:
    status, answer = ask(port, body, headers=headers)
    assert status == 400 and rule in answer["error"]["rule"]
    assert {"row", "field", "rule"} <= set(answer["errors"][0])
    assert ask(port, GOOD)[0] == 200


def test_another_method_is_405(port: int) -> None:
    assert ask(port, b"", method="GET")[0] == 405


def test_a_chunked_body_is_answered_and_one_that_never_ends_holds_nobody_up(port: int) -> None:
    body = json.dumps(GOOD).encode()
    head = b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))
        assert client.makefile("rb").readline().split()[1] == b"200"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(head + b"Content-Length: 500\r\n\r\n{")
    assert ask(port, GOOD)[0] == 200


def test_ten_thousand_rows_are_answered(port: int) -> None:
    rows = [
        {"StoreID": f"S{n % 8:03d}", "MonthYear": f"2024-{n % 12 + 1:02d}", "Price": n / 1000} for n in range(10_000)
    ]
    status, answer = ask(port, {"input_data": rows})
    assert status == 200 and len(answer["predictions"]) == 10_000


def test_memory_of_the_worker_is_flat(port: int) -> None:
    rows = [{"StoreID": f"S{n % 8:03d}", "MonthYear": f"2025-{n % 12 + 1:02d}", "Price": n / 100} for n in range(500)]

    def megabytes() -> float:
        return max(process.memory_info().rss for process in _workers(port)) / 1e6

    for _ in range(30):
        assert ask(port, {"input_data": rows})[0] == 200
    before = megabytes()
    for _ in range(120):
        ask(port, {"input_data": rows})
    assert megabytes() - before < 20


def _workers(port: int) -> list[psutil.Process]:
    (listener, *_) = [one for one in psutil.net_connections("tcp") if one.laddr.port == port and one.status == "LISTEN"]
    parent = psutil.Process(listener.pid)
    return [parent, *parent.children(recursive=True)]


def test_the_endpoint_answers_as_its_openapi_document_says(port: int) -> None:
    """Requests that the document allows and forbids, with every check of schemathesis."""
    schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{port}/swagger.json")

    for operation in schema.get_all_operations():
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            _run(operation.ok().as_strategy(generation_mode=mode))


def _run(strategy: Any) -> None:
    @given(case=strategy)
    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def check(case: Any) -> None:
        case.call_and_validate()

    check()


@pytest.fixture
def sidecar() -> Iterator[tuple[int, list[tuple[str, str, Any]]]]:
    """A server in the place of Azure ML's data collector: its port, and (kind, correlation, rows) of what came."""
    came: list[tuple[str, str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.append((self.headers["ce-type"], self.headers["ce-x-request-id"], body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Not to the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, came
    server.shutdown()


def test_the_data_collector_gets_what_was_asked_and_answered(
    serving_python: Path, model: Path, tmp_path: Path, sidecar: tuple[int, list[tuple[str, str, Any]]]
) -> None:
    number, came = sidecar
    collections = {name: {"enabled": True} for name in ("model_inputs", "model_outputs")}
    config = tmp_path / "mdc.json"
    config.write_text(json.dumps({"collections": collections}))
    more = {"AZUREML_MDC_CONFIG_PATH": str(config), "AZUREML_MDC_PORT": str(number)}
    with serving(serving_python, model, tmp_path / "log", **more) as port:
        status, answer = ask(port, {"input_data": [{**GOOD["input_data"][0], "Price": 4.5}]})
        assert status == 200
        deadline = time.monotonic() + 20
        while len(came) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert {kind for kind, _, _ in came} == {"azureml.inference.model_inputs", "azureml.inference.model_outputs"}
    assert len({correlation for _, correlation, _ in came}) == 1
    by_collector = {kind.rpartition(".")[2]: rows for kind, _, rows in came}
    (asked,), (forecast,) = by_collector["model_inputs"], by_collector["model_outputs"]
    assert {name: asked.pop(name) for name in ("RequestID", "RequestTime")} == {
        name: forecast.pop(name) for name in ("RequestID", "RequestTime")
    }
    assert asked == {"MonthYear": "2024-01", "StoreID": "S000", "Price": 4.5}
    assert forecast["TotalSales"] == pytest.approx(answer["predictions"][0]["TotalSales"])
    assert set(forecast) == {"StoreID", "MonthYear", "TotalSales", "P10", "P90", "flags"}


def test_forecasts_go_on_where_the_data_collector_is_not_there(
    serving_python: Path, model: Path, tmp_path: Path
) -> None:
    more = {"AZUREML_MDC_ENABLED": "true", "AZUREML_MDC_PORT": str(free_port())}
    with serving(serving_python, model, tmp_path / "log", **more) as port:
        assert [ask(port, GOOD)[0] for _ in range(5)] == [200] * 5
