"""What a component carries: its `code`, and with it its `additional_includes`, as Azure ML merges them."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amlspec import includes, snapshot
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Component
from host import hashing
from host.state import home
from localml import values


@dataclass(frozen=True)
class ComponentCode:
    """Paths are resolved; `base` is the folder of the component's spec."""

    base: Path
    code: Path | None
    includes: tuple[Path, ...] = ()

    def members(self) -> dict[str, Path]:
        """Name in the snapshot -> file, sorted."""
        if not self.includes:
            if self.code is None:
                return {}
            root = self.code if self.code.is_dir() else self.code.parent
            return {path.relative_to(root).as_posix(): path for path in snapshot.files(self.code, home())}
        paths = sorted(path.as_posix() for root in (self.code, *self.includes) if root for path in _walk(root))
        code = self.code.as_posix() if self.code else None
        source = includes.Source(paths, _read)
        named = includes.members(source, self.base.as_posix(), code, [path.as_posix() for path in self.includes])
        return {name: Path(path) for name, path in named.items()}

    def hash(self) -> str:
        """Hash of the snapshot's names and bytes."""
        return hashing.of_members(self.members())

    def copy(self, target: Path) -> None:
        """Copy the snapshot to `target`, which must not exist."""
        target.mkdir(parents=True)
        for name, path in self.members().items():
            destination = target / name
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, destination)


def of(component: Component, document: Document) -> ComponentCode:
    """Code and includes of a component. Raises UserError, with the words of azure-ai-ml where it refuses too."""
    base = document.path.parent.resolve()
    where = document.where("code")
    code = values.local_path(component.code, base, where).resolve() if component.code else None
    if code and not code.exists():
        raise UserError(f"{where}: the code folder {component.code} does not exist")
    paths = []
    for index, include in enumerate(component.additional_includes):
        where = document.where("additional_includes", index)
        path = values.local_path(include, base, where).resolve()
        if not path.exists():
            raise UserError(f"{where}: unable to find additional include {include}")
        if code and (code / path.name).exists():
            raise UserError(f"{where}: a file already exists for additional include {include} in {component.code}")
        paths.append(path)
    return ComponentCode(base, code, tuple(paths))


def of_spec(document: Document) -> ComponentCode:
    """The same of a spec of any kind: what its `code` and `additional_includes` say."""
    given = {key: document.data[key] for key in ("code", "additional_includes") if document.data.get(key)}
    return of(Component.model_validate({"command": "", **given}), document)


def _walk(root: Path) -> Iterator[Path]:
    """Files of a folder, or the file itself; the engine's own state belongs to nobody's code."""
    if root.is_file():
        yield root
    for folder, folders, names in os.walk(root, followlinks=True):
        here = Path(folder)
        folders[:] = [name for name in folders if (here / name).resolve() != home()]
        yield from (here / name for name in names)


def _read(path: str) -> str | None:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else None
