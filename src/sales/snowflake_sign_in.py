"""Ways to sign in to Snowflake: the job's own identity, a key pair of Key Vault, or the local warehouse's password."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snowflake.connector.auth import AuthByKeyPair
from snowflake.connector.auth.by_plugin import AuthType
from snowflake.connector.backoff_policies import exponential_backoff
from snowflake.connector.wif_util import DEFAULT_ENTRA_SNOWFLAKE_RESOURCE

from demand.errors import StepError

WORKLOAD_IDENTITY = "workload_identity"
KEY_PAIR = "key_pair"
WAYS = (WORKLOAD_IDENTITY, KEY_PAIR)
# A first sign-in resolves names, asks OCSP and may wait for a private endpoint; the connector's default is 120, too.
LOGIN_SECONDS = 120
# The connector sends an identity's token to these domains only (its _SNOWFLAKE_ALLOWED_HOST_SUFFIXES), so do we.
TRUSTED_DOMAINS = (".snowflakecomputing.com", ".snowflakecomputing.cn", ".snowflakecomputing.mil")


@dataclass(frozen=True)
class KeyVault:
    """Where the private key of the warehouse's user lies."""

    url: str
    secret: str


@dataclass(frozen=True)
class SignIn:
    """How to sign in: one of WAYS; `vault` is for KEY_PAIR. SNOWFLAKE_PASSWORD replaces a workload identity."""

    way: str = WORKLOAD_IDENTITY
    vault: KeyVault | None = None


def sign_in_of(way: str, vault_url: str | None, key_name: str) -> SignIn:
    """The sign-in that a step's flags ask for."""
    return SignIn(way, KeyVault(vault_url, key_name) if vault_url else None)


def sign_in_arguments(sign_in: SignIn, host: str) -> dict[str, Any]:
    """The connector's credential arguments.

    Raises:
        StepError: a key pair without a vault, an identity's token for a host that is not Snowflake's, or no identity.
    """
    if sign_in.way == KEY_PAIR:
        if not sign_in.vault:
            raise StepError("sign_in is key_pair and no vault_url is given: name the Key Vault with the private key")
        return {"authenticator": "SNOWFLAKE_JWT", "private_key": read_private_key(sign_in.vault)}
    password = os.environ.get("SNOWFLAKE_PASSWORD")  # the local warehouse knows no identity of Azure
    if password:
        return {"password": password}
    if not host.lower().endswith(TRUSTED_DOMAINS):
        domains = ", ".join(f"*{domain}" for domain in TRUSTED_DOMAINS)
        raise StepError(
            f"no identity is sent to {host}, only to {domains}: correct the connection's target, "
            "or set SNOWFLAKE_PASSWORD as the local warehouse does"
        )
    return {"auth_class": EntraIdentity(entra_token)}


def _identity() -> Any:
    """The job's credential; Azure ML names the identity of a job's compute in DEFAULT_IDENTITY_CLIENT_ID."""
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415  (half a second that a password does not need)

    return DefaultAzureCredential(managed_identity_client_id=os.environ.get("DEFAULT_IDENTITY_CLIENT_ID"))


def entra_token() -> str:
    """A token of the job's identity for Snowflake's application in Entra ID.

    Raises:
        StepError: there is no identity, or Entra ID gives it no token for Snowflake.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    try:
        return str(_identity().get_token(f"{DEFAULT_ENTRA_SNOWFLAKE_RESOURCE}/.default").token)
    except (AzureError, ValueError) as error:
        hint = "run it as a job with a managed identity, and see docs/snowflake.md; or set sign_in to key_pair"
        raise StepError(f"no token to sign in to Snowflake with: {first_line(error)}; {hint}") from error


class EntraIdentity(AuthByKeyPair):
    """Sends an Entra token just as the connector's provider AZURE does, but takes it from azure-identity.

    The connector (4.8.1, wif_util.create_azure_attestation) asks the metadata service of a virtual machine or of
    App Service. A job of Azure ML has neither: its endpoint is MSI_ENDPOINT, which azure-identity knows
    (azure.identity._credentials.azure_ml). AuthByKeyPair is the one base class for an own way of signing in that
    connect(auth_class=...) takes.
    """

    def __init__(self, get_token: Callable[[], str]) -> None:
        super().__init__(b"", timeout=LOGIN_SECONDS, backoff_generator=exponential_backoff()())
        self._socket_timeout = None  # ten seconds there, since a key pair's own token lives for a minute only
        self._get_token = get_token
        self._token = ""

    @property
    def type_(self) -> AuthType:
        """Name of the authenticator."""
        return AuthType.WORKLOAD_IDENTITY

    def prepare(self, *, account: str = "", user: str = "", **_: Any) -> str:
        """Fetch the token, which is good for any account and user."""
        self._token = self._get_token()
        return self._token

    def update_body(self, body: dict[str, Any]) -> None:
        """Put the token into a login request."""
        data = body["data"]
        data.update(AUTHENTICATOR=self.type_.value, PROVIDER="AZURE", TOKEN=self._token)
        data.setdefault("CLIENT_ENVIRONMENT", {})["WORKLOAD_IDENTITY_IMPERSONATION_PATH_LENGTH"] = 0

    def reset_secrets(self) -> None:
        """Forget the token."""
        self._token = ""


def read_private_key(vault: KeyVault) -> bytes:
    """The private key (DER, PKCS8) of the Key Vault secret, read with the job's own identity.

    Raises:
        StepError: the vault or the secret cannot be read, or the secret is not an unencrypted PEM private key.
    """
    from azure.core.exceptions import AzureError  # noqa: PLC0415
    from azure.keyvault.secrets import SecretClient  # noqa: PLC0415

    try:
        pem = SecretClient(vault_url=vault.url, credential=_identity()).get_secret(vault.secret).value
    except (AzureError, ValueError) as error:
        hint = "check the vault's URL and that the job's identity may get secrets"
        raise StepError(f"cannot read secret {vault.secret} of {vault.url}: {first_line(error)}; {hint}") from error
    return pem_to_der(pem or "", vault)


def pem_to_der(pem: str, vault: KeyVault) -> bytes:
    """`pem` in the form that the connector takes; `vault` is for the error only."""
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415

    try:
        key = form.load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError) as error:
        hint = "store the text of the .p8 file"
        raise StepError(
            f"secret {vault.secret} of {vault.url} is not an unencrypted PEM private key; {hint}"
        ) from error
    return key.private_bytes(form.Encoding.DER, form.PrivateFormat.PKCS8, form.NoEncryption())


def first_line(error: BaseException) -> str:
    """The first line of what `error` says, never empty."""
    lines = str(getattr(error, "raw_msg", None) or error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
