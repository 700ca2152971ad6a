"""The packages of an environment: a virtual environment made from its own lock, so that an import which is missing in
the image is missing here. Kept beside the engine's own, by content; every state folder and every run shares them.
"""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from amlspec.errors import UserError
from host import hashing

# MLflow's store is a SQLite file here. Azure ML's is a service, so an image need not hold what reads such a file:
# these come from the engine's own packages, and are all that a step has beyond its lock.
_STORE = ("sqlalchemy", "alembic", "mako", "markupsafe", "greenlet")
_REQUIREMENT = re.compile(r"(?:-r|--requirement)[ =]+(\S+)")


@dataclass(frozen=True)
class Packages:
    """What an environment installs: the text of its requirements, None where only the image knows; `note` says what
    is not imitated."""

    requirements: str | None
    note: str = ""


def of_context(context: Path, dockerfile: str) -> Packages:
    """Of a build context: the requirements that its Dockerfile installs."""
    path = context / dockerfile
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    names = [Path(name.strip("\"'")).name for name in _REQUIREMENT.findall(text)]
    locks = [context / name for name in names if (context / name).is_file()]
    if not locks:
        return Packages(None, "its Dockerfile installs no requirements file")
    return Packages("\n".join(lock.read_text(encoding="utf-8") for lock in locks))


def of_conda(conda: dict[str, Any]) -> Packages:
    """Of a conda file: its pip packages. Those of conda itself are not installed here."""
    listed = conda.get("dependencies") or []
    pip = [line for each in listed if isinstance(each, dict) for line in each.get("pip") or []]
    others = [each for each in listed if isinstance(each, str) and not re.match(r"(python|pip)\b(?!-)", each)]
    note = f"its conda packages are not installed here: {', '.join(others)}" if others else ""
    return Packages("\n".join(map(str, pip)), note)


def interpreter(name: str, packages: Packages, say: Callable[[str], None]) -> Path:
    """The interpreter that runs steps in an environment; makes its virtual environment where that is missing.

    Raises UserError where the packages cannot be installed.
    """
    if packages.requirements is None:
        return Path(sys.executable)
    key = hashing.of_data([sys.version_info[:3], packages.requirements])[:12]
    folder = _root() / f"{re.sub(r'[^A-Za-z0-9_.-]', '-', name)}-{key}"
    ready = folder / ".ready"
    if not ready.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not ready.exists():
                say(f"environment {name}: installing its packages, once")
                _make(name, folder, packages.requirements)
                ready.touch()
    return folder / "bin" / "python"


def _root() -> Path:
    given = os.environ.get("LOCALML_ENVIRONMENTS")
    return Path(given) if given else Path(sys.prefix).with_name(".venv-environments")


def _make(name: str, folder: Path, requirements: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    listed = folder.with_suffix(".txt")
    listed.write_text(requirements, encoding="utf-8")
    hashes = ["--require-hashes"] if "--hash=" in requirements else []
    uv = Path(sys.executable).with_name("uv")
    python = str(folder / "bin" / "python")
    if uv.exists():  # hard links into its cache: a second, where pip takes half a minute
        commands = [[str(uv), "venv", "-q", "--seed", "--python", sys.executable, str(folder)]]
        commands += [[str(uv), "pip", "install", "-q", "--python", python, *hashes, "-r", str(listed)]]
    else:
        commands = [[sys.executable, "-m", "venv", str(folder)]]
        commands += [[python, "-m", "pip", "install", "-q", *hashes, "-r", str(listed)]]
    try:
        for command in commands:
            _run(name, command)
        _add_store(folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        listed.unlink()


def _add_store(folder: Path) -> None:
    (target,) = folder.glob("lib/python*/site-packages")
    if not (target / "mlflow").is_dir():
        return
    for package in _STORE:
        if not (target / package).exists():
            (target / package).symlink_to(Path(sysconfig.get_path("purelib")) / package)


def _run(name: str, command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(line.strip() for line in done.stderr.splitlines() if line.strip())[-400:]
        raise UserError(f"environment {name}: its packages cannot be installed: {said or 'no reason was given'}", 1)
