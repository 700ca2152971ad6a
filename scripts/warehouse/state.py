"""Where the local warehouse keeps its things, and whether the server that they name still runs."""

import contextlib
import http.client
import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

REPO = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"
# Clock ticks round a process's start time; two processes with one pid are further apart than this.
SAME_START_SECONDS = 0.05


@dataclass(frozen=True)
class Server:
    """One run of the server: `create_time` (seconds since 1970) tells it from another process with its pid."""

    pid: int
    create_time: float
    port: int


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


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace `path` in one go: a reader finds the old text or the new one, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    temporary.replace(path)


def ensure_password(home: Home) -> str:
    """The warehouse's password; a random one is made the first time."""
    if not home.password.exists():
        write_atomically(home.password, secrets.token_urlsafe(32), 0o600)
    return home.password.read_text(encoding="utf-8").strip()


def write_state(home: Home, port: int) -> None:
    """Note that this very process serves on `port`."""
    server = Server(os.getpid(), psutil.Process().create_time(), port)
    write_atomically(home.state, json.dumps(asdict(server)))


def read_state(home: Home) -> Server | None:
    """The server that the state file names, whether or not it runs; None without a readable state file."""
    try:
        content = json.loads(home.state.read_text(encoding="utf-8"))
        return Server(int(content["pid"]), float(content["create_time"]), int(content["port"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def process_of(server: Server) -> psutil.Process | None:
    """The server's process; None when it has ended or its pid now belongs to another process."""
    try:
        process = psutil.Process(server.pid)
        same = abs(process.create_time() - server.create_time) < SAME_START_SECONDS
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except psutil.NoSuchProcess:
        return None


def is_healthy(server: Server, timeout: float = 2.0) -> bool:
    """Whether the server answers on its port within `timeout` seconds, and is the one that the state names."""
    try:
        # Not urllib, which would ask a proxy for it.
        with contextlib.closing(http.client.HTTPConnection(HOST, server.port, timeout=timeout)) as connection:
            connection.request("GET", "/health")
            return bool(json.load(connection.getresponse()).get("pid") == server.pid)
    except (OSError, ValueError, AttributeError, http.client.HTTPException):
        return False


def running(home: Home) -> Server | None:
    """The server that runs and answers, or None."""
    server = read_state(home)
    return server if server and process_of(server) and is_healthy(server) else None
