"""Tokens of clients and signatures of blob addresses, both made with secrets that lie under LOCALML_HOME/workspace.

A client comes to its token as on a machine of Azure with a managed identity: azure-identity asks IDENTITY_ENDPOINT
with the secret of IDENTITY_HEADER (documented for App Service, "REST endpoint reference", api-version 2019-08-01).
"""

import base64
import datetime as dt
import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jwt

from host.state import read_json
from localml.serving.store import write_secret

TOKEN_SECONDS = 3600
SAS_SECONDS = 3600
_ISSUER = "https://localml.invalid/"
_SAS_VERSION = "2024-11-04"


@dataclass(frozen=True)
class Secrets:
    """`identity` lets a client ask for tokens, `signing` makes tokens and signatures; neither leaves this machine."""

    identity: str
    signing: str


def load(folder: Path) -> Secrets:
    """The secrets of a workspace; made the first time, and read by their owner only."""
    path = folder / "secrets.json"
    if not path.exists():
        write_secret(path, {"identity": secrets.token_urlsafe(32), "signing": secrets.token_urlsafe(48)})
    result = read_json(path)
    return Secrets(result["identity"], result["signing"])


def make(keys: Secrets, audience: str, tenant: str) -> dict[str, Any]:
    """The answer of a token endpoint: access_token, expires_on (seconds since 1970 as text), resource, token_type."""
    now = int(time.time())
    claims = {"iss": _ISSUER, "aud": audience, "iat": now, "nbf": now - 60, "exp": now + TOKEN_SECONDS}
    claims |= {"tid": tenant, "oid": tenant, "sub": "local", "name": "local"}
    token = jwt.encode(claims, keys.signing, algorithm="HS256")
    return {"access_token": token, "expires_on": str(now + TOKEN_SECONDS), "resource": audience, "token_type": "Bearer"}


def is_valid(keys: Secrets, header: str | None) -> bool:
    """Whether an Authorization header carries a token of ours that has not ended."""
    kind, _, token = (header or "").partition(" ")
    if kind.lower() != "bearer":
        return False
    try:
        jwt.decode(token, keys.signing, algorithms=["HS256"], issuer=_ISSUER, options={"verify_aud": False})
    except jwt.InvalidTokenError:
        return False
    return True


def may_ask(keys: Secrets, header: str | None) -> bool:
    """Whether the header of the identity endpoint is right."""
    return hmac.compare_digest((header or "").encode(), keys.identity.encode())


def sas(keys: Secrets, container: str, permissions: str, blob: str | None = None) -> str:
    """Query of a signed address, of a whole container or of one blob. Opaque to clients, as Azure's is."""
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SAS_SECONDS)
    fields = {
        "sv": _SAS_VERSION,
        "sr": "b" if blob else "c",
        "sp": permissions,
        "se": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    return urlencode({**fields, "sig": _signature(keys, fields, container, blob)})


def sas_allows(keys: Secrets, query: Mapping[str, str], need: str, container: str, blob: str) -> bool:
    """Whether a query is a signature of ours for this blob, not ended, with the permission `need` (r, w, l or d)."""
    fields = {key: query.get(key, "") for key in ("sv", "sr", "sp", "se")}
    made = _signature(keys, fields, container, blob if fields["sr"] == "b" else None)
    if not hmac.compare_digest(made.encode(), query.get("sig", "").encode()):
        return False
    end = dt.datetime.strptime(fields["se"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=dt.UTC)
    return need in fields["sp"] and end > dt.datetime.now(dt.UTC)


def _signature(keys: Secrets, fields: Mapping[str, str], container: str, blob: str | None) -> str:
    text = "\n".join([*(fields[key] for key in ("sv", "sr", "sp", "se")), container, blob or ""])
    return base64.b64encode(hmac.new(keys.signing.encode(), text.encode(), hashlib.sha256).digest()).decode()
