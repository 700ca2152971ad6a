"""The way of a model to another workspace: the same bytes, checked on both sides, never trained anew."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from amlspec.errors import UserError
from amlspec.references import Reference
from judging import provenance
from pipeline import azml, models
from provenance import check
from provenance.check import Proved

MODEL, NOTE = "model", "model.json"
DEPLOYMENT = Path("ml/deploy/deployment.yml")
Say = Callable[[str], None]


def export(name: str, number: str | None, source: str, folder: Path) -> str:
    """Write a checked version to a folder; its number.

    Args:
        name: of the model.
        number: default: the champion.
        source: what the workspace is called in the target's tags.
        folder: must not exist, or be empty.

    Raises:
        UserError: no such version, one that is not ours, or a folder that holds something.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"FOLDER={folder}: it holds something: give an empty folder")
    chosen = models.version_or_champion(name, number)
    with check.version(name, chosen) as proved:
        shutil.copytree(proved.folder, folder / MODEL, ignore=shutil.ignore_patterns(provenance.MLFLOWS_NOTE))
    tags = {key: value for key, value in proved.tags.items() if key != models.CHAMPION}
    note = {"name": name, "version": chosen, "source": source, "tags": tags}
    (folder / NOTE).write_text(json.dumps(note, indent=1), encoding="utf-8")
    return chosen


def bring_in(folder: Path, say: Say) -> None:
    """Register an exported model in the workspace that is set, and make it the champion there.

    Raises UserError where the files are not as they were signed, an environment that serves them is missing there, or
    what was registered is not what was brought.
    """
    note = _note(folder)
    name = str(note["name"])
    proved = check.files(folder / MODEL, name, note["tags"])
    _check_environment()
    known = models.versions(name)
    best = models.champion(known)
    for line in changes(best, note, proved):
        say(line)
    there = next((each for each in known if _fingerprint(each) == proved.made_of["fingerprint"]), None)
    number = str(there["version"]) if there else _register(name, folder / MODEL, note)
    with check.version(name, number) as arrived:
        if arrived.made_of != proved.made_of:
            raise UserError(f"{name}:{number} is not what was brought: the champion stays", 1)
    if there and best is not None and str(best["version"]) == number:
        say(f"{name}:{number} is the champion already: no change")
        return
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    azml.run("model", "update", name=name, version=number, settings=[f"tags.{models.CHAMPION}={moment}"])
    say(f"{name}:{number} is the champion; its files are those of {note['source']} version {note['version']}")


def changes(best: Mapping[str, Any] | None, note: Mapping[str, Any], proved: Proved) -> Iterator[str]:
    """What the champion was and what it will be: a line for each thing that differs."""
    before = models.tags(dict(best)) if best else {}
    after = proved.tags
    was = f"version {best['version']}" if best else "none"
    yield f"champion of {note['name']}: {was} -> version {note['version']} of {note['source']}"
    for tag, words in (("candidate", "recipe"), ("wape", "WAPE"), ("data_version", "sales"), ("git_commit", "commit")):
        if before.get(tag) != after.get(tag):
            yield f"  {words}: {_shown(tag, before.get(tag))} -> {_shown(tag, after.get(tag))}"
    for line in proved.verdict.get("changes") or []:
        yield f"  {line}"
    # The card's own summary; the whole of it is on the version's page.
    card = (proved.folder / provenance.FOLDER / provenance.CARD).read_text(encoding="utf-8")
    yield from (f"  {line}" for line in card.partition("\n## ")[0].splitlines()[1:] if line)


def _shown(tag: str, value: str | None) -> str:
    if value is None:
        return "-"
    return f"{float(value):.1%}" if tag == "wape" else value


def _note(folder: Path) -> dict[str, Any]:
    try:
        made: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(f"FROM={folder}: no model that `make export-model` wrote") from None
    return made


def _check_environment() -> None:
    """The environment that serves the model is registered: a rollout would end in half an hour, not now."""
    data = yaml.safe_load(DEPLOYMENT.read_text(encoding="utf-8"))
    wanted = Reference.parse(str(data["environment"]))
    if wanted and wanted.version and azml.optional(
        "environment", "show", name=wanted.name, version=wanted.version
    ) is None:  # fmt: skip
        raise UserError(f"environment {wanted.name}:{wanted.version} is not registered there: make environments", 1)


def _register(name: str, folder: Path, note: Mapping[str, Any]) -> str:
    """The new version's number; tags go through a spec, since a value may hold any text."""
    tags = {**note["tags"], "promoted_from": f"{note['source']}, version {note['version']}"}
    card = (folder / provenance.FOLDER / provenance.CARD).read_text(encoding="utf-8")
    spec = folder.parent / "model.yml"
    data = {"name": name, "path": str(folder.resolve()), "type": "mlflow_model", "description": card, "tags": tags}
    spec.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return str(azml.call("model", "create", spec=spec)["version"])


def _fingerprint(record: Mapping[str, Any]) -> str | None:
    return models.tags(dict(record)).get("fingerprint")
