"""Signing in to Snowflake: the job's identity by default, a key pair of Key Vault, the local warehouse's password."""

from collections.abc import Iterator
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.auth import AuthByWorkloadIdentity
from snowflake.connector.wif_util import AttestationProvider, WorkloadIdentityAttestation

from demand.errors import StepError
from fake_snowflake import FakeServer, fake_snowflake
from sales import snowflake_sign_in
from sales.snowflake import connect
from sales.snowflake_sign_in import KEY_PAIR, EntraIdentity, KeyVault, SignIn, sign_in_arguments, sign_in_of
from sales.specs import load_connection
from warehouse_fixtures import REPO

CONNECTION = REPO / "ml" / "data" / "snowflake.connection.yml"
VAULT = KeyVault("https://gbj-dmd-dev-kv.vault.azure.net", "snowflake-private-key")
HOST = "globojava-analytics.snowflakecomputing.com"
# Whatever credential of this machine azure-identity might find first.
AZURE = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "IDENTITY_HEADER")


class Secret:
    def __init__(self, value: str) -> None:
        self.value = value


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeServer]:
    """A recording server that the connector is led to."""
    with fake_snowflake() as running:
        for name in (*AZURE, "SNOWFLAKE_PASSWORD"):
            monkeypatch.delenv(name, raising=False)
        variables = {"HOST": "127.0.0.1", "PORT": str(running.port), "PROTOCOL": "http"}
        for name, value in variables.items():
            monkeypatch.setenv(f"SNOWFLAKE_{name}", value)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(snowflake_sign_in, "TRUSTED_DOMAINS", ("127.0.0.1",))
        yield running


def pem(key: rsa.RSAPrivateKey, password: bytes | None = None) -> str:
    cipher = form.BestAvailableEncryption(password) if password else form.NoEncryption()
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, cipher).decode()


def fake_vault(monkeypatch: pytest.MonkeyPatch, answer: str | Exception) -> list[tuple[str, str]]:
    """Key Vault's client gives `answer`; the list collects what was asked of it."""
    asked: list[tuple[str, str]] = []

    class Client:
        def __init__(self, vault_url: str, credential: Any) -> None:
            assert type(credential).__name__ == "DefaultAzureCredential"
            self.url = vault_url

        def get_secret(self, name: str) -> Secret:
            asked.append((self.url, name))
            if isinstance(answer, Exception):
                raise answer
            return Secret(answer)

    monkeypatch.setattr("azure.keyvault.secrets.SecretClient", Client)
    return asked


def test_a_job_of_azure_ml_signs_in_with_its_own_identity_and_no_secret(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MSI_ENDPOINT", f"http://127.0.0.1:{server.port}/msi/token")
    monkeypatch.setenv("MSI_SECRET", "of the node")
    monkeypatch.setenv("DEFAULT_IDENTITY_CLIENT_ID", "11111111-2222-3333-4444-555555555555")
    with connect(load_connection(CONNECTION)) as session:
        assert session.cursor().execute("select 1").fetchall() == [(1,)]
    ((asked, headers),) = [(path, body) for path, body in server.requests if path.startswith("/msi/token")]
    assert "resource=api://fd3f753b-eed3-462c-b6a7-a4b5bb650aad" in asked
    assert "clientid=11111111-2222-3333-4444-555555555555" in asked
    assert headers["secret"] == "of the node"
    (body,) = server.bodies("/session/v1/login-request")
    sent = {name: body["data"].get(name) for name in ("AUTHENTICATOR", "PROVIDER", "TOKEN", "PASSWORD", "LOGIN_NAME")}
    assert sent == {
        "AUTHENTICATOR": "WORKLOAD_IDENTITY",
        "PROVIDER": "AZURE",
        "TOKEN": "entra",
        "PASSWORD": None,
        "LOGIN_NAME": "DEMAND_FORECAST",
    }
    assert body["data"]["CLIENT_ENVIRONMENT"]["NETWORK_TIMEOUT"] is None, "it would cancel long queries"
    assert body["data"]["CLIENT_ENVIRONMENT"]["LOGIN_TIMEOUT"] >= 60, "a first sign-in is slow"


def test_the_identity_is_sent_just_as_the_connectors_own_provider_sends_it() -> None:
    theirs = AuthByWorkloadIdentity(provider=AttestationProvider.AZURE)
    theirs.attestation = WorkloadIdentityAttestation(AttestationProvider.AZURE, "entra", {})
    ours = EntraIdentity(lambda: "entra")
    ours.prepare(conn=None)
    bodies: list[dict[str, Any]] = [{"data": {}}, {"data": {}}]
    theirs.update_body(bodies[0])
    ours.update_body(bodies[1])
    assert bodies[0] == bodies[1]


def test_the_token_is_forgotten_after_the_sign_in_and_never_shown() -> None:
    ours = EntraIdentity(lambda: "entra")
    ours.prepare()
    assert "entra" not in ours.assertion_content()
    ours.reset_secrets()
    body: dict[str, Any] = {"data": {}}
    ours.update_body(body)
    assert body["data"]["TOKEN"] == ""


def test_an_identity_that_snowflake_does_not_know_is_one_line(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snowflake_sign_in, "entra_token", lambda: "entra")
    server.refusal = "No user found for the workload identity"
    place = f"127.0.0.1:{server.port}"
    with pytest.raises(StepError, match=rf"at {place} refused the sign-in of DEMAND_FORECAST: .*WORKLOAD_IDENTITY"):
        connect(load_connection(CONNECTION)).__enter__()


def test_no_identity_is_sent_to_a_host_that_is_not_snowflakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNOWFLAKE_PASSWORD", raising=False)
    for host in ("example.com", "snowflakecomputing.com.example.com", "xsnowflakecomputing.com"):
        with pytest.raises(StepError, match=f"no identity is sent to {host}, only to"):
            sign_in_arguments(SignIn(), host)
    assert isinstance(sign_in_arguments(SignIn(), HOST.upper())["auth_class"], EntraIdentity)


def test_a_machine_without_an_identity_gets_an_error_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nobody:
        def get_token(self, _: str) -> str:
            raise ValueError("no credential\nmore")

    monkeypatch.setattr(snowflake_sign_in, "_identity", Nobody)
    with pytest.raises(StepError, match=r"no token to sign in to Snowflake with: no credential; .*key_pair"):
        snowflake_sign_in.entra_token()


def test_the_local_warehouses_password_replaces_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "local")
    assert sign_in_arguments(SignIn(), "127.0.0.1") == {"password": "local"}


def test_a_key_pair_signs_in_though_a_password_is_set(
    monkeypatch: pytest.MonkeyPatch, server: FakeServer, key: rsa.RSAPrivateKey
) -> None:
    asked = fake_vault(monkeypatch, pem(key))
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "never used")
    with connect(load_connection(CONNECTION), sign_in_of(KEY_PAIR, VAULT.url, VAULT.secret)):
        pass
    assert asked == [(VAULT.url, VAULT.secret)]
    (body,) = server.bodies("/session/v1/login-request")
    assert body["data"]["AUTHENTICATOR"] == "SNOWFLAKE_JWT"
    assert body["data"]["TOKEN"].count(".") == 2
    assert "PASSWORD" not in body["data"]


def test_a_key_pair_without_a_vault_is_a_user_error() -> None:
    with pytest.raises(StepError, match="sign_in is key_pair and no vault_url is given"):
        sign_in_arguments(sign_in_of(KEY_PAIR, None, "x"), HOST)


def test_a_secret_that_cannot_be_read_is_a_user_error(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_vault(monkeypatch, ResourceNotFoundError("(SecretNotFound) no such secret\nmore"))
    with pytest.raises(
        StepError, match=rf"cannot read secret snowflake-private-key of {VAULT.url}: \(SecretNotFound\)"
    ):
        sign_in_arguments(SignIn(KEY_PAIR, VAULT), HOST)


@pytest.mark.parametrize("text", ["", "not a key", "encrypted"])
def test_a_secret_that_is_not_a_plain_private_key_is_a_user_error(
    monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey, text: str
) -> None:
    fake_vault(monkeypatch, pem(key, b"secret") if text == "encrypted" else text)
    with pytest.raises(StepError, match="is not an unencrypted PEM private key") as error:
        sign_in_arguments(SignIn(KEY_PAIR, VAULT), HOST)
    assert "BEGIN" not in str(error.value)
