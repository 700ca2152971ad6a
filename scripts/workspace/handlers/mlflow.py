"""The MLflow plane: calls of MLflow's REST API, handed to a real MLflow server over the engine's store."""

import contextlib
import http.client
import json
import re
from urllib.parse import urlencode

from workspace import mlflow_server
from workspace.messages import Answer, Request, bad_request
from workspace.site import Site

_PATH = re.compile(r"[A-Za-z0-9_-]+(?:/[A-Za-z0-9_-]+)*")
_SECONDS = 120.0


def forward(site: Site, request: Request) -> Answer:
    """What MLflow's own server answers, with its status."""
    if not _PATH.fullmatch(request["call"]):
        raise bad_request(f"{request['call']!r} is not a call of MLflow.")
    query = urlencode(list(request.query.items()))
    path = f"/api/2.0/mlflow/{request['call']}" + (f"?{query}" if query else "")
    body = None if request.body is None else json.dumps(request.body)
    port = mlflow_server.ensure()
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)) as connection:
        connection.request(request.method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(), {"Content-Type": "application/json"})
