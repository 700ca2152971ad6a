"""Snapshots of code: each has a container of its own, into which the client uploads what it then names by a version."""

import uuid
from typing import Any

from amlspec.errors import UserError
from host.state import read_json, write_json
from workspace import tokens
from workspace.messages import Answer, Request, ServiceError, not_found
from workspace.site import Site
from workspace.translate import codes, ids


def start(site: Site, request: Request) -> Answer:
    """A place for an upload and a signature for it."""
    container = f"code-{uuid.uuid4()}"
    (site.folder / "code" / container).mkdir(parents=True)
    address = f"{site.storage_url}/{container}"
    signature = tokens.sas(site.secrets, container, "racwl")
    reference = {
        "blobUri": address,
        "storageAccountArmId": "",
        "credential": {"credentialType": "SAS", "sasUri": f"{address}?{signature}"},
    }
    body = {
        "pendingUploadId": container,
        "pendingUploadType": "TemporaryBlobReference",
        "blobReferenceForConsumption": reference,
    }
    return Answer(body=body, headers={"Cache-Control": "no-store"})


def put(site: Site, request: Request) -> Answer:
    """Name a snapshot. The same again changes nothing; another one under the same version is refused."""
    name, version, properties = request["name"], request["version"], request.body["properties"]
    known = _load(site, name, version)
    if known is not None and known["codeUri"] != properties.get("codeUri"):
        raise ServiceError(
            409, "UserError", f"Code {name}:{version} exists with another snapshot, and versions do not change."
        )
    codes.folder(site, properties.get("codeUri") or "")  # raises where it is not one of ours
    write_json(_path(site, name, version), properties)
    return Answer(200 if known else 201, _shown(site, name, version, properties))


def show(site: Site, request: Request) -> Answer:
    """One snapshot."""
    name, version = request["name"], request["version"]
    properties = _load(site, name, version)
    if properties is None:
        raise not_found(f"Code {name}:{version}")
    return Answer(body=_shown(site, name, version, properties))


def list_(site: Site, request: Request) -> Answer:
    """Versions of a code; with `hash` the snapshot of any name that has this content, so that none is uploaded twice.

    A client gives each snapshot a name that no other has (azure-ai-ml `CodeOperations.create_or_update`).
    """
    wanted = request.query.get("hash")
    pattern = "*/*.json" if wanted else f"{_checked(request['name'])}/*.json"
    result = []
    for path in sorted((site.folder / "codes").glob(pattern)):
        properties = read_json(path)
        if wanted in (None, (properties.get("properties") or {}).get("hash_sha256")):
            result.append(_shown(site, path.parent.name, path.stem, properties))
    return Answer(body={"value": result})


def _shown(site: Site, name: str, version: str, properties: dict[str, Any]) -> dict[str, Any]:
    return ids.resource(site, f"codes/{name}/versions/{version}", version, properties)


def _load(site: Site, name: str, version: str) -> dict[str, Any] | None:
    result: dict[str, Any] | None = read_json(_path(site, name, version))
    return result


def _path(site: Site, name: str, version: str) -> Any:
    return site.folder / "codes" / _checked(name) / f"{_checked(version)}.json"


def _checked(text: str) -> str:
    if not codes.NAME.fullmatch(text):
        raise UserError(f"{text!r} is not a name or version of a code: letters, digits, '-', '_' and '.' only")
    return text
