"""Sign-in and specs of the import: the key pair from Key Vault, the connection spec's target, the query's line."""

from pathlib import Path
from typing import Any

import pytest
import snowflake.connector
import yaml
from azure.core.exceptions import ResourceNotFoundError
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import rsa

from demand import snowflake_source
from demand.connection_spec import load_connection
from demand.errors import UserError
from demand.import_spec import load_import_spec
from demand.snowflake_source import KeyVault, connect, sign_in_arguments
from warehouse_fixtures import REPO

CONNECTION = REPO / "ml" / "data" / "snowflake.connection.yml"
VAULT = KeyVault("https://gbj-dmd-dev-kv.vault.azure.net", "snowflake-private-key")


class Secret:
    def __init__(self, value: str) -> None:
        self.value = value


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


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


def test_the_key_pair_of_key_vault_signs_in_and_no_password_does(
    monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey
) -> None:
    asked = fake_vault(monkeypatch, pem(key))
    given: dict[str, Any] = {}

    class Session:
        def close(self) -> None:
            given["closed"] = True

    monkeypatch.setattr(snowflake_source, "check_reachable", lambda address: given.update(address=address))
    monkeypatch.setattr(snowflake.connector, "connect", lambda **arguments: given.update(arguments) or Session())
    for name in ("HOST", "PORT", "PROTOCOL"):
        monkeypatch.delenv(f"SNOWFLAKE_{name}", raising=False)
    monkeypatch.setenv("SNOWFLAKE_PASSWORD", "never used")
    with connect(load_connection(CONNECTION), VAULT):
        assert "closed" not in given
    assert asked == [(VAULT.url, VAULT.secret)]
    assert given["closed"] is True
    assert given["authenticator"] == "SNOWFLAKE_JWT"
    assert "password" not in given
    loaded = form.load_der_private_key(given["private_key"], password=None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.private_numbers() == key.private_numbers()
    assert (given["host"], given["port"], given["protocol"]) == (
        "globojava-analytics.snowflakecomputing.com", 443, "https"
    )  # fmt: skip
    named = {name: given[name] for name in ("account", "user", "database", "schema", "warehouse", "role")}
    assert named == {
        "account": "globojava-analytics",
        "user": "DEMAND_FORECAST",
        "database": "GLOBOJAVA",
        "schema": "RETAIL",
        "warehouse": "DEMAND_WH",
        "role": "DEMAND_READER",
    }


def test_a_secret_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    fake_vault(monkeypatch, ResourceNotFoundError("(SecretNotFound) no such secret\nmore"))
    with pytest.raises(
        UserError, match=rf"cannot read secret snowflake-private-key of {VAULT.url}: \(SecretNotFound\)"
    ):
        sign_in_arguments(VAULT)


@pytest.mark.parametrize("text", ["", "not a key", "encrypted"])
def test_a_secret_that_is_no_plain_private_key_is_told(
    monkeypatch: pytest.MonkeyPatch, key: rsa.RSAPrivateKey, text: str
) -> None:
    fake_vault(monkeypatch, pem(key, b"secret") if text == "encrypted" else text)
    with pytest.raises(UserError, match="is no unencrypted PEM private key") as error:
        sign_in_arguments(VAULT)
    assert "BEGIN" not in str(error.value)


def test_neither_vault_nor_password_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNOWFLAKE_PASSWORD", raising=False)
    with pytest.raises(UserError, match="no way to sign in: give --vault-url"):
        sign_in_arguments(None)


def test_a_port_that_is_no_number_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNOWFLAKE_PORT", "many")
    with pytest.raises(UserError, match="SNOWFLAKE_PORT is 'many'"), connect(load_connection(CONNECTION)):
        pass


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("", "target must be jdbc:snowflake://"),
        ("jdbc:postgresql://x/?db=a", "target must be jdbc:snowflake://"),
        ("jdbc:snowflake:///?db=a", "target must be jdbc:snowflake://"),
        ("jdbc:snowflake://a.snowflakecomputing.com/?db=D&schema=S&role=R", "lacks user, warehouse"),
    ],
)
def test_a_connection_target_that_lacks_a_part_is_told(tmp_path: Path, target: str, told: str) -> None:
    path = tmp_path / "connection.yml"
    path.write_text(yaml.safe_dump({"name": "x", "type": "snowflake", "target": target}))
    with pytest.raises(UserError, match=told) as error:
        load_connection(path)
    assert str(error.value).startswith(f"{path}: ")


def test_the_user_may_stand_in_the_credentials(tmp_path: Path) -> None:
    path = tmp_path / "connection.yml"
    target = "jdbc:snowflake://org-acc.privatelink.snowflakecomputing.com/?db=D&schema=S&warehouse=W&role=R"
    path.write_text(yaml.safe_dump({"target": target, "credentials": {"username": "SOMEONE"}}))
    found = load_connection(path)
    assert (found.user, found.account, found.database) == ("SOMEONE", "org-acc.privatelink", "D")


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", ""])
def test_a_spec_that_is_no_mapping_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "spec.yml"
    path.write_text(text)
    for load in (load_connection, load_import_spec):
        with pytest.raises(UserError, match=str(path)):
            load(path)


def test_a_spec_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the import spec: No such file"):
        load_import_spec(tmp_path / "none.yml")


def test_the_query_comes_with_its_file_and_line() -> None:
    path = REPO / "ml" / "data" / "sales.import.yml"
    spec = load_import_spec(path)
    number = int(spec.place.removeprefix(f"{path}:"))
    assert path.read_text().splitlines()[number - 1].strip().startswith("query:")
    assert spec.query.startswith("select SaleID")
    assert spec.query.endswith("from SALES")


def test_an_import_spec_without_a_query_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text("name: sales\nsource: {type: database}\n")
    with pytest.raises(UserError, match=r"x\.yml: the import spec needs source\.query"):
        load_import_spec(path)
