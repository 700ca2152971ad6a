"""The local engine, as the handlers use it: this module alone calls its verbs.

They are called in this process, from several threads; jobs run in processes of their own (`job create` without
--stream, never `begin`, which forks), and so do the servers of endpoints.
"""

import re
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.document import Document
from amlspec.errors import UserError
from host import hashing
from host.state import home, read_json, write_json
from localml import assets, commands, records, registry, specs, stored

Record = dict[str, Any]


def said(error: UserError) -> str:
    """The engine's words, without the place of a spec that no client has."""
    return re.sub(r"(?:[\w./-]*/)?request:\d+: ", "", str(error))


def call(group: str, verb: str, **parameters: Any) -> Any:
    """What a verb answers, in the engine's own words. Raises UserError."""
    return commands.find(group, verb).function(**parameters)


@dataclass(frozen=True)
class Spec:
    """What stands in a spec, and folders that are to lie beside it under a name, wherever they are: so a spec reads
    the same each time, and as it does in the repository that it came from."""

    data: Mapping[str, Any]
    beside: Mapping[str, Path] = field(default_factory=dict)


@contextmanager
def _document(spec: Spec) -> Iterator[Document]:
    """A spec with its folders beside it, for as long as a verb reads them; errors about it begin with `request`."""
    folder = home() / "workspace" / "specs" / uuid.uuid4().hex
    folder.mkdir(parents=True)
    try:
        for name, place in spec.beside.items():
            (folder / name).symlink_to(place)
        yield specs.of_data(spec.data, folder, "request")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create(kind: str, spec: Spec) -> Record:
    """Register an asset, or create an endpoint; its record. Raises UserError."""
    # The engine stages a component under its name, and every anonymous one has the same.
    with _document(spec) as document, FileLock(_locks() / f"create-{kind}.lock"):
        record: Record = call(kind, "create", spec=document)
    return record


def create_data(spec: Spec) -> Record:
    """Register data. The service takes a folder in which nothing lies yet, as that of an endpoint's data collector."""
    place = stored.datastore_path(str(spec.data["path"]))
    if place is not None and spec.data["type"] == "uri_folder" and not place.exists():
        place.mkdir(parents=True)
    return create("data", spec)


def asset(kind: str, name: str, version: str) -> Record:
    """Record of one version of an asset, models among them. Raises UserError where there is none."""
    return registry.get(name, version) if kind == "model" else assets.get(kind, name, version).record


def versions(kind: str, name: str) -> list[Record]:
    """Records of every version of a name, the newest first; empty where there is none."""
    return registry.versions(name) if kind == "model" else assets.versions(kind, name)


def names(kind: str) -> list[Record]:
    """Record of the newest version of every name."""
    return registry.versions() if kind == "model" else assets.versions(kind)


def content(kind: str, name: str, version: str) -> Path | None:
    """File or folder of an asset's content. Raises UserError where there is no such asset."""
    return Path(registry.get(name, version)["path"]) if kind == "model" else assets.get(kind, name, version).content


def is_same_model(record: Record, address: str) -> bool:
    """Whether what lies at a datastore's address, or at a place of this machine, is what a registered model holds."""
    place = stored.datastore_path(address) or Path(address)
    if not place.exists():
        return False
    # The registry keeps a model of one file as a folder with that file in it.
    given = hashing.of_members({place.name: place}) if place.is_file() else hashing.of_path(place)
    return given == hashing.of_path(Path(record["path"]))


def component_spec(name: str, version: str) -> Record:
    """The spec of a registered component, without its code's place on this machine."""
    folder = assets.get("component", name, version).content
    result: Record = (folder and read_json(folder / "component.yml")) or {}
    return {key: value for key, value in result.items() if key != "code"}


def submit(name: str, data: Record, body: Record) -> Record:
    """Run a job in the background; its record. `body` stays, since a client gets it back; of a job that the engine
    refuses nothing stays."""
    notes = _notes(name)
    with FileLock(_locks() / f"{name}.lock"):
        if known := job_or_none(name):  # another client was faster
            return known
        write_json(notes / "body.json", body)
        try:
            record: Record = call("job", "create", spec=specs.of_data(data, notes, "request"), name=name)
        except BaseException:
            shutil.rmtree(notes, ignore_errors=True)
            raise
    return record


def noted(name: str) -> Record | None:
    """The body that a job was submitted with; None for a job of the command line."""
    body: Record | None = read_json(_notes(name) / "body.json")
    return body


def _notes(name: str) -> Path:
    records.folder(name)  # refuses a name that would lead elsewhere
    return home() / "workspace" / "jobs" / name


def _locks() -> Path:
    folder = home() / "workspace" / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def job(name: str) -> Record:
    """Record of a job, whose engine may have been killed. Raises UserError where there is none."""
    record: Record = call("job", "show", name=name)
    return record


def job_or_none(name: str) -> Record | None:
    """The same, None where there is none."""
    try:
        return job(name) if "/" not in name else None
    except UserError:
        return None


def jobs() -> list[Record]:
    """Records of every job, the newest first."""
    return records.load_all()


def is_command(record: Record) -> bool:
    """Whether a job is one command, which the engine runs as a pipeline of the one step `main`."""
    body = noted(record["name"])
    return body is not None and body["properties"]["jobType"] == "Command"


def cancel(name: str) -> None:
    """End a job; one that has ended stays as it is."""
    if job(name)["status"] not in records.FINAL:
        call("job", "cancel", name=name)


def attach(spec: Spec) -> Record:
    """Attach a compute; its record."""
    with _document(spec) as document:
        record: Record = call("compute", "attach", spec=document)
    return record


def deploy(spec: Spec, anew: bool) -> None:
    """Bring a deployment up and wait until it serves. Raises UserError where it does not."""
    with _document(spec) as document:
        call("online-deployment", "create" if anew else "update", spec=document)


def disconnect(name: str) -> None:
    """Forget a connection, for which the engine has no verb."""
    (home() / "connections" / f"{call('connection', 'show', name=name)['name']}.json").unlink(missing_ok=True)


def connect(spec: Spec) -> Record:
    """Keep a connection; its record. Raises UserError for one with a secret in it."""
    return create("connection", spec)
