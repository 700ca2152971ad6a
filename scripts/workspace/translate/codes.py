"""Addresses of uploaded folders to the folders themselves."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from host.state import read_json
from workspace.blobs import Container
from workspace.messages import bad_request, not_found
from workspace.site import Site

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


def folder(site: Site, address: str) -> Path:
    """The folder of `https://<account>.blob.<suffix>/<container>[/<path>]`. Raises ServiceError for another address."""
    # The SDK joins the container's name to the account's address without the account's own path (`urljoin`), and the
    # server may have had another port when this was uploaded.
    path = urlsplit(address).path.removeprefix(urlsplit(site.storage_url).path)
    container, _, rest = unquote(path).strip("/").partition("/")
    result = Container(site, container)
    return result.place(rest) if rest else result.root


def address(site: Site, name: str, version: str) -> str:
    """Address of a code's snapshot. Raises ServiceError where nobody made it."""
    for text in (name, version):
        if not NAME.fullmatch(text):
            raise bad_request(f"{text!r} is not a name or version of a code.")
    result = read_json(site.folder / "codes" / name / f"{version}.json")
    if result is None:
        raise not_found(f"Code {name}:{version}")
    return str(result["codeUri"])
