"""The table of routes: what is imitated, and in which api-versions. A request that matches none is refused by name."""

import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from workspace.handlers import assets, blobs, codes, connections, history, identity, jobs, mlflow, online, workspaces
from workspace.messages import Answer, Request
from workspace.site import PROVIDER, Site

Handler = Callable[[Site, Request], Answer]
SCOPE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}/workspaces/{{workspace}}"
MLFLOW = f"/mlflow/v2.0{SCOPE}"
HISTORY, DATA, MODEL = f"/history/v1.0{SCOPE}", f"/data/v1.0{SCOPE}", f"/modelregistry/v1.0{SCOPE}"


class Auth(StrEnum):
    """How a client shows who it is."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the kind, not the secret
    SECRET = "secret"  # noqa: S105
    SIGNATURE = "signature or token"


@dataclass(frozen=True)
class Route:
    """One route; `versions` are the api-versions that it takes, empty where a client names none or any.

    `model` names the class of azure-ai-ml's arm_ml_service models that a body has to fit.
    """

    method: str
    path: str
    handler: Handler
    versions: tuple[str, ...] = ()
    model: str | None = None
    auth: Auth = Auth.TOKEN
    streams: bool = False

    @property
    def pattern(self) -> re.Pattern[str]:
        """The path as a regular expression; Resource Manager does not tell upper from lower case."""
        return re.compile(_regex(self.path), re.IGNORECASE)


def _regex(path: str) -> str:
    parts = re.split(r"\{(\w+)(\*?)\}", path)
    text = re.escape(parts[0])
    for name, star, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        text += f"(?P<{name}>{'.+' if star else '[^/]+'}){re.escape(literal)}"
    return text


# The api-versions of the clients in azure-ai-ml 1.34.1 and 1.35.2 (`_ml_client.py`); a test holds them equal. Which of
# them the service takes on which route is written nowhere, so each is taken on all.
VERSIONS = (
    *("2022-02-01-preview", "2022-05-01", "2022-10-01", "2022-10-01-preview", "2023-02-01-preview", "2023-04-01"),
    *("2023-04-01-preview", "2023-06-01-preview", "2023-08-01-preview", "2023-10-01", "2024-01-01-preview"),
    *("2024-04-01-preview", "2024-10-01-preview", "2025-01-01-preview"),
)

_ENDPOINT = f"{SCOPE}/onlineEndpoints/{{endpoint}}"
_DEPLOYMENT = f"{_ENDPOINT}/deployments/{{name}}"
_OPERATION = (
    f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}/mfeOperationsStatus/{{operation}}"
)
_STORE = "/store.blob.localhost/{container}"


# Models of the names of assets.
CONTAINERS = {
    "environments": "EnvironmentContainer",
    "components": "ComponentContainer",
    "data": "DataContainer",
    "models": "ModelContainer",
}


def _asset(kind: str, versions: tuple[str, ...], model: str) -> list[Route]:
    base = f"{SCOPE}/{kind}/{{name}}"
    return [
        Route("GET", f"{SCOPE}/{kind}", assets.names(kind), versions),
        Route("GET", base, assets.container(kind), versions),
        Route("PUT", base, assets.container_put(kind), versions, CONTAINERS[kind]),
        Route("GET", f"{base}/versions", assets.versions(kind), versions),
        Route("GET", f"{base}/versions/{{version}}", assets.show(kind), versions),
        Route("PUT", f"{base}/versions/{{version}}", assets.put(kind), versions, model),
    ]


ROUTES: tuple[Route, ...] = (
    # How a client gets here.
    Route("GET", "/metadata/endpoints", workspaces.metadata, auth=Auth.NONE),
    Route("GET", "/identity/token", identity.token, ("2019-08-01",), auth=Auth.SECRET),
    Route("GET", "/discovery/workspaces/{guid}", workspaces.discovery, auth=Auth.NONE),
    Route("GET", SCOPE, workspaces.show, VERSIONS),
    Route("GET", f"{SCOPE}/datastores", workspaces.datastores, VERSIONS),
    Route("GET", f"{SCOPE}/datastores/{{name}}", workspaces.datastore, VERSIONS),
    Route("POST", f"{SCOPE}/datastores/{{name}}/listSecrets", workspaces.datastore_secrets, VERSIONS),
    # Blobs.
    Route("GET", _STORE, blobs.list_, auth=Auth.SIGNATURE),
    Route("GET", f"{_STORE}/{{blob*}}", blobs.get, auth=Auth.SIGNATURE),
    Route("HEAD", f"{_STORE}/{{blob*}}", blobs.head, auth=Auth.SIGNATURE),
    Route("PUT", f"{_STORE}/{{blob*}}", blobs.put, auth=Auth.SIGNATURE, streams=True),
    Route("DELETE", f"{_STORE}/{{blob*}}", blobs.delete, auth=Auth.SIGNATURE),
    # Assets.
    Route("GET", f"{SCOPE}/codes/{{name}}/versions", codes.list_, VERSIONS),
    Route("POST", f"{SCOPE}/codes/{{name}}/versions/{{version}}/startPendingUpload", codes.start, VERSIONS),
    Route("GET", f"{SCOPE}/codes/{{name}}/versions/{{version}}", codes.show, VERSIONS),
    Route("PUT", f"{SCOPE}/codes/{{name}}/versions/{{version}}", codes.put, VERSIONS, "CodeVersion"),
    *_asset("environments", VERSIONS, "EnvironmentVersion"),
    *_asset("components", VERSIONS, "ComponentVersion"),
    *_asset("data", VERSIONS, "DataVersionBase"),
    *_asset("models", VERSIONS, "ModelVersion"),
    Route("GET", f"{SCOPE}/connections", connections.list_, VERSIONS),
    Route("GET", f"{SCOPE}/connections/{{name}}", connections.show, VERSIONS),
    Route(
        "PUT",
        f"{SCOPE}/connections/{{name}}",
        connections.put,
        VERSIONS,
        "WorkspaceConnectionPropertiesV2BasicResource",
    ),
    Route("DELETE", f"{SCOPE}/connections/{{name}}", connections.delete, VERSIONS),
    # Jobs.
    Route("GET", f"{SCOPE}/jobs", jobs.list_, VERSIONS),
    Route("GET", f"{SCOPE}/jobs/{{name}}", jobs.show, VERSIONS),
    Route("PUT", f"{SCOPE}/jobs/{{name}}", jobs.put, VERSIONS, "JobBase"),
    Route("POST", f"{SCOPE}/jobs/{{name}}/cancel", jobs.cancel, VERSIONS),
    Route("GET", f"{SCOPE}/schedules", jobs.schedules, VERSIONS),
    Route("GET", f"{HISTORY}/runs/{{run}}", history.show),
    Route("GET", f"{HISTORY}/runs/{{run}}/details", history.details),
    Route("GET", f"{HISTORY}/runs/{{run}}/children", history.children),
    Route("POST", f"{HISTORY}/rundata", history.data),
    Route("POST", f"{DATA}/dataversion/batchGetResolvedUris", history.data_addresses),
    Route("POST", f"{MODEL}/models/batchGetResolvedUris", history.model_addresses),
    *(
        Route(method, f"{MLFLOW}/api/2.0/mlflow/{{call*}}", mlflow.forward)
        for method in ("GET", "POST", "PATCH", "DELETE")
    ),
    # Serving.
    Route("GET", f"{SCOPE}/computes", online.compute_list, VERSIONS),
    Route("GET", f"{SCOPE}/computes/{{name}}", online.compute_show, VERSIONS),
    Route("PUT", f"{SCOPE}/computes/{{name}}", online.compute_put, VERSIONS, "ComputeResource"),
    Route("GET", f"{SCOPE}/onlineEndpoints", online.endpoint_list, VERSIONS),
    Route("GET", _ENDPOINT, online.endpoint_show, VERSIONS),
    Route("PUT", _ENDPOINT, online.endpoint_put, VERSIONS, "OnlineEndpoint"),
    Route("DELETE", _ENDPOINT, online.endpoint_delete, VERSIONS),
    Route("POST", f"{_ENDPOINT}/listKeys", online.keys, VERSIONS),
    Route("POST", f"{_ENDPOINT}/regenerateKeys", online.regenerate, VERSIONS, "RegenerateEndpointKeysRequest"),
    Route("GET", f"{_ENDPOINT}/deployments", online.deployment_list, VERSIONS),
    Route("GET", _DEPLOYMENT, online.deployment_show, VERSIONS),
    Route("PUT", _DEPLOYMENT, online.deployment_put, VERSIONS, "OnlineDeployment"),
    Route("DELETE", _DEPLOYMENT, online.deployment_delete, VERSIONS),
    Route("POST", f"{_DEPLOYMENT}/getLogs", online.deployment_logs, VERSIONS, "DeploymentLogsRequest"),
    Route("GET", _OPERATION, online.operation, VERSIONS),
)


def rows() -> list[str]:
    """The table as docs/local-workspace.md shows it; `python -m workspace.routes` prints it."""
    cells = [(route.method, f"`{short(route.path)}`", route.model or "", about(route)) for route in ROUTES]
    return [f"| {' | '.join(row)} |".replace("|  |", "| |") for row in cells]


def about(route: Route) -> str:
    """What a route does: the first line of its handler's docstring, or of the function that made the handler."""
    maker = sys.modules[route.handler.__module__].__dict__[route.handler.__qualname__.split(".")[0]]
    return (inspect.getdoc(route.handler) or inspect.getdoc(maker) or "").splitlines()[0]


def short(path: str) -> str:
    """A path as the documentation writes it, the workspace's own as `<workspace>`."""
    return path.replace(SCOPE, "<workspace>")


_PATTERNS = tuple((route.pattern, route) for route in ROUTES)


def find(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and the names in its path, each decoded once; None where there is none."""
    for pattern, route in _PATTERNS:
        if route.method == method and (match := pattern.fullmatch(raw_path.rstrip("/") or "/")):
            return route, {key: unquote(text) for key, text in match.groupdict().items()}
    return None


if __name__ == "__main__":
    sys.stdout.writelines(f"{row}\n" for row in rows())
