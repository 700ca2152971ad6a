"""A server that speaks just enough of Snowflake's protocol to record what the real connector sends to it."""

import gzip
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ONE_ROW = {
    "rowtype": [{"name": "1", "type": "fixed", "length": None, "precision": 1, "scale": 0, "nullable": False}],
    "rowset": [["1"]],
    "queryResultFormat": "json",
    "total": 1,
    "returned": 1,
    "queryId": "01",
    "statementTypeId": 4096,
    "parameters": [],
}


class FakeServer(ThreadingHTTPServer):
    """Answers sign-ins and queries; `requests` holds (path, body) of each, `seconds` is how long a query takes."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[str, Any]] = []
        self.seconds = 0.0
        self.redirect = ""
        self.refusal = ""

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.server_address[1])

    def bodies(self, path: str) -> list[Any]:
        """Bodies of the requests to paths that begin with `path`."""
        return [body for asked, body in self.requests if asked.startswith(path)]


class _Handler(BaseHTTPRequestHandler):
    server: FakeServer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        if self.server.redirect:
            self.send_response(302)
            self.send_header("Location", self.server.redirect)
            self.end_headers()
        elif "resource=" in self.path:  # what Azure ML's MSI_ENDPOINT answers
            self._answer({"access_token": "entra", "expires_on": int(time.time()) + 3600, "token_type": "Bearer"})
        else:
            self._answer({})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        zipped = self.headers.get("Content-Encoding") == "gzip"
        self.server.requests.append((self.path, json.loads(gzip.decompress(body) if zipped else body)))
        if self.path.startswith("/session/v1/login-request"):
            self._answer(_signed_in(self.server.refusal))
        elif self.path.startswith("/queries/v1/query-request"):
            time.sleep(self.server.seconds)
            self._answer({"data": ONE_ROW, "success": True, "code": None, "message": None})
        else:
            self._answer({"data": {}, "success": True, "code": None, "message": None})

    def _answer(self, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _signed_in(refusal: str) -> dict[str, Any]:
    if refusal:
        return {"data": {}, "success": False, "code": "394300", "message": refusal}
    data = {"token": "t", "masterToken": "m", "validityInSeconds": 3600, "masterValidityInSeconds": 14400}
    return {"data": {**data, "parameters": [], "sessionInfo": {}, "sessionId": 1}, "success": True}


@contextmanager
def fake_snowflake() -> Iterator[FakeServer]:
    """A running server, ended at the end."""
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
