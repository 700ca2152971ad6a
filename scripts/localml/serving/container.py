"""How a container starts its server: by the CMD of its image's Dockerfile, which is run here word for word but for the
port, since every replica needs its own, and for the address, since nothing here listens beyond loopback.
"""

import json
import re
import shlex
from pathlib import Path

from amlspec.errors import UserError

# What Azure ML's own inference images start, for an environment that names an image only.
DEFAULT = (
    "bash",
    "-c",
    'cd "${AML_APP_ROOT:-/var/azureml-app}"; exec azmlinfsrv --entry_script "${AZUREML_ENTRY_SCRIPT#/}" --port 5001',
)
DEFAULT_PORT = 5001
LAUNCH = Path(__file__).with_name("launch.py")


def command_of(dockerfile: Path) -> tuple[str, ...]:
    """The CMD of a Dockerfile; of more than one the last counts. Raises UserError where there is none."""
    text = re.sub(r"\\\n", " ", dockerfile.read_text(encoding="utf-8"))
    given = re.findall(r"^CMD\s+(.+?)\s*$", text, re.MULTILINE | re.IGNORECASE)
    if not given:
        raise UserError(f"{dockerfile}: no CMD starts the server: add one, say CMD {json.dumps(DEFAULT)}")
    try:
        words = json.loads(given[-1])
    except ValueError:
        return ("/bin/sh", "-c", given[-1])
    return tuple(map(str, words))


def on_port(command: tuple[str, ...], port: int, own: int) -> list[str]:
    """`command` with the replica's port in the place of the container's."""
    return [re.sub(rf"\b{port}\b", str(own), word) for word in command]


def write_server(folder: Path, python: Path) -> None:
    """Make `folder`/azmlinfsrv, which starts the real server of the environment `python` on loopback."""
    folder.mkdir(parents=True)
    # Started by a path below the state folder, so that a list of processes tells whose server it is.
    launch = folder / LAUNCH.name
    launch.symlink_to(LAUNCH)
    script = folder / "azmlinfsrv"
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(str(python))} -P {shlex.quote(str(launch))} "$@"\n')
    script.chmod(0o755)
