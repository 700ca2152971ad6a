"""Starts, finds and stops the workspace's server, one for each LOCALML_HOME."""

import ssl
import urllib.error
import urllib.request

from filelock import FileLock

from host import daemon
from host.daemon import Daemon, Server
from workspace import certificates, mlflow_server, site

MODULE = "workspace.server"


def start(port: int = 0) -> Server:
    """The server that runs, or a new one on `port` (0: any)."""
    with FileLock(site.folder() / ".lock"):
        made = _daemon(port)
        return daemon.find(made) or daemon.start(made)


def find() -> Server | None:
    """The server that runs, or None."""
    return daemon.find(_daemon(0))


def stop() -> bool:
    """End the server, and MLflow's behind it; False where none runs. Jobs go on."""
    with FileLock(site.folder() / ".lock"):
        mlflow_server.stop()
        return daemon.stop(_daemon(0))


def _daemon(port: int) -> Daemon:
    folder = site.folder()
    state, log = folder / "server.json", folder / "server.log"
    return Daemon("the local workspace", MODULE, str(port), state, log, answers=_answers)


def _answers(server: Server) -> bool:
    """Whether it serves, under the certificate of this workspace."""
    files = certificates.files(site.folder())
    try:
        trust = ssl.create_default_context(cafile=str(files.ca))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        with opener.open(f"https://127.0.0.1:{server.port}/metadata/endpoints", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False
