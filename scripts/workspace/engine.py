"""The local engine, as the handlers use it: this module alone calls its verbs, in the words of the command line.

The verbs read specs as files, so each call writes one. They are called in this process; jobs run in processes of
their own (`job create` without --stream), and so do the servers of endpoints.
"""

import functools
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.errors import UserError
from host.state import home, read_json, write_json
from localml import assets, cli, records, registry, stored


def call(*words: str) -> Any:
    """What a verb answers. Raises UserError."""
    arguments = _parser().parse_args(words)
    return arguments.handler(arguments)


@functools.cache
def _parser() -> Any:
    return cli.parser()


@dataclass(frozen=True)
class Spec:
    """What stands in a spec, and folders that are to lie beside it under a name, wherever they are: so a spec reads
    the same each time, and as it does in the repository that it came from."""

    data: dict[str, Any]
    beside: dict[str, Path] = field(default_factory=dict)


@contextmanager
def _file(spec: Spec) -> Iterator[str]:
    """A spec as a file, for as long as a verb reads it."""
    folder = home() / "workspace" / "specs" / uuid.uuid4().hex
    try:
        write_json(folder / "spec.yml", spec.data)  # JSON is YAML
        for name, place in spec.beside.items():
            (folder / name).symlink_to(place)
        yield str(folder / "spec.yml")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create(kind: str, spec: Spec) -> dict[str, Any]:
    """Register an environment, a component, data or a model; the asset's record. Raises UserError."""
    with _file(spec) as path:
        record: dict[str, Any] = call(kind, "create", "--file", path)
    return record


def create_data(spec: Spec) -> dict[str, Any]:
    """Register data. The service takes a folder in which nothing lies yet, as that of an endpoint's data collector."""
    place = stored.datastore_path(str(spec.data["path"]))
    if place is not None and spec.data["type"] == "uri_folder" and not place.exists():
        place.mkdir(parents=True)
    return create("data", spec)


def asset(kind: str, name: str, version: str) -> dict[str, Any]:
    """Record of one version of an asset, `models` among them. Raises UserError where there is none."""
    if kind == "model":
        return registry.get(name, version)
    return assets.get(kind, name, version).record


def versions(kind: str, name: str) -> list[dict[str, Any]]:
    """Records of every version of a name, the newest first; empty where there is none."""
    return registry.versions(name) if kind == "model" else assets.versions(kind, name)


def names(kind: str) -> list[dict[str, Any]]:
    """Record of the newest version of every name."""
    return registry.versions() if kind == "model" else assets.versions(kind)


def content(kind: str, name: str, version: str) -> Path | None:
    """File or folder of an asset's content."""
    return assets.get(kind, name, version).content


def submit(name: str, data: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Run a job in the background; its record. Spec and `body` stay, since a client gets the body back; of a job that
    the engine refuses nothing stays."""
    notes = _notes(name)
    with FileLock(_locks() / f"{name}.lock"):
        if known := job_or_none(name):  # another client was faster
            return known
        write_json(notes / "job.yml", data)
        write_json(notes / "body.json", body)
        try:
            record: dict[str, Any] = call("job", "create", "--file", str(notes / "job.yml"), "--name", name)
        except BaseException:
            shutil.rmtree(notes, ignore_errors=True)
            raise
    return record


def _locks() -> Path:
    folder = home() / "workspace" / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def noted(name: str) -> dict[str, Any] | None:
    """The body that a job was submitted with; None for a job of the command line."""
    body: dict[str, Any] | None = read_json(_notes(name) / "body.json")
    return body


def _notes(name: str) -> Path:
    records.folder(name)  # refuses a name that would lead elsewhere
    return home() / "workspace" / "jobs" / name


def job(name: str) -> dict[str, Any]:
    """Record of a job, whose engine may have been killed. Raises UserError where there is none."""
    record: dict[str, Any] = call("job", "show", "--name", name)
    return record


def job_or_none(name: str) -> dict[str, Any] | None:
    """The same, None where there is none."""
    try:
        return job(name) if "/" not in name else None
    except UserError:
        return None


def jobs() -> list[dict[str, Any]]:
    """Records of every job, the newest first."""
    return records.load_all()


def is_command(record: dict[str, Any]) -> bool:
    """Whether a job is one command, which the engine runs as a pipeline of the one step `main`."""
    body = noted(record["name"])
    return body is not None and body["properties"]["jobType"] == "Command"


def cancel(name: str) -> None:
    """End a job; one that has ended stays as it is."""
    if job(name)["status"] not in records.FINAL:
        call("job", "cancel", "--name", name)


def component_spec(name: str, version: str) -> dict[str, Any]:
    """The spec of a registered component, without its code's place on this machine."""
    folder = assets.get("component", name, version).content
    found: dict[str, Any] = (folder and read_json(folder / "component.yml")) or {}
    return {key: value for key, value in found.items() if key != "code"}


def attach(spec: Spec) -> dict[str, Any]:
    """Attach a compute; its record."""
    with _file(spec) as path:
        record: dict[str, Any] = call("compute", "attach", "--file", path)
    return record


def set_traffic(endpoint: str, traffic: dict[str, int]) -> None:
    """Give each deployment its share, in percent. Raises UserError where the shares are wrong."""
    shares = " ".join(f"{name}={share}" for name, share in traffic.items())
    with _file(Spec({"name": endpoint, "traffic": traffic})) as path:
        if shares:
            call("online-endpoint", "update", "--name", endpoint, "--traffic", shares)
        else:
            call("online-endpoint", "update", "--file", path)


def deploy(spec: Spec, anew: bool) -> None:
    """Bring a deployment up and wait until it serves. Raises UserError where it does not."""
    with _file(spec) as path:
        call("online-deployment", "create" if anew else "update", "--file", path)
