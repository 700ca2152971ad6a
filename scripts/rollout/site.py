"""The endpoint as the verbs show it. What a rollout has done is read off the endpoint and remembered nowhere else."""

import os
import re
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from amlspec import snapshot
from amlspec.errors import UserError
from amlspec.references import Reference
from host import hashing
from host.state import home
from pipeline import answers, azml, models

COLOURS = ("blue", "green")
# The endpoint's tag that names the deployment to fall back to. It moves only when a rollout has ended well.
STABLE = "stable"
# A deployment's tag that says what it was made of, besides its model.
CONTENT = "content"
_TRIES, _PAUSE_SECONDS = 3, 1.0
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True)
class EndpointState:
    """What the endpoint is now."""

    traffic: dict[str, int]
    versions: dict[str, str]
    contents: dict[str, str]
    healthy: frozenset[str]
    tags: dict[str, str]

    @property
    def stable(self) -> str | None:
        """The deployment to fall back to; None where nothing has traffic."""
        tagged = self.tags.get(STABLE)
        live = [name for name, share in self.traffic.items() if share > 0]
        if not live:
            return None
        return tagged if tagged in self.versions else max(live, key=lambda name: self.traffic[name])

    @property
    def is_settled(self) -> bool:
        """Whether no rollout was interrupted: all traffic is with the stable deployment, or none anywhere."""
        live = {name: share for name, share in self.traffic.items() if share > 0}
        return not live or live == {self.stable: 100}

    def other(self, colour: str | None) -> str:
        """The colour beside `colour`."""
        return next(each for each in COLOURS if each != colour)


class Site:
    """Verbs of one endpoint. A call that fails is tried again, since every one of them may be repeated."""

    def __init__(self, endpoint_spec: Path, deployment_spec: Path, grain: str = "store") -> None:
        self.endpoint_spec, self.deployment_spec = endpoint_spec, deployment_spec
        self.name = models.endpoint_for(grain, str(_field(endpoint_spec, "name")))
        self.model = models.name_for(grain, _model_name(str(_field(deployment_spec, "model"))))

    def version(self, wanted: str | None) -> str:
        """The version to serve: `wanted`, or the champion. Raises UserError where there is none."""
        return str(_repeat(lambda: models.version_or_champion(self.model, wanted)))

    def read(self) -> EndpointState | None:
        """The endpoint's state; None where it does not exist."""
        endpoints = {str(each["name"]): each for each in self.call("online-endpoint", "list") or []}
        if self.name not in endpoints:
            return None
        endpoint = endpoints[self.name]
        deployments = self.call("online-deployment", "list", endpoint_name=self.name) or []
        return EndpointState(
            traffic={name: int(share) for name, share in (endpoint.get("traffic") or {}).items()},
            versions={str(each["name"]): _version(each.get("model")) for each in deployments},
            contents={str(each["name"]): str((each.get("tags") or {}).get(CONTENT, "")) for each in deployments},
            healthy=frozenset(str(each["name"]) for each in deployments if _is_healthy(each)),
            tags={str(key): str(value) for key, value in (endpoint.get("tags") or {}).items()},
        )

    def content(self) -> str:
        """Hash of the deployment's spec and its code; a version of its environment never changes."""
        data = yaml.safe_load(self.deployment_spec.read_text(encoding="utf-8"))
        code = self.deployment_spec.parent / (data.get("code_configuration") or {}).get("code", ".")
        return hashing.of_data([data, hashing.of_files(code, snapshot.files(code, home()))])[:16]

    def rows(self) -> list[dict[str, Any]]:
        """What `make status` shows: each deployment's version, share and health."""
        state = self.read()
        if state is None:
            return []
        return [
            {
                "deployment": name,
                "model": f"{self.model}:{version}",
                "traffic": state.traffic.get(name, 0),
                "healthy": name in state.healthy,
                "stable": name == state.stable,
            }
            for name, version in sorted(state.versions.items())
        ]

    def callers(self, deployment: str, since: float) -> tuple[int, int]:
        """(requests, those that failed on the server's side) of a deployment since a moment, where they are known."""
        late = [each for each in azml.minutes(self.name) if each.deployment == deployment and each.minute + 60 > since]
        return sum(each.requests for each in late), sum(each.errors for each in late)

    def create_endpoint(self) -> None:
        """Make the endpoint, with the identity that Terraform gave its roles (SERVING_IDENTITY_ID) where there is one.

        The spec goes through a file of its own: whether --set takes a list of mappings is not documented.
        """
        identity = os.environ.get("SERVING_IDENTITY_ID")
        spec = yaml.safe_load(self.endpoint_spec.read_text(encoding="utf-8"))
        if identity:
            spec["identity"] = {"type": "user_assigned", "user_assigned_identities": [{"resource_id": identity}]}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / self.endpoint_spec.name
            path.write_text(yaml.safe_dump({**spec, "name": self.name}, sort_keys=False), encoding="utf-8")
            self.do("online-endpoint", "create", spec=path)

    def create(self, colour: str, version: str) -> None:
        """Make a deployment and wait until it serves; a call that never reached the service is made again."""
        # The scoring script gets its model in a variable, since the folder that Azure ML mounts need not show it.
        # One text with a colon: whether --set would make a number of a bare version is not documented.
        reference = f"environment_variables.MODEL_REFERENCE={self.model}:{version}"
        settings = (f"model=azureml:{self.model}:{version}", f"tags.{CONTENT}={self.content()}", reference)
        parameters = {"name": colour, "endpoint_name": self.name, "settings": settings}

        def attempt() -> None:
            try:
                azml.run("online-deployment", "create", spec=self.deployment_spec, **parameters)
            except UserError as error:
                state = self.read()
                if state is None or colour not in state.versions:
                    raise
                if colour not in state.healthy:
                    raise _FinalError(str(error)) from error

        _repeat(attempt)

    def delete(self, colour: str) -> None:
        """Delete a deployment, if it is there."""
        state = self.read()
        if state and colour in state.versions:
            self.do("online-deployment", "delete", name=colour, endpoint_name=self.name, yes=True)

    def set_traffic(self, traffic: dict[str, int], stable: str | None = None) -> None:
        """Set every deployment's share in one call; they add up to 100, but for an endpoint that never served.

        With `stable` the tag that names the deployment to fall back to moves in the same call.
        """
        settings = (f"tags.{STABLE}={stable}",) if stable else ()
        self.do("online-endpoint", "update", name=self.name, traffic=traffic, settings=settings)

    def address(self) -> tuple[str, str]:
        """(scoring URI, key)."""
        uri = str(self.call("online-endpoint", "show", name=self.name)["scoring_uri"])
        keys = self.call("online-endpoint", "get-credentials", name=self.name)
        return uri, str(keys["primaryKey"])

    def check_reachable(self) -> None:
        """Raises UserError where nobody can connect to the endpoint from here, before anything is made of it.

        The router of a cluster has an address of the network alone: every check of a new deployment would fail, and
        the model would look as if it were bad.
        """
        uri = str(self.call("online-endpoint", "show", name=self.name).get("scoring_uri") or "")
        address = urlsplit(uri)
        if not address.hostname:
            return  # not yet known: the first request says what is wrong
        port = address.port or (443 if address.scheme == "https" else 80)
        try:
            socket.create_connection((address.hostname, port), timeout=_CONNECT_SECONDS).close()
        except OSError as error:
            reason = f"{address.hostname}:{port} cannot be reached from here ({error.strerror or error})"
            raise UserError(
                f"{reason}, so a deployment could not be proved and nothing was made: run this from a machine or an "
                "agent in the cluster's network (docs/serving.md)",
                1,
            ) from None

    def logs(self, colour: str, lines: int = 30) -> list[str]:
        """Last lines of a deployment's log; what cannot be had is no reason to fail."""
        try:
            text = azml.call("online-deployment", "get-logs", name=colour, endpoint_name=self.name, lines=lines)
            return str(text or "").splitlines()[-lines:]
        except UserError as error:
            return [f"no log: {error}"]

    def call(self, group: str, verb: str, /, **parameters: Any) -> Any:
        """The answer of one verb of `az ml`. Raises UserError with its last line where it fails for good."""
        return _repeat(lambda: azml.call(group, verb, **parameters))

    def do(self, group: str, verb: str, /, **parameters: Any) -> None:
        """A verb whose answer is not needed."""
        _repeat(lambda: azml.run(group, verb, **parameters))


class _FinalError(UserError):
    """Trying again would not help."""


def _repeat(work: Callable[[], Any]) -> Any:
    for number in range(1, _TRIES + 1):
        try:
            return work()
        except _FinalError as error:
            raise UserError(str(error), 1) from error
        except UserError as error:
            if number == _TRIES or error.exit_code == 2:
                raise
            time.sleep(_PAUSE_SECONDS * number)
    raise AssertionError("not reached")


def _is_healthy(deployment: dict[str, Any]) -> bool:
    return answers.state(deployment.get("provisioning_state")) == "succeeded"


def _field(spec: Path, key: str) -> Any:
    try:
        return yaml.safe_load(spec.read_text(encoding="utf-8"))[key]
    except FileNotFoundError:
        raise UserError(f"{spec}: no such file") from None
    except KeyError:
        raise UserError(f"{spec}: has no {key}") from None


def _model_name(reference: str) -> str:
    parsed = Reference.parse(reference)
    if parsed is None or not parsed.is_resolvable:
        raise UserError(f"model: {reference}: write azureml:<name>@latest; the rollout puts the version in")
    return parsed.name


def _version(model: Any) -> str:
    """The version in `azureml:name:7` or in the resource id that ends in /models/name/versions/7."""
    match = re.search(r"(?:/versions/|:)([^/:]+)$", str(model))
    return match[1] if match else ""
