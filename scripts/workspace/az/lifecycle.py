"""Starts and ends the preloaded interpreter behind `az`, and writes what a shell needs to call it."""

import shlex
from collections.abc import Mapping
from pathlib import Path

from filelock import FileLock

from host import daemon
from host.daemon import Daemon
from host.state import home, read_json, write_json, write_text
from workspace import site

MODULE = "workspace.az.preloaded"
SCRIPTS = Path(__file__).parents[2]
FRONT = Path(__file__).parent


def start(python: Path, variables: Mapping[str, str]) -> None:
    """Have the interpreter `python`, which has azure-ai-ml, wait for calls; one of another version ends.

    The SDK asks for the clouds where it is imported, so that it needs the `variables` of a client then: those of the
    shell may be of a workspace that has ended.
    """
    folder = site.folder()
    with FileLock(folder / ".az.lock"):
        made = _daemon(folder, python)
        if read_json(folder / "az-python.json") != str(python):
            daemon.stop(made)
        if daemon.find(made) is None:
            daemon.start(made, {"PYTHONPATH": str(SCRIPTS), **variables})
        write_json(folder / "az-python.json", str(python))


def stop() -> bool:
    """End it; False where none runs. Calls that run go on."""
    folder = site.folder()
    with FileLock(folder / ".az.lock"):
        return daemon.stop(_daemon(folder, Path("python")))


def write(python: Path) -> Path:
    """A file to source in a shell, after which the recipes of ENV=dev come to this workspace."""
    folder = site.folder()
    variables = {
        "LOCALML_HOME": home(),
        "AZ_PYTHON": python,
        "AZ_PRELOADED": _socket(folder),
        # The Makefile then asks neither Terraform nor Azure for what this machine has not.
        "LOCAL_WORKSPACE": 1,
        # A question to this machine costs less than one to the service, of which there is one every ten seconds.
        "WATCH_SECONDS": 1,
    }
    lines = [f"source {shlex.quote(str(folder / 'env.sh'))}"]
    lines += [f"export {key}={shlex.quote(str(value))}" for key, value in variables.items()]
    lines += [f'export PATH={shlex.quote(str(FRONT))}:"$PATH"']
    path = folder / "az.sh"
    write_text(path, "".join(f"{line}\n" for line in lines))
    return path


def _socket(folder: Path) -> Path:
    return folder / "az.sock"


def _daemon(folder: Path, python: Path) -> Daemon:
    state, log = folder / "az.json", folder / "az.log"
    return Daemon("az's preloaded interpreter", MODULE, str(_socket(folder)), state, log, 120.0, python=str(python))
