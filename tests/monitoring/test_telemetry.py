"""Signals as metrics of Application Insights: the envelope, what is not sent, and what a refusal says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from demand.errors import StepError
from monitoring import telemetry
from monitoring.signals import Signal

MODEL = {"name": "demand-forecast", "version": "7"}
MONTHS = ["2026-09", "2026-10"]
SIGNALS = [
    Signal("bias", "all", 0.2, "retrain", MONTHS, [0.1, 0.3]),
    Signal("wape_over_naive", "U.S.", 1.0, "retrain", MONTHS, [0.6, 0.5]),
    Signal("sales_psi", "all", 0.6, "retrain", MONTHS, [None, None]),
]


@pytest.fixture
def insights() -> Iterator[tuple[str, list[Any]]]:
    """An ingestion endpoint: its connection string, and what came."""
    came: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            items = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            came.append((self.path, items))
            body = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Not to the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"InstrumentationKey=key-1;IngestionEndpoint=http://127.0.0.1:{server.server_port}/;Application=x", came
    server.shutdown()


def test_each_known_signal_is_a_metric_that_an_alert_can_read(insights: tuple[str, list[Any]]) -> None:
    connection, came = insights
    assert telemetry.send(connection, SIGNALS, MODEL) == 2
    ((path, (bias, error)),) = came
    assert path == "/v2.1/track"
    assert bias["iKey"] == "key-1" and bias["data"]["baseType"] == "MetricData"
    base = bias["data"]["baseData"]
    assert base["metrics"] == [{"name": "signal_bias", "value": 0.3, "count": 1}]
    assert base["properties"] == {
        "scope": "all", "limit": "0.2", "state": "breached", "since": "2026-10", "model": "demand-forecast:7",
    }  # fmt: skip
    assert error["data"]["baseData"]["properties"]["state"] == "ok"


def test_without_a_resource_nothing_is_sent() -> None:
    assert telemetry.send("none", SIGNALS, MODEL) == 0


@pytest.mark.parametrize(
    ("connection", "said"),
    [
        ("key-1", "is not a connection string"),
        ("InstrumentationKey=k;IngestionEndpoint=http://example.com/", "must be https"),
        ("InstrumentationKey=k;IngestionEndpoint=http://127.0.0.1:9/", "took no metric"),
    ],
)
def test_a_resource_that_takes_nothing_is_one_line(connection: str, said: str) -> None:
    with pytest.raises(StepError, match=said):
        telemetry.send(connection, SIGNALS, MODEL)
