"""Schedules: is each one of git there, enabled, and due at the same time; and is there one that git does not know?"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from drift.difference import Difference
from pipeline import azml

# Fields of a trigger that say when it is due; what a spec leaves out is the service's own.
WHEN = ("expression", "frequency", "interval", "time_zone")


def differences(root: Path) -> Iterator[Difference]:
    """Compare every schedule; a laptop need have none, and has no monitor of Azure ML's own."""
    known = {str(each["name"]): each for each in azml.call("schedule", "list", include_disabled=True) or []}
    if azml.is_local() and not known:
        return
    given = ((path, spec) for path, spec in _specs(root) if not (azml.is_local() and "create_monitor" in spec))
    specs = {str(spec["name"]): path for path, spec in given}
    for name in sorted(known.keys() - specs.keys()):
        todo = f"bring it into git, or az ml schedule disable --name {name}"
        yield Difference(f"schedule {name}", "is not in git", todo)
    for name, path in sorted(specs.items()):
        yield from _compare(name, path, yaml.safe_load(path.read_text(encoding="utf-8")), known.get(name))


def _specs(root: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted((root / "ml").rglob("*.yml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and "trigger" in data and "name" in data:
            yield path, data


def _compare(name: str, path: Path, spec: dict[str, Any], record: dict[str, Any] | None) -> Iterator[Difference]:
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    env = os.environ.get("ENV", "local")
    create = f"make schedules ENV={env}, which creates {shown}"
    if record is None:
        yield Difference(f"schedule {name}", f"is not in {env}", create)
        return
    if record.get("is_enabled") is False and spec.get("is_enabled", True):
        yield Difference(f"schedule {name}", "is disabled", f"az ml schedule enable --name {name}")
    for field in WHEN:
        said, there = spec["trigger"].get(field), (record.get("trigger") or {}).get(field)
        if said is not None and there is not None and _plain(said) != _plain(there):
            yield Difference(f"schedule {name}", f"{field} is {_plain(there)}, git says {_plain(said)}", create)


def _plain(value: Any) -> str:
    """A newer SDK writes enumerations by their names: RecurrenceFrequency.MONTH."""
    return " ".join(str(value).rsplit(".", 1)[-1].lower().split())
