"""The folder in which a step runs: the copy of its snapshot, its outputs, its temporary files, its inputs."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec import bindings
from amlspec.bindings import Value
from amlspec.errors import UserError
from host import mounts
from host.mounts import Mounts
from host.state import home
from localml.plan import ARTIFACTS, Step
from localml.values import Data


@dataclass(frozen=True)
class WorkDir:
    """`code` is the current folder of the step; `mounts` is None where the machine allows none."""

    folder: Path
    command: str
    mounts: Mounts | None

    @property
    def code(self) -> Path:
        """The step's current folder."""
        return self.folder / "code"

    @property
    def tmp(self) -> Path:
        """The step's TMPDIR."""
        return self.folder / "tmp"

    @property
    def packages(self) -> Path:
        """What the step installs with pip, as into the container that ends with it."""
        return self.folder / "tmp" / "packages"

    @property
    def outputs(self) -> Path:
        """The outputs that the engine keeps."""
        return self.folder / "outputs"


def make(step: Step, folder: Path, inputs: dict[str, Value | Data]) -> WorkDir:
    """Lay the folder out. Raises UserError where the command names what has no value."""
    outputs = _outputs(step, folder)
    given = {name: _place(step, folder, name, value) for name, value in inputs.items()}
    try:
        command = bindings.render(step.component.command, given, outputs)
    except ValueError as error:
        raise UserError(f"step {step.name}: {error}") from None
    code = folder / "code"
    step.code.copy(code)
    (code / "outputs").mkdir(exist_ok=True)
    (folder / "tmp" / "packages").mkdir(parents=True)
    folders = tuple(path for name, path in outputs.items() if step.outputs[name].type != "uri_file")
    if mounts.supported():
        return WorkDir(folder, command, Mounts(folders, _read_only(step, inputs)))
    if len(folders) == len(outputs):
        (folder / "outputs").chmod(0o555)
    return WorkDir(folder, command, None)


def keep_artifacts(step: Step, folder: Path) -> None:
    """What the step left in ./outputs becomes its output `artifacts`, which every step has without declaring it."""
    written, kept = folder / "code" / "outputs", folder / "outputs" / ARTIFACTS
    output = step.outputs.get(ARTIFACTS)  # a node may declare it too: `artifacts: null`
    if (output and output.fixed) or not (written.is_dir() and any(written.iterdir())):
        return
    # Below outputs/, as azureml-examples' hello-pipeline-default-artifacts reads it.
    target = kept / "outputs"
    if not target.exists():
        kept.mkdir(exist_ok=True)
        written.rename(target)


def release(folder: Path) -> None:
    """Make the outputs movable again, after the step."""
    (folder / "outputs").chmod(0o755)


def _outputs(step: Step, folder: Path) -> dict[str, Path]:
    """Where the step writes: folders exist, as a mount does; a file is the step's to make."""
    paths: dict[str, Path] = {}
    (folder / "outputs").mkdir(parents=True)
    for name, output in step.outputs.items():
        path = output.fixed or folder / "outputs" / name
        (path.parent if output.type == "uri_file" else path).mkdir(parents=True, exist_ok=True)
        paths[name] = path
    return paths


def _read_only(step: Step, inputs: dict[str, Value | Data]) -> tuple[Path, ...]:
    paths = [value.path for name, value in inputs.items() if isinstance(value, Data) and not _is_download(step, name)]
    return tuple(dict.fromkeys(paths))


def _is_download(step: Step, name: str) -> bool:
    return step.modes.get(name) == "download"


def _place(step: Step, folder: Path, name: str, value: Value | Data) -> Any:
    """The path of an input as the step sees it: where it lies, or a copy that the step may change."""
    if not isinstance(value, Data):
        return value
    kept = value.path.is_relative_to(home())
    if not _is_download(step, name) and (mounts.supported() or kept):
        return value.path
    target = folder / "inputs" / name / value.path.name
    target.parent.mkdir(parents=True)
    if value.path.is_dir():
        shutil.copytree(value.path, target, copy_function=_copy)
    else:
        _copy(value.path, target)
    return target


def _copy(source: str | Path, target: str | Path) -> None:
    shutil.copy(source, target)
    os.chmod(target, 0o644)  # noqa: PTH101 - what the engine keeps is read-only, a download is not
