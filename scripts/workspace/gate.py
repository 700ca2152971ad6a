"""The way of every request: who asks, which route, which api-version, what body; and every error in Azure's shape."""

import errno
import json
import logging
import re
from collections.abc import Mapping
from typing import Any

from amlspec.errors import UserError
from workspace import bodies, engine, routes, tokens
from workspace.messages import Answer, Request, ServiceError, bad_request
from workspace.routes import Auth, Route
from workspace.site import PROVIDER, Site

log = logging.getLogger("workspace")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,254}")
_FULL = (errno.ENOSPC, errno.EDQUOT)


def find(site: Site, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Request | Answer:
    """What can be said before the body is read: the request without it, or the refusal."""
    try:
        return _checked(site, method, path, query, headers)[1]
    except ServiceError as error:
        return refused(method, path, error)


def route_of(method: str, path: str) -> Route:
    """The route of a path that `find` took."""
    result = routes.find(method, path)
    assert result is not None  # noqa: S101 - `find` has refused it otherwise
    return result[0]


def _checked(
    site: Site, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[Route, Request]:
    result = routes.find(method, path)
    if result is None:
        raise bad_request(
            f"{method} {path} is not imitated by the local workspace: docs/local-workspace.md lists what is."
        )
    route, names = result
    _check_auth(site, route, names, query, headers, method)
    _check_version(route, query.get("api-version"))
    _check_scope(site, names)
    return route, Request(method, names, query, headers)


def _check_auth(
    site: Site,
    route: Route,
    names: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    method: str,
) -> None:
    token = headers.get("Authorization")
    if route.auth is Auth.NONE or (route.auth is not Auth.SECRET and tokens.is_valid(site.secrets, token)):
        return
    if route.auth is Auth.SECRET and tokens.may_ask(site.secrets, headers.get("X-IDENTITY-HEADER")):
        return
    if route.auth is Auth.SIGNATURE:
        need = {"GET": "r", "HEAD": "r", "PUT": "w", "DELETE": "d"}[method]
        blob = names.get("blob", "")
        if tokens.sas_allows(site.secrets, query, need if blob else "l", names["container"], blob):
            return
        raise ServiceError(
            403, "AuthenticationFailed", "Server failed to authenticate the request: no valid signature."
        )
    raise ServiceError(401, "InvalidAuthenticationToken", "The access token is missing, invalid or has ended.")


def _check_version(route: Route, version: str | None) -> None:
    if route.versions and version not in route.versions:
        known = ", ".join(route.versions)
        message = f"The api-version '{version}' is invalid for {route.path}. The supported versions are '{known}'."
        raise ServiceError(400, "InvalidApiVersionParameter", message)


def _check_scope(site: Site, names: Mapping[str, str]) -> None:
    """Names of another workspace, in the words of Resource Manager; names that could lead elsewhere on the disk."""
    for key, text in names.items():
        if key not in ("blob", "call") and not _NAME.fullmatch(text):
            raise bad_request(f"{text!r} is not a name that is taken here: letters, digits, '.', '_' and '-' only.")
    ours = {"subscription": site.names.subscription, "group": site.names.group, "workspace": site.names.workspace}
    wrong = [key for key, own in ours.items() if key in names and names[key].lower() != own.lower()]
    if not wrong:
        return
    if wrong[0] == "subscription":
        message = f"The subscription '{names['subscription']}' could not be found."
        raise ServiceError(404, "SubscriptionNotFound", message)
    if wrong[0] == "group":
        raise ServiceError(404, "ResourceGroupNotFound", f"Resource group '{names['group']}' could not be found.")
    message = (
        f"The Resource '{PROVIDER}/workspaces/{names['workspace']}' under resource group '{names['group']}' "
        "was not found."
    )
    raise ServiceError(404, "ResourceNotFound", message)


def answer(site: Site, route: Route, request: Request, raw: bytes) -> Answer:
    """What the handler answers; its errors in the service's shape, and none without a line in the log."""
    try:
        body = _body(route, raw)
        return route.handler(site, Request(**{**vars(request), "body": body}))
    except ServiceError as error:
        return refused(request.method, route.path, error)
    except UserError as error:
        return refused(request.method, route.path, _of_engine(error))
    except OSError as error:
        if error.errno not in _FULL:
            return _broken(request, route)
        return refused(request.method, route.path, full())
    except Exception:  # whatever it was, the server lives on
        return _broken(request, route)


def full() -> ServiceError:
    """The disk is full. Not a 5xx, which clients would try again and again."""
    return ServiceError(
        413, "RequestBodyTooLarge", "The disk of the local workspace is full: free space and try again."
    )


def _body(route: Route, raw: bytes) -> Any:
    if route.streams or not raw:
        return raw or None
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise ServiceError(400, "InvalidRequestContent", f"The request content is not valid JSON: {error}.") from None
    if route.model:
        bodies.check(route.model, body)
    return body


def _of_engine(error: UserError) -> ServiceError:
    """The engine's words under the code that the service has for such an error."""
    text = engine.said(error)
    if "is not registered here" in text or "does not exist here" in text or "is not attached here" in text:
        return ServiceError(404, "UserError", text)
    if "is registered with other content" in text:
        return ServiceError(409, "UserError", text)
    return ServiceError(400, "UserError", text)


def _broken(request: Request, route: Route) -> Answer:
    log.exception("%s %s", request.method, route.path)
    return ServiceError(500, "InternalServerError", "The local workspace made a mistake: its log says which.").answer()


def refused(method: str, path: str, error: ServiceError) -> Answer:
    """An error as an answer, with a line in the log that says what was wrong."""
    log.warning("%s %s: %d %s: %s", method, path, error.status, error.code, error.message)
    return error.answer()
