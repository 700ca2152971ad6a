"""The scoring script under the real inference server: its document is true, and no caller can hurt it."""

import http.client
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings

from demand import packing, serving_files
from demand.features import model_frame
from demand.prepare import add_features
from demand.train import Settings, fit_with_interval
from helpers_sales import CONTRACT, monthly_sales
from localml.serving.replica import LAUNCH, free_port

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("scoring")]
SRC = Path(__file__).parents[2] / "src"
JSON = {"Content-Type": "application/json"}
GOOD = {"input_data": [{"StoreID": "S000", "MonthYear": "2024-01"}]}


@pytest.fixture(scope="module")
def port(serving_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with a small model, version 7 of demand-forecast."""
    rows = add_features(monthly_sales(stores=8, months=24))
    packed = fit_with_interval(Settings("history", n_estimators=20), rows)
    folder = tmp_path_factory.mktemp("models") / "demand-forecast" / "7" / "model"
    folder.parent.mkdir(parents=True)
    example = model_frame(rows.tail(9), packed.features)
    packing.save(packed.model, example, packed.metadata, folder)
    serving_files.write_model(packed.model, packed.features, example, folder)
    serving_files.write_state(rows, CONTRACT, folder)
    number = free_port()
    settings_ = {"AML_APP_ROOT": str(SRC), "PYTHONPATH": str(SRC), "AZUREML_MODEL_DIR": str(folder.parent)}
    command = [str(serving_python), str(LAUNCH), "--entry_script", str(SRC / "demand/score.py"), "--port", str(number)]
    environment = {**os.environ, **settings_, "WORKER_COUNT": "1", "OMP_NUM_THREADS": "1"}
    with (folder.parent / "log").open("wb") as log:
        child = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(number, child, folder.parent / "log")
        yield number
    finally:
        os.killpg(child.pid, 9)
        child.wait()


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
    status, found = ask(port, {"input_data": [*GOOD["input_data"], {"StoreID": "new", "MonthYear": "2024-06"}]})
    assert status == 200
    assert found["model"] == {"name": "demand-forecast", "version": "7", "known_until": "2023-12"}
    assert [row["flags"] for row in found["predictions"]] == [[], ["unknown_store"]]
    for row in found["predictions"]:
        assert row["P10"] <= row["TotalSales"] <= row["P90"]


def test_explain_adds_drivers_and_the_past(port: int) -> None:
    _, found = ask(port, {**GOOD, "explain": True})
    (row,) = found["predictions"]
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
    status, found = ask(port, body, headers=headers)
    assert status == 400 and rule in found["error"]["rule"]
    assert {"row", "field", "rule"} <= set(found["errors"][0])
    assert ask(port, GOOD)[0] == 200


def test_another_method_is_405(port: int) -> None:
    assert ask(port, b"", method="GET")[0] == 405


def test_a_chunked_body_and_a_body_that_never_comes(port: int) -> None:
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
    status, found = ask(port, {"input_data": rows})
    assert status == 200 and len(found["predictions"]) == 10_000


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


def test_the_api_document_is_true(port: int) -> None:
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
