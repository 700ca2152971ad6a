"""MLflow's own server over the engine's store, for the workspace's MLflow plane; started by the first call of it.

It is MLflow's application in a process of its own. `mlflow server` would start four of them, which takes a busy
machine a minute. MLflow asks nobody who he is, so this listens on loopback only, as the page of `make ui` does; who
comes over the workspace has shown its token there.
"""

import os
import sys
from pathlib import Path

from filelock import FileLock

from host import daemon
from host.daemon import Daemon
from host.state import home
from localml import tracking
from workspace import site

_START_SECONDS = 180.0
_HOST = "127.0.0.1"


def ensure() -> int:
    """Port of the MLflow server, which is started where none runs. Raises UserError where it does not come up."""
    made = _daemon()
    if running := daemon.find(made):
        return running.port
    with FileLock(site.folder() / ".mlflow.lock"):
        result = daemon.find(made) or daemon.start(made, {"LOCALML_HOME": str(home())})
    return result.port


def stop() -> bool:
    """End it; False where none runs."""
    return daemon.stop(_daemon())


def _daemon() -> Daemon:
    folder = site.folder()
    state, log = folder / "mlflow.json", folder / "mlflow.log"
    return Daemon("MLflow", "workspace.mlflow_server", str(state), state, log, _START_SECONDS)


def main(argv: list[str] | None = None) -> int:
    """The process of the daemon; it serves until a signal ends it."""
    state = Path((sys.argv[1:] if argv is None else argv)[0])
    tracking.prepare("Default")
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    from mlflow.server import constants  # noqa: PLC0415 - what is read from here takes seconds

    os.environ[constants.BACKEND_STORE_URI_ENV_VAR] = tracking.uri()
    os.environ[constants.ARTIFACT_ROOT_ENV_VAR] = (home() / "mlartifacts").as_uri()
    from mlflow.server import app  # noqa: PLC0415 - reads both
    from werkzeug.serving import make_server  # noqa: PLC0415

    server = make_server(_HOST, 0, app, threaded=True)
    daemon.announce(state, server.server_port)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
