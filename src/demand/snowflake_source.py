"""Speak to Snowflake: sign in with a key pair (or a password), run a query, turn its errors into one clear line."""

import http.client
import logging
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import snowflake.connector
from snowflake.connector import errors as sf

from demand.connection_spec import Connection
from demand.errors import UserError

# An unreachable warehouse must say so within seconds; one that is lost in the middle may come back for a minute.
PROBE_SECONDS = 8
LOGIN_SECONDS = 10
NETWORK_SECONDS = 60


@dataclass(frozen=True)
class KeyVault:
    """Where the private key of the warehouse's user lies."""

    url: str
    secret: str


def read_private_key(vault: KeyVault) -> bytes:
    """The private key (DER, PKCS8) of the Key Vault secret, read with the job's own identity.

    Raises:
        UserError: the vault or the secret cannot be read, or the secret is no unencrypted PEM private key.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415  (half a second that a password sign-in does not need)
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415
    from azure.keyvault.secrets import SecretClient  # noqa: PLC0415

    # Azure ML names the identity of a job's compute in this variable.
    identity = DefaultAzureCredential(managed_identity_client_id=os.environ.get("DEFAULT_IDENTITY_CLIENT_ID"))
    try:
        pem = SecretClient(vault_url=vault.url, credential=identity).get_secret(vault.secret).value
    except (AzureError, ValueError) as error:
        hint = "check the vault's URL and that the job's identity may get secrets"
        raise UserError(f"cannot read secret {vault.secret} of {vault.url}: {_first_line(error)}; {hint}") from error
    return pem_to_der(pem or "", vault)


def pem_to_der(pem: str, vault: KeyVault) -> bytes:
    """`pem` in the form that the connector takes; `vault` is for the error only."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    try:
        key = form.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"secret {vault.secret} of {vault.url} is no unencrypted PEM private key; store the text of the .p8 file"
        ) from error
    return key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())


def sign_in_arguments(vault: KeyVault | None) -> dict[str, Any]:
    """The connector's credential arguments.

    Raises:
        UserError: neither a Key Vault nor SNOWFLAKE_PASSWORD is given.
    """
    if vault:
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": read_private_key(vault)}
    password = os.environ.get("SNOWFLAKE_PASSWORD")
    if not password:
        raise UserError("no way to sign in: give --vault-url, or SNOWFLAKE_PASSWORD as the local warehouse does")
    return {"password": password}


def _address(connection: Connection) -> dict[str, Any]:
    """Host, port and protocol; the local warehouse overrides them."""
    port = os.environ.get("SNOWFLAKE_PORT", "443")
    if not port.isdigit():
        raise UserError(f"SNOWFLAKE_PORT is {port!r}, it must be a number")
    host = os.environ.get("SNOWFLAKE_HOST") or connection.host
    return {"host": host, "port": int(port), "protocol": os.environ.get("SNOWFLAKE_PROTOCOL", "https")}


def check_reachable(address: dict[str, Any]) -> None:
    """Any HTTP answer will do; the connector alone would wait a minute for a server that accepts and says nothing.

    Raises:
        UserError: no such host, nothing listens, or no answer within PROBE_SECONDS; says which.
    """
    place = f"{address['host']}:{address['port']}"
    try:
        urllib.request.urlopen(f"{address['protocol']}://{place}/", timeout=PROBE_SECONDS).close()  # noqa: S310
    except (urllib.error.HTTPError, ssl.SSLError):
        return  # it answers; what it thinks of certificates, the connector tells better
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, ssl.SSLError):
            return
        told = f"no answer within {PROBE_SECONDS} s" if isinstance(reason, TimeoutError) else reason
        raise UserError(f"cannot reach the warehouse at {place} ({told}): is it up, and the address right?") from error


@contextmanager
def connect(connection: Connection, vault: KeyVault | None = None) -> Iterator[Any]:
    """A signed-in snowflake connection, closed at the end.

    Raises:
        UserError: not reachable, or the sign-in was refused.
    """
    address = _address(connection)
    check_reachable(address)
    credentials = sign_in_arguments(vault)
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
            network_timeout=NETWORK_SECONDS,
            # Months are cut in UTC, whatever the account's own time zone is.
            session_parameters={"TIMEZONE": "UTC", "CLIENT_TELEMETRY_ENABLED": False},
            **address,
            **credentials,
        )
    except sf.Error as error:
        raise UserError(_sign_in_message(error, connection, f"{address['host']}:{address['port']}")) from error
    try:
        yield session
    finally:
        session.close()


def _sign_in_message(error: sf.Error, connection: Connection, place: str) -> str:
    text = _first_line(error)
    if "Incorrect username or password" in text or "JWT token" in text:
        what = "check the user, and its key in Key Vault or SNOWFLAKE_PASSWORD"
        return f"the warehouse at {place} refused the sign-in of {connection.user}: {what}"
    if isinstance(error, sf.OperationalError | sf.InterfaceError):
        return f"cannot reach the warehouse at {place}: is it up, and the address right? ({text})"
    return f"the warehouse at {place} did not accept the session of {connection.user}: {text}"


def _first_line(error: BaseException) -> str:
    lines = str(getattr(error, "raw_msg", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


@contextmanager
def told_errors(place: str) -> Iterator[None]:
    """Turn errors of running the query that stands at `place` (file:line) into a UserError."""
    try:
        yield
    except sf.ProgrammingError as error:
        message = " ".join(str(error.raw_msg or error).split())
        raise UserError(f"{place}: the warehouse refused the query: {message}") from error
    except sf.Error as error:
        again = "run it again, finished months are kept"
        raise UserError(
            f"{place}: lost the warehouse while running the query: {_first_line(error)}; {again}"
        ) from error


def execute(session: Any, sql: str, place: str) -> Any:
    """Run `sql` and return its cursor; `place` names the query that it was made from."""
    with told_errors(place):
        return session.cursor().execute(sql)
