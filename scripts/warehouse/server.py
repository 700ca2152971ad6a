"""The server process: fakesnow's HTTP server with its data on disk, a password, and errors that say what happened.

Run as `python -m warehouse.server FOLDER`; `warehouse.lifecycle` does. fakesnow as it comes keeps data in memory,
accepts any password, never forgets a result, and answers an error that it did not expect with status 500, which makes
clients try again for minutes; each of these is changed here and nowhere else.
"""

import fcntl
import functools
import gzip
import hmac
import json
import os
import shutil
import socket
import sys
import tempfile
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, TextIO

from host import daemon
from warehouse.stages import drop_stage
from warehouse.state import HOST, Home, ensure_password

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

LOGIN_PATH = "/session/v1/login-request"
RESULTS_KEPT = 4
TICKS = 10
WRONG_PASSWORD = {
    "data": {"authnMethod": "USERNAME_PASSWORD"},
    "code": "390100",
    "message": "Incorrect username or password was specified.",
    "success": False,
}


class LastResults(OrderedDict[str, tuple[Any, ...]]):
    """The newest results only; fakesnow keeps each result of its life in memory."""

    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        super().__setitem__(key, value)
        while len(self) > RESULTS_KEPT:
            self.popitem(last=False)


class Guard:
    """ASGI app around fakesnow's: answers /health, and lets a login pass only with the right password."""

    def __init__(self, app: App, password: str) -> None:
        self._app = app
        self._password = password

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one request as ASGI asks."""
        path = scope.get("path")
        if path == "/health":
            await answer(send, {"pid": os.getpid()})
        elif path == LOGIN_PATH:
            await self._login(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _login(self, scope: Message, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        compressed = (b"content-encoding", b"gzip") in scope["headers"]
        if not hmac.compare_digest(given_password(body, compressed).encode(), self._password.encode()):
            await answer(send, WRONG_PASSWORD)
            return

        async def replay() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request."""
    parts, more = [], True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


def given_password(body: bytes, compressed: bool) -> str:
    """The password of a login request; empty where there is none."""
    try:
        return str(json.loads(gzip.decompress(body) if compressed else body)["data"].get("PASSWORD") or "")
    except (ValueError, KeyError, AttributeError, TypeError, OSError, EOFError):
        return ""


async def answer(send: Send, content: dict[str, Any]) -> None:
    """Send `content` as JSON with status 200."""
    body = json.dumps(content).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def answer_every_error() -> None:
    """Make DuckDB's errors that fakesnow does not expect (disk full, out of memory) answers with their message."""
    import duckdb  # noqa: PLC0415
    from fakesnow.cursor import FakeSnowflakeCursor  # noqa: PLC0415
    from snowflake.connector.errors import ProgrammingError  # noqa: PLC0415

    execute = FakeSnowflakeCursor.execute

    @functools.wraps(execute)
    def execute_and_answer(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        refuse_as_snowflake_does(command)
        try:
            return execute(self, drop_stage(self, command) or command, *args, **kwargs)
        except (duckdb.Error, OSError) as error:
            first_line = (str(error).splitlines() or [type(error).__name__])[0]
            raise ProgrammingError(msg=first_line, errno=100183, sqlstate="XX000") from error

    FakeSnowflakeCursor.execute = execute_and_answer  # type: ignore[method-assign]


def refuse_as_snowflake_does(command: str) -> None:
    """Refuse what fakesnow would take and Snowflake would not, so that it shows on the laptop."""
    from snowflake.connector.errors import ProgrammingError  # noqa: PLC0415

    from sqlcheck.rules import refusals  # noqa: PLC0415

    for rule in refusals(command):
        message = f"SQL compilation error: Snowflake refuses this ({rule.name}): {rule.message}; {rule.source}"
        raise ProgrammingError(msg=message, errno=1003, sqlstate="42601")


def build_app(home: Home) -> App:
    """fakesnow's app over the databases of `home`, behind the password."""
    import fakesnow.server as fakesnow_server  # noqa: PLC0415
    from fakesnow.instance import FakeSnow  # noqa: PLC0415

    answer_every_error()
    warehouse = FakeSnow(db_path=home.databases)
    warehouse.results_cache = LastResults()
    fakesnow_server.shared_fs = warehouse
    for file in home.databases.glob("*.db"):  # a damaged file shows at the start, not in somebody's query
        warehouse.connect(database=file.stem).close()
    return Guard(fakesnow_server.app, ensure_password(home))


def hold_folder(home: Home) -> TextIO:
    """Lock the folder for the life of this process; the kernel frees it however the process ends.

    Raises:
        SystemExit: another server, which the state file no longer names, has the folder.
    """
    file = (home.folder / "server.lock").open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        raise SystemExit(f"process {file.read().strip()} already serves {home.folder}; end it first") from None
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def fresh_temporary_folder(home: Home) -> None:
    """Uploads of earlier runs go; fakesnow itself never deletes them."""
    folder = home.folder / "tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tempfile.tempdir = str(folder)


def is_named(home: Home) -> bool:
    """Whether the state file still names this process: `rm -rf .localml` must not leave a server behind."""
    server = daemon.read(home.state)
    return server is not None and server.pid == os.getpid()


def serve(folder: Path) -> None:
    """Serve until SIGTERM; the state file appears when the server answers."""
    home = Home(folder)
    lock = hold_folder(home)
    fresh_temporary_folder(home)
    import uvicorn  # noqa: PLC0415

    app = build_app(home)
    listener = socket.socket()
    listener.bind((HOST, 0))

    class Announced(uvicorn.Server):
        """Writes the state file once connections are accepted, and ends when it is gone or names another server."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            daemon.announce(home.state, listener.getsockname()[1])

        async def on_tick(self, counter: int) -> bool:
            is_due = counter % TICKS == 0  # ten a second
            return await super().on_tick(counter) or (is_due and not is_named(home))

    config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=3)
    Announced(config).run(sockets=[listener])
    lock.close()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
