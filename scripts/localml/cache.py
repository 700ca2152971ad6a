"""Outputs of steps, kept by what they were made from. A folder is there whole or not at all."""

import shutil
import uuid
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from host import hashing
from host.state import home, read_json, write_json
from localml.plan import ARTIFACTS, Step
from localml.values import Data


def key_of(step: Step, inputs: dict[str, Any]) -> str:
    """Everything that a step's result may depend on: spec, code, environment, inputs."""
    component = step.component
    declared = {name: {"type": each.type, "optional": each.optional} for name, each in component.inputs.items()}
    parts = {
        "command": component.command,
        "declared": declared,
        "outputs": {name: output.type for name, output in step.outputs.items()},
        "variables": step.variables,
        "code": step.code.hash(),
        "environment": step.environment.hash,
        "inputs": {name: value.sha256 if isinstance(value, Data) else [value] for name, value in inputs.items()},
    }
    return hashing.of_data(parts)


def is_reusable(step: Step) -> bool:
    """A deterministic step whose outputs lie where the engine keeps them."""
    return step.component.is_deterministic and not any(output.fixed for output in step.outputs.values())


def lookup(key: str) -> dict[str, Any] | None:
    """What an earlier run of the same step left: seconds, job, outputs with their hashes."""
    entry: dict[str, Any] | None = read_json(home() / "outputs" / key / "step.json")
    return entry


def claim(key: str) -> FileLock | None:
    """The lock of a key, held: who has it makes that key's outputs. None where another run has it.

    The system releases it with its process, so that a run that was killed never keeps others waiting.
    """
    path = home() / "locks" / key
    path.parent.mkdir(exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        return None
    return lock


def outputs_of(key: str, entry: dict[str, Any]) -> dict[str, Data]:
    """The kept outputs as inputs of the steps that follow."""
    root = home() / "outputs" / key
    return {name: Data(root / name, sha256, name) for name, sha256 in entry["outputs"].items()}


def commit(step: Step, key: str, staged: Path, about: dict[str, Any]) -> dict[str, Data]:
    """Move a finished step's outputs from `staged` into the store in one rename. Raises FileNotFoundError with the
    name of an output that the step did not write."""
    hashes = {}
    for name, output in step.outputs.items():
        if output.fixed:
            continue
        if not (staged / name).exists():
            raise FileNotFoundError(name)
        hashes[name] = hashing.of_path(staged / name)
    if (staged / ARTIFACTS).is_dir():
        hashes[ARTIFACTS] = hashing.of_path(staged / ARTIFACTS)
    entry = {**about, "outputs": hashes}
    write_json(staged / "step.json", entry)
    target = home() / "outputs" / key
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(staged)
    else:
        _read_only(staged)
        staged.rename(target)
    fixed = {name: Data(output.fixed, "", name) for name, output in step.outputs.items() if output.fixed}
    return {**outputs_of(key, entry), **fixed}


def unique_key() -> str:
    """Key of a step that is never reused."""
    return f"once-{uuid.uuid4().hex}"


def _read_only(root: Path) -> None:
    """An input is mounted read-only on Azure ML; here the files say so."""
    for path in root.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
