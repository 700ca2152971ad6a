"""The table of routes: what is imitated, and in which api-versions. A request that matches none is refused by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import unquote

from workspace.handlers import assets, blobs, codes, history, identity, jobs, online, workspaces
from workspace.messages import Answer, Request
from workspace.site import PROVIDER, Site

Handler = Callable[[Site, Request], Answer]
SCOPE = f"/subscriptions/{{subscription}}/resourceGroups/{{group}}/providers/{PROVIDER}/workspaces/{{workspace}}"
HISTORY, DATA, MODEL = f"/history/v1.0{SCOPE}", f"/data/v1.0{SCOPE}", f"/modelregistry/v1.0{SCOPE}"


class Auth(StrEnum):
    """How a client shows who it is."""

    NONE = "none"
    TOKEN = "token"  # noqa: S105 - the kind, not the secret
    SECRET = "secret"  # noqa: S105
    SIGNATURE = "signature or token"


@dataclass(frozen=True)
class Route:
    """One route; `versions` are the api-versions that azure-ai-ml 1.34.1 and 1.35.2 ask for, empty where none is.

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


P2202, P2302, P2304, P2308 = "2022-02-01-preview", "2023-02-01-preview", "2023-04-01-preview", "2023-08-01-preview"
P2401, P2404, P2410, P2501 = "2024-01-01-preview", "2024-04-01-preview", "2024-10-01-preview", "2025-01-01-preview"
S2205, S2210, S2304, S2310 = "2022-05-01", "2022-10-01", "2023-04-01", "2023-10-01"
ANY = (P2202, P2302, P2304, P2308, P2401, P2404, P2410, P2501, S2205, S2210, S2304, S2310)

_ENDPOINT = f"{SCOPE}/onlineEndpoints/{{endpoint}}"
_DEPLOYMENT = f"{_ENDPOINT}/deployments/{{name}}"
_OPERATION = (
    f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}/mfeOperationsStatus/{{operation}}"
)
_STORE = "/store.blob.localhost/{container}"


def _asset(kind: str, versions: tuple[str, ...], model: str) -> list[Route]:
    base = f"{SCOPE}/{kind}/{{name}}"
    return [
        Route("GET", f"{SCOPE}/{kind}", assets.names(kind), versions),
        Route("GET", base, assets.container(kind), versions),
        Route("GET", f"{base}/versions", assets.versions(kind), versions),
        Route("GET", f"{base}/versions/{{version}}", assets.show(kind), versions),
        Route("PUT", f"{base}/versions/{{version}}", assets.put(kind), versions, model),
    ]


ROUTES: tuple[Route, ...] = (
    # How a client gets here.
    Route("GET", "/metadata/endpoints", workspaces.metadata, auth=Auth.NONE),
    Route("GET", "/identity/token", identity.token, ("2019-08-01",), auth=Auth.SECRET),
    Route("GET", "/discovery/workspaces/{guid}", workspaces.discovery, auth=Auth.NONE),
    Route("GET", SCOPE, workspaces.show, ANY),
    Route("GET", f"{SCOPE}/datastores", workspaces.datastores, ANY),
    Route("GET", f"{SCOPE}/datastores/{{name}}", workspaces.datastore, ANY),
    Route("POST", f"{SCOPE}/datastores/{{name}}/listSecrets", workspaces.datastore_secrets, ANY),
    # Blobs.
    Route("GET", _STORE, blobs.list_, auth=Auth.SIGNATURE),
    Route("GET", f"{_STORE}/{{blob*}}", blobs.get, auth=Auth.SIGNATURE),
    Route("HEAD", f"{_STORE}/{{blob*}}", blobs.head, auth=Auth.SIGNATURE),
    Route("PUT", f"{_STORE}/{{blob*}}", blobs.put, auth=Auth.SIGNATURE, streams=True),
    Route("DELETE", f"{_STORE}/{{blob*}}", blobs.delete, auth=Auth.SIGNATURE),
    # Assets.
    Route("GET", f"{SCOPE}/codes/{{name}}/versions", codes.list_, ANY),
    Route("POST", f"{SCOPE}/codes/{{name}}/versions/{{version}}/startPendingUpload", codes.start, ANY),
    Route("GET", f"{SCOPE}/codes/{{name}}/versions/{{version}}", codes.show, ANY),
    Route("PUT", f"{SCOPE}/codes/{{name}}/versions/{{version}}", codes.put, ANY, "CodeVersion"),
    *_asset("environments", ANY, "EnvironmentVersion"),
    *_asset("components", ANY, "ComponentVersion"),
    *_asset("data", ANY, "DataVersionBase"),
    *_asset("models", ANY, "ModelVersion"),
    # Jobs.
    Route("GET", f"{SCOPE}/jobs", jobs.list_, ANY),
    Route("GET", f"{SCOPE}/jobs/{{name}}", jobs.show, ANY),
    Route("PUT", f"{SCOPE}/jobs/{{name}}", jobs.put, ANY, "JobBase"),
    Route("POST", f"{SCOPE}/jobs/{{name}}/cancel", jobs.cancel, ANY),
    Route("GET", f"{HISTORY}/runs/{{run}}", history.show),
    Route("GET", f"{HISTORY}/runs/{{run}}/details", history.details),
    Route("GET", f"{HISTORY}/runs/{{run}}/children", history.children),
    Route("POST", f"{HISTORY}/rundata", history.data),
    Route("POST", f"{DATA}/dataversion/batchGetResolvedUris", history.data_addresses),
    Route("POST", f"{MODEL}/models/batchGetResolvedUris", history.model_addresses),
    # Serving.
    Route("GET", f"{SCOPE}/computes", online.compute_list, ANY),
    Route("GET", f"{SCOPE}/computes/{{name}}", online.compute_show, ANY),
    Route("PUT", f"{SCOPE}/computes/{{name}}", online.compute_put, ANY, "ComputeResource"),
    Route("GET", f"{SCOPE}/onlineEndpoints", online.endpoint_list, ANY),
    Route("GET", _ENDPOINT, online.endpoint_show, ANY),
    Route("PUT", _ENDPOINT, online.endpoint_put, ANY, "OnlineEndpoint"),
    Route("DELETE", _ENDPOINT, online.endpoint_delete, ANY),
    Route("POST", f"{_ENDPOINT}/listKeys", online.keys, ANY),
    Route("POST", f"{_ENDPOINT}/regenerateKeys", online.regenerate, ANY, "RegenerateEndpointKeysRequest"),
    Route("GET", f"{_ENDPOINT}/deployments", online.deployment_list, ANY),
    Route("GET", _DEPLOYMENT, online.deployment_show, ANY),
    Route("PUT", _DEPLOYMENT, online.deployment_put, ANY, "OnlineDeployment"),
    Route("DELETE", _DEPLOYMENT, online.deployment_delete, ANY),
    Route("POST", f"{_DEPLOYMENT}/getLogs", online.deployment_logs, ANY, "DeploymentLogsRequest"),
    Route("GET", _OPERATION, online.operation, ANY),
)
_PATTERNS = tuple((route.pattern, route) for route in ROUTES)


def find(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and the names in its path, each decoded once; None where there is none."""
    for pattern, route in _PATTERNS:
        if route.method == method and (match := pattern.fullmatch(raw_path.rstrip("/") or "/")):
            return route, {key: unquote(text) for key, text in match.groupdict().items()}
    return None
