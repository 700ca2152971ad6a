"""Where the local warehouse keeps its things, and whether the server that they name still runs."""

import contextlib
import http.client
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from host import daemon
from host.daemon import Daemon, Server
from host.state import write_text

REPO = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
START_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Home:
    """The warehouse's folder and what lies in it."""

    folder: Path

    @property
    def state(self) -> Path:
        """Pid, start time and port of the server that runs."""
        return self.folder / "server.json"

    @property
    def password(self) -> Path:
        """The password that the server asks for; readable by its owner only."""
        return self.folder / "password"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.folder / "server.log"

    @property
    def databases(self) -> Path:
        """The DuckDB file of each database."""
        return self.folder / "db"

    @property
    def seeded(self) -> Path:
        """What was loaded last."""
        return self.folder / "seeded.json"

    @property
    def lock(self) -> Path:
        """Held while a server is started or stopped."""
        return self.folder / "start.lock"

    @property
    def quarantine(self) -> Path:
        """Lines of users' files that could not be read."""
        return self.folder.parent / "quarantine"


def open_home(localml_home: Path | str | None = None) -> Home:
    """The warehouse under `localml_home` (default: LOCALML_HOME, else .localml of the repo); made where missing."""
    base = Path(localml_home or os.environ.get("LOCALML_HOME") or REPO / ".localml").resolve()
    home = Home(base / "warehouse")
    home.databases.mkdir(parents=True, exist_ok=True)
    return home


def ensure_password(home: Home) -> str:
    """The warehouse's password; a random one is made the first time."""
    if not home.password.exists():
        write_text(home.password, secrets.token_urlsafe(32))
    return home.password.read_text(encoding="utf-8").strip()


def is_healthy(server: Server, timeout: float = 2.0) -> bool:
    """Whether the server answers on its port within `timeout` seconds, and is the one that the state names."""
    try:
        # Not urllib, which would ask a proxy for it.
        with contextlib.closing(http.client.HTTPConnection(HOST, server.port, timeout=timeout)) as connection:
            connection.request("GET", "/health")
            return bool(json.load(connection.getresponse()).get("pid") == server.pid)
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return False


def daemon_of(home: Home) -> Daemon:
    """How the server of a folder is started and known."""
    module, folder = "warehouse.server", str(home.folder)
    return Daemon("the warehouse", module, folder, home.state, home.log, START_SECONDS, STOP_SECONDS, is_healthy)


def running(home: Home) -> Server | None:
    """The server that runs and answers, or None."""
    return daemon.find(daemon_of(home))
