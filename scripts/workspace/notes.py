"""What a client has put of an asset, beside what the engine keeps of it: the engine's records know less than Azure's
properties, and never change, while description, tags and being archived do."""

from pathlib import Path
from typing import Any

from host.state import read_json, write_json
from workspace.site import Site


def read(site: Site, kind: str, name: str, version: str | None) -> dict[str, Any] | None:
    """Properties as they were put last, of a version or (None) of the name; None where the command line made it."""
    result: dict[str, Any] | None = read_json(_path(site, kind, name, version))
    return result


def write(site: Site, kind: str, name: str, version: str | None, properties: dict[str, Any]) -> None:
    """Keep what was put."""
    write_json(_path(site, kind, name, version), properties)


def _path(site: Site, kind: str, name: str, version: str | None) -> Path:
    """The gate has made sure that no name leads elsewhere."""
    folder = site.folder / "assets" / kind / name
    return folder / "versions" / f"{version}.json" if version is not None else folder / "container.json"
