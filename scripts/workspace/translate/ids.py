"""Resource ids of Azure to the short references of specs, and back."""

import re
from typing import Any

from workspace.site import Site

# azureml:/subscriptions/<s>/resourceGroups/<g>/providers/Microsoft.MachineLearningServices/workspaces/<w>/<kind>/<name>
_ID = re.compile(
    r"(?:azureml:/{0,2})?/?subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/workspaces/[^/]+"
    r"/(?P<kind>\w+)/(?P<name>[^/]+)(?:/(?:versions|labels)/(?P<version>[^/]+))?/?",
    re.IGNORECASE,
)


def parts(reference: str) -> tuple[str, str, str | None] | None:
    """(kind, name, version) of a resource id; None for any other text."""
    match = _ID.fullmatch(reference)
    return (match["kind"], match["name"], match["version"]) if match else None


def short(reference: str) -> str:
    """`azureml:<name>:<version>` of a versioned asset's id, `azureml:<name>` of another; other text as it is."""
    result = parts(reference)
    if result is None:
        return reference
    _, name, version = result
    return f"azureml:{name}:{version}" if version else f"azureml:{name}"


def versioned(site: Site, kind: str, name: str, version: str) -> str:
    """Resource id of a version of an asset."""
    return f"{site.id}/{kind}/{name}/versions/{version}"


def resource(
    site: Site, path: str, name: str, properties: dict[str, Any], created: str | None = None
) -> dict[str, Any]:
    """The envelope of a resource; `path` as in `components/train/versions/3`."""
    kind = "/".join(path.split("/")[::2])
    made = {"createdBy": "local", "createdByType": "User", "lastModifiedBy": "local"}
    times = {"createdAt": created, "lastModifiedAt": created} if created else {}
    return {
        "id": f"{site.id}/{path}",
        "name": name,
        "type": f"Microsoft.MachineLearningServices/workspaces/{kind}",
        "properties": properties,
        "systemData": {**made, **times},
    }


def without_none(data: dict[str, Any]) -> dict[str, Any]:
    """The same without what is not set."""
    return {key: value for key, value in data.items() if value is not None}
