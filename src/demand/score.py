"""Scoring script of the endpoint: a thin shell around `demand.forecaster` for azureml-inference-server-http.

It takes the raw HTTP request, since the server itself would answer bytes that are not UTF-8 in a shape of its own.
"""

import gc
import json
import logging
import os
import re
import tempfile
from pathlib import Path
from typing import Any

import orjson
import yaml
from azureml_inference_server_http.api.aml_request import rawhttp
from flask import Response

from demand import openapi
from demand.collecting import Collectors, sink_of
from demand.contract import load_contract
from demand.direct import load_forecaster
from demand.explain import explain
from demand.forecaster import UNKNOWN_STORE
from demand.months import month_name
from demand.requests import MAX_BYTES, Fault, Request, RequestError, RequestRules
from demand.served_model import identity, serving_folder

log = logging.getLogger("azmlinfsrv.score")
JSON = "application/json"
# Objects that are made before the garbage collector looks for cycles; a request makes a few hundred.
GARBAGE = 20_000
CHUNK, MAX_DISCARDED = 1 << 20, 64 << 20
_JSON_TYPE = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE).fullmatch


class Service:
    """One loaded model."""

    def __init__(self, root: Path) -> None:
        """`root` is AZUREML_MODEL_DIR: <...>/<name>/<version>, or the model's own folder below that."""
        folder = next(path.parent for path in sorted(root.glob("**/MLmodel")))
        metadata = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["metadata"]
        self.forecaster = load_forecaster(folder, metadata)
        state = self.forecaster.state
        contract = load_contract(serving_folder(folder) / "sales.contract.yml")
        self.rules = RequestRules(contract, state.key_columns, state.first_month, state.last_month)
        known = month_name(state.last_month)
        name, version = identity(root)
        self.model = {"name": name, "version": version, "known_until": known}
        personal = [column.name for column in contract.columns if column.personal]
        self.collectors = Collectors(sink_of(os.environ), personal).start()

    def answer(self, asked: Request) -> dict[str, Any]:
        """The body of the answer."""
        rows, keys = asked.rows, self.forecaster.state.key_columns
        predictions: list[dict[str, Any]] = []
        for row, (sales, low, high, flags) in zip(rows, self.forecaster.forecast(rows), strict=True):
            one = {name: row[name] for name in keys}
            # Item by item: a display of all of them takes half as long again.
            one["MonthYear"] = month_name(row["Month"])
            one["TotalSales"], one["P10"], one["P90"], one["flags"] = sales, low, high, flags
            predictions.append(one)
        if asked.explain:
            predictions = [{**one, **why} for one, why in zip(predictions, explain(self.forecaster, rows), strict=True)]
        self.collectors.collect(rows, predictions)
        for one in predictions:
            if UNKNOWN_STORE in one["flags"] and (meant := self.forecaster.similar_store(one["StoreID"])):
                one["did_you_mean"] = meant
        return {"predictions": predictions, "model": self.model}


def init() -> None:
    """Load the model and let /swagger.json tell what this model takes."""
    global _service  # noqa: PLW0603  the server knows functions only
    _service = Service(Path(os.environ["AZUREML_MODEL_DIR"]))
    _publish(openapi.document(_service.rules, _service.model["version"]))
    # What was loaded stays: the garbage collector need not look at it with every few requests.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE)
    log.info("Serving %(name)s version %(version)s, sales known until %(known_until)s", _service.model)


_service: Service


def _publish(document: dict[str, Any]) -> None:
    """The server reads swagger.json from its root after init, and from nowhere else; the code folder is read-only."""
    from azureml_inference_server_http.server.config import config  # noqa: PLC0415

    folder = tempfile.mkdtemp(prefix="swagger-")
    (Path(folder) / "swagger.json").write_text(json.dumps(document), encoding="utf-8")
    config.app_root = folder


@rawhttp  # type: ignore[untyped-decorator]
def run(request: Any) -> Any:
    """Answer {"input_data": [{"StoreID", "MonthYear", ...}]}; 400 with row, field and rule for a bad request."""
    given = request.environ
    if given["REQUEST_METHOD"] != "POST":
        refused = RequestError(Fault(None, None, "send a POST request"))
        return Response(json.dumps(refused.as_json()), 405, {"Allow": "POST"}, mimetype=JSON)
    try:
        answer = _service.answer(_service.rules.read(_body(given)))
    except RequestError as error:
        return Response(json.dumps(error.as_json()), 400, mimetype=JSON)
    return Response(orjson.dumps(answer), 200, content_type=JSON)


def _body(given: dict[str, Any]) -> bytes:
    # Flask's properties parse each of these headers into objects, which takes longer than the forest.
    if not _JSON_TYPE(given.get("CONTENT_TYPE", "")):
        raise RequestError(Fault(None, None, "the content type must be application/json"))
    if int(given.get("CONTENT_LENGTH") or 0) > MAX_BYTES:
        _discard(given["wsgi.input"])
        raise RequestError(Fault(None, None, f"at most {MAX_BYTES >> 20} MB a request: send fewer rows"))
    body: bytes = given["wsgi.input"].read(MAX_BYTES + 1)
    return body


def _discard(stream: Any) -> None:
    """Read what a caller still sends: it would see a broken connection in the place of the answer."""
    for _ in range(MAX_DISCARDED // CHUNK):
        if not stream.read(CHUNK):
            break
