"""Who is signed in to az, by object id, read out of the access token.

`az account show` gives a name, which role assignments cannot use for guests, nor for service principals without rights
in Microsoft Graph; the token holds the object id of a user, a service principal and a managed identity alike.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import NamedTuple

from amlspec.errors import UserError, run
from infra.common import capture, say


class Principal(NamedTuple):
    """An Entra object. `kind` as role assignments call it: User or ServicePrincipal."""

    object_id: str
    kind: str


def signed_in() -> Principal:
    """Return who az is signed in as.

    Raises:
        UserError: nobody is, or the token cannot be read.
    """
    token = json.loads(capture(["az", "account", "get-access-token", "--output", "json"]))["accessToken"]
    return read_token(str(token))


def read_token(token: str) -> Principal:
    """Read the claims of an access token (a JWT); its signature is Azure's to check, not ours.

    `scp` stands in a person's token alone: an application has `roles`, or neither.
    https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference

    Raises:
        UserError: the text is not such a token.
    """
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return Principal(str(claims["oid"]), "User" if "scp" in claims else "ServicePrincipal")
    except (IndexError, ValueError, KeyError, AttributeError, binascii.Error):
        raise UserError("az's access token names no object id: az logout && az login", 1) from None


def main(_: Sequence[str] | None = None) -> int:
    """Print object id and kind."""
    say(" ".join(signed_in()))
    return 0


if __name__ == "__main__":
    run(main)
