"""Speak to Snowflake: connect, run a query, and turn its errors into one clear line."""

import http.client
import logging
import os
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import snowflake.connector
from snowflake.connector import errors as sf

from demand.errors import StepError
from sales.snowflake_sign_in import LOGIN_SECONDS, SignIn, first_line, sign_in_arguments
from sales.specs import Connection

# A name that is still unknown or an address that is still silent may be a private endpoint that has just been made.
PROBE_SECONDS = 8
PROBES = 3
# A warehouse that is lost in the middle may come back within this time; a query may take as long as it likes.
LOST_SECONDS = 120


def _address(connection: Connection) -> dict[str, Any]:
    """Host, port and protocol; the local warehouse overrides them."""
    port = os.environ.get("SNOWFLAKE_PORT", "443")
    if not port.isdigit():
        raise StepError(f"SNOWFLAKE_PORT is {port!r}, it must be a number")
    host = os.environ.get("SNOWFLAKE_HOST") or connection.host
    return {"host": host, "port": int(port), "protocol": os.environ.get("SNOWFLAKE_PROTOCOL", "https")}


class _StayHere(urllib.request.HTTPRedirectHandler):
    """An account answers with the way to its web pages, which a closed network does not let through."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: the redirect itself is an answer."""


def check_reachable(address: dict[str, Any]) -> None:
    """Any HTTP answer will do; the connector alone would wait minutes for a server that accepts and says nothing.

    Raises:
        StepError: no such host, nothing listens, or no answer within PROBES times PROBE_SECONDS; says which.
    """
    for left in reversed(range(PROBES)):
        reason = _probe(address)
        if reason is None:
            return
        if left and isinstance(reason, TimeoutError | socket.gaierror):
            continue
        waited = f"no answer within {PROBES * PROBE_SECONDS} s" if isinstance(reason, TimeoutError) else reason
        place = f"{address['host']}:{address['port']}"
        raise StepError(f"cannot reach the warehouse at {place} ({waited}): is it up, and the address right?")


def _probe(address: dict[str, Any]) -> object | None:
    """Why nothing answers; None where something does."""
    url = f"{address['protocol']}://{address['host']}:{address['port']}/"
    try:
        urllib.request.build_opener(_StayHere).open(url, timeout=PROBE_SECONDS).close()
    except (urllib.error.HTTPError, ssl.SSLError):
        return None  # it answers; what it thinks of certificates, the connector tells better
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return None if isinstance(reason, ssl.SSLError) else reason
    return None


@contextmanager
def connect(connection: Connection, sign_in: SignIn | None = None) -> Iterator[Any]:
    """A signed-in snowflake connection, closed at the end.

    Raises:
        StepError: not reachable, or the sign-in was refused.
    """
    address = _address(connection)
    check_reachable(address)
    credentials = sign_in_arguments(sign_in or SignIn(), address["host"])
    logging.getLogger("snowflake.connector").setLevel(logging.ERROR)
    try:
        session = snowflake.connector.connect(
            account=connection.account,
            user=connection.user,
            database=connection.database,
            schema=connection.schema,
            warehouse=connection.warehouse,
            role=connection.role,
            login_timeout=LOGIN_SECONDS,
            # Months are cut in UTC, whatever the account's own time zone is.
            session_parameters={"TIMEZONE": "UTC", "CLIENT_TELEMETRY_ENABLED": False},
            **address,
            **credentials,
        )
    except sf.Error as error:
        raise StepError(_sign_in_message(error, connection, f"{address['host']}:{address['port']}")) from error
    _limit_retries(session)
    try:
        yield session
    finally:
        session.close()


def _limit_retries(session: Any) -> None:
    """End a request that finds no server for LOST_SECONDS.

    network_timeout would do so, too, but the connector cancels each query that runs longer than it (4.8.1,
    cursor.py: real_timeout starts the cancellation timer). Without either it tries again for ever.
    """
    fetch = session.rest.fetch

    def limited(*arguments: Any, timeout: int | None = None, **options: Any) -> Any:
        return fetch(*arguments, timeout=LOST_SECONDS if timeout is None else timeout, **options)

    session.rest.fetch = limited


def _sign_in_message(error: sf.Error, connection: Connection, place: str) -> str:
    text = first_line(error)
    refused = f"the warehouse at {place} refused the sign-in of {connection.user}"
    if "Incorrect username or password" in text or "JWT token" in text:
        return f"{refused}: check the user, and its key in Key Vault or SNOWFLAKE_PASSWORD"
    if "workload identity" in text.lower() or "federat" in text.lower():
        return f"{refused}: {text}; check its WORKLOAD_IDENTITY against the job's identity (docs/snowflake.md)"
    if isinstance(error, sf.OperationalError | sf.InterfaceError):
        return f"cannot reach the warehouse at {place}: is it up, and the address right? ({text})"
    return f"the warehouse at {place} did not accept the session of {connection.user}: {text}"


class WarehouseLostError(StepError):
    """The warehouse went away; the session is of no use any more, and the warehouse itself undoes what it held."""


@contextmanager
def query_errors(place: str) -> Iterator[None]:
    """Turn errors of running the query that stands at `place` (file:line) into a StepError."""
    try:
        yield
    except sf.ProgrammingError as error:
        message = " ".join(str(error.raw_msg or error).split())
        raise StepError(f"{place}: the warehouse refused the query: {message}") from error
    except sf.Error as error:
        message = f"{place}: lost the warehouse while running the query: {first_line(error)}"
        raise WarehouseLostError(f"{message}; run it again, it goes on from what is finished") from error


def execute(session: Any, sql: str, place: str) -> Any:
    """Run `sql` and return its cursor; `place` names the query that it was made from."""
    with query_errors(place):
        return session.cursor().execute(sql)
