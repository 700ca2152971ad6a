"""One comment of a pull request, kept and updated in place, by Azure DevOps' REST API and the run's own token.

https://learn.microsoft.com/rest/api/azure/devops/git/pull-request-threads
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from amlspec.errors import UserError

VERSION = "7.1"
# A thread of ours has this property; its value tells several comments of one pull request apart.
PROPERTY = "demand.comment"
# The service's own limit is not documented; this is far below what others have met.
LONGEST = 100_000
ACTIVE, TEXT = 1, 1
_VARIABLES = ("SYSTEM_ACCESSTOKEN", "SYSTEM_COLLECTIONURI", "SYSTEM_TEAMPROJECT", "BUILD_REPOSITORY_ID",
              "SYSTEM_PULLREQUEST_PULLREQUESTID")  # fmt: skip


def post(text: str, name: str, environ: Mapping[str, str] = os.environ) -> str:
    """Write the comment of that name, or change it; a line that says which.

    Args:
        text: Markdown; what is too long is cut, and says so.
        name: of the comment.
        environ: variables of the run.

    Raises:
        UserError: the service refuses it, with what to grant.
    """
    if not environ.get("SYSTEM_PULLREQUEST_PULLREQUESTID"):
        return "no pull request: nothing is commented"
    if missing := [each for each in _VARIABLES if not environ.get(each)]:
        raise UserError(f"{missing[0]} is not set: a step maps it (.azuredevops/pr.yml)")
    service = _Service(environ)
    shown = _cut(text)
    for thread in service.call("GET", "")["value"]:
        if _name_of(thread) == name:
            first = thread["comments"][0]["id"]
            service.call("PATCH", f"/{thread['id']}/comments/{first}", {"content": shown})
            return "the comment is updated"
    body = {
        "comments": [{"parentCommentId": 0, "content": shown, "commentType": TEXT}],
        "status": ACTIVE,
        "properties": {PROPERTY: name},
    }
    service.call("POST", "", body)
    return "the comment is written"


def _name_of(thread: Mapping[str, Any]) -> str | None:
    """The property comes back as a text, or with its type beside it."""
    value = (thread.get("properties") or {}).get(PROPERTY)
    return value.get("$value") if isinstance(value, Mapping) else value


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[:LONGEST].rpartition(chr(10))[0]}\n\n*Cut here: the whole report is the run's artifact `review`.*\n"


class _Service:
    """Threads of one pull request."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        project, repository = quote(environ["SYSTEM_TEAMPROJECT"]), quote(environ["BUILD_REPOSITORY_ID"])
        number = quote(environ["SYSTEM_PULLREQUEST_PULLREQUESTID"])
        base = environ["SYSTEM_COLLECTIONURI"].rstrip("/")
        self._base = f"{base}/{project}/_apis/git/repositories/{repository}/pullRequests/{number}/threads"
        self._token = environ["SYSTEM_ACCESSTOKEN"]

    def call(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the address is the service's own
            f"{self._base}{path}?api-version={VERSION}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise UserError(f"the pull request takes no comment: {error.code} {_said(error)}", 1) from None
        except (OSError, ValueError) as error:
            raise UserError(f"the pull request takes no comment: {error}", 1) from None


def _said(error: urllib.error.HTTPError) -> str:
    text = error.read().decode("utf-8", "replace")
    try:
        text = str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        text = text[:200]
    grant = "give the build service Contribute to pull requests on the repository"
    return f"{text}; {grant}" if error.code in (401, 403) else text
