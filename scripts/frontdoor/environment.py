"""Makes virtual environments from hashed locks. Runs before any package is there: the standard library alone."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Our programs run in any folder (`python -m localml`) by this one path file, and nothing else sets PYTHONPATH for
# them. Not by an installed package: that would need a build backend in the lock, and its path file would hold for the
# steps of a job too (LOCALML_STEP), which must not see more than their own snapshot.
PATH_FILE = (
    'import os, sys; os.environ.get("LOCALML_STEP") or (sys.path.extend({folders!r}), __import__("quiet_interrupt"))\n'
)


def make(venv: Path) -> None:
    """The environment of our own programs. Raises CalledProcessError; the installer has said why."""
    _say(f"Installing the locked packages into {venv}")
    _run(sys.executable, "-m", "venv", venv)
    python = venv / "bin/python"
    if not _has_uv():  # pip alone can do it; a pinned uv is some seven times faster
        _pip(python, Path("requirements.lock"))
    else:
        _pip(python, Path("requirements-uv.txt"))
        _uv(venv, python, Path("requirements.lock"))
    asked = subprocess.run(
        [python, "-c", 'import sysconfig; print(sysconfig.get_path("purelib"))'],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    folders = [str(Path.cwd() / "scripts"), str(Path.cwd() / "src")]
    (Path(asked.stdout.strip()) / "localml.pth").write_text(PATH_FILE.format(folders=folders), encoding="utf-8")
    (venv / ".ready").touch()


def beside(venv: Path, lock: Path, what: str) -> Path:
    """An environment for packages whose pins clash with ours, where it is missing or older than its lock.

    Args:
        venv: folder of the environment.
        lock: pinned, hashed requirements.
        what: named in the line that says so.

    Returns:
        its Python.
    """
    python, ready = venv / "bin/python", venv / ".ready"
    newest = max(path.stat().st_mtime for path in (lock, Path("requirements-uv.txt")))
    if ready.is_file() and ready.stat().st_mtime >= newest:
        return python
    _say(f"Installing {what} into {venv}")
    _run(os.environ.get("PYTHON") or _base(), "-m", "venv", venv)
    if _has_uv():
        _uv(Path(sys.prefix), python, lock)
    else:
        _pip(python, lock)
    ready.touch()
    return python


def _base() -> str:
    """The Python that this environment was made from: environments of an environment would share its packages."""
    return getattr(sys, "_base_executable", sys.executable)


def _has_uv() -> bool:
    return os.environ.get("UV") != "no"


def _pip(python: Path, lock: Path) -> None:
    _run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", lock)


def _uv(venv: Path, python: Path, lock: Path) -> None:
    _run(venv / "bin/uv", "pip", "install", "-q", "--python", python, "--require-hashes", "-r", lock)


def _run(*command: "str | Path") -> None:
    subprocess.run([str(word) for word in command], check=True)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        make(Path(sys.argv[1]))
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
