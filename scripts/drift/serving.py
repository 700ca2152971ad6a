"""The endpoint: is it there, does what has traffic serve the code and the spec that git holds, did its rollout end?"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from drift.difference import Difference
from pipeline import azml
from rollout.site import EndpointState, Site


def differences(root: Path) -> Iterator[Difference]:
    """Compare compute, endpoint and deployments with ml/deploy."""
    folder = root / "ml" / "deploy"
    yield from _compute(folder / "compute.yml")
    site = Site(folder / "endpoint.yml", folder / "deployment.yml")
    state = site.read()
    if state is None or not any(state.traffic.values()):
        how = "is not there" if state is None else "serves nothing"
        yield Difference(f"online-endpoint {site.name}", how, deploy())
        return
    yield from _endpoint(site, _spec(folder / "endpoint.yml"))
    yield from _deployments(site, state)


def deploy() -> str:
    """The recipe that puts git's state behind the endpoint."""
    return f"make deploy ENV={os.environ.get('ENV', 'local')}"


def _spec(path: Path) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return data


def _compute(path: Path) -> Iterator[Difference]:
    name = str(_spec(path)["name"])
    if name not in {str(each.get("name")) for each in azml.call("compute", "list") or []}:
        todo = deploy() if azml.is_local() else f"make attach-infra ENV={os.environ.get('ENV', '')}"
        yield Difference(f"compute {name}", "is not attached", todo)


def _endpoint(site: Site, spec: dict[str, Any]) -> Iterator[Difference]:
    record = azml.call("online-endpoint", "show", name=site.name) or {}
    what, todo = f"online-endpoint {site.name}", "az ml online-endpoint update --file ml/deploy/endpoint.yml"
    mode = str(record.get("auth_mode") or spec["auth_mode"]).rsplit(".", 1)[-1].lower()
    if mode != spec["auth_mode"]:
        yield Difference(what, f"auth_mode is {mode}, git says {spec['auth_mode']}", todo)
    tags = record.get("tags") or {}
    for key, value in (spec.get("tags") or {}).items():
        if str(tags.get(key)) != str(value):
            yield Difference(what, f"tag {key} is {tags.get(key, 'not set')}, git says {value}", todo)


def _deployments(site: Site, state: EndpointState) -> Iterator[Difference]:
    if not state.is_settled:
        shares = " ".join(f"{name}={share}" for name, share in sorted(state.traffic.items()))
        yield Difference(f"online-endpoint {site.name}", f"traffic is {shares}: a rollout did not end", deploy())
    for name in sorted(name for name, share in state.traffic.items() if share):
        what = f"online-deployment {name}"
        if not state.contents.get(name):
            yield Difference(what, "was not made by make deploy: it has no content tag", deploy())
        elif state.contents[name] != site.content():
            yield Difference(what, "serves another deployment.yml or other code than git holds", deploy())
