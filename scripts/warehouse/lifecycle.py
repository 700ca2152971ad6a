"""Start, find and stop the one server of a warehouse folder."""

import logging

from filelock import FileLock

from amlspec.errors import UserError
from host import daemon
from host.daemon import Server
from warehouse.state import HOST, Home, daemon_of, ensure_password, running

log = logging.getLogger("warehouse")


def start(home: Home) -> Server:
    """The server of `home`: the one that runs, else a new one that outlives its caller.

    Raises:
        UserError: it did not come up; says why and where its log lies.
    """
    with FileLock(home.lock):
        server = running(home)
        if server:
            return server
        # A server that runs but does not answer holds the data; it has to go before the next.
        if daemon.stop(daemon_of(home)):
            log.warning("The warehouse did not answer; starting another")
        ensure_password(home)
        return daemon.start(daemon_of(home))


def stop(home: Home) -> bool:
    """End the server of `home`; False when none runs. A state file that names no server of ours is removed."""
    with FileLock(home.lock):
        ended = daemon.stop(daemon_of(home))
        home.state.unlink(missing_ok=True)
        return ended


def connection_environment(home: Home) -> dict[str, str]:
    """The SNOWFLAKE_* variables that lead a step to the server of `home`, its password among them.

    Raises:
        UserError: no server runs.
    """
    server = running(home)
    if not server:
        raise UserError("the local warehouse does not run; start it with: make start-warehouse")
    return {
        "SNOWFLAKE_HOST": HOST,
        "SNOWFLAKE_PORT": str(server.port),
        "SNOWFLAKE_PROTOCOL": "http",
        "SNOWFLAKE_PASSWORD": ensure_password(home),
    }
