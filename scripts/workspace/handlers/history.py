"""Run history and the data planes behind it: details, children, outputs and where they lie."""

import re
from typing import Any

from workspace import runs
from workspace.messages import Answer, Request, bad_request, not_found
from workspace.runs import Run
from workspace.site import Site
from workspace.translate import history

_ASSET = re.compile(
    r"azureml://locations/[^/]+/workspaces/[^/]+/data/azureml_(?P<run>.+?)_output_(?P<name>[^/]+)/versions/1"
)


def show(site: Site, request: Request) -> Answer:
    """One run."""
    return Answer(body=history.run(site, _run(request["run"])))


def details(site: Site, request: Request) -> Answer:
    """A run's details."""
    return Answer(body=history.details(site, _run(request["run"])))


def children(site: Site, request: Request) -> Answer:
    """Runs of the steps that have begun, the newest first."""
    result = _run(request["run"])
    top = request.query.get("$top")
    below = [] if result.step else runs.children(result.record)
    return Answer(body={"value": [history.run(site, each) for each in below[: int(top) if top else None]]})


def data(site: Site, request: Request) -> Answer:
    """A run with what a client selects of it; here always all."""
    wanted = request.body.get("runId") if isinstance(request.body, dict) else None
    if not isinstance(wanted, str):
        raise bad_request("The request has no runId.")
    return Answer(
        body={"runMetadata": history.run(site, _run(wanted)), "runDefinition": None, "jobSpecification": None}
    )


def data_addresses(site: Site, request: Request) -> Answer:
    """Addresses of outputs, by the ids that a run names."""
    return Answer(body={"values": {each: {"uri": _address(site, each), "type": "UriFolder"} for each in _ids(request)}})


def model_addresses(site: Site, request: Request) -> Answer:
    """Addresses of outputs that are models."""
    return Answer(body={"values": {each: {"path": _address(site, each)} for each in _ids(request)}})


def _ids(request: Request) -> list[Any]:
    result = request.body.get("values") if isinstance(request.body, dict) else None
    if not isinstance(result, list):
        raise bad_request("The request has no values.")
    return result


def _address(site: Site, asset: Any) -> str:
    match = _ASSET.fullmatch(str(asset))
    if match is None or match["name"] not in _run(match["run"]).outputs:
        raise not_found(f"Data {asset}")
    return history.address(site, match["run"], match["name"])


def _run(wanted: str) -> Run:
    result = runs.find(wanted)
    if result is None:
        raise not_found(f"Run {wanted}")
    return result
