"""The scoring certificate: what is read from the vault, refused, and sent to the cluster."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12

from amlspec.errors import UserError
from infra import certificate, cluster
from infra.cluster import Cluster

NOW = dt.datetime.now(dt.UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
HOST = "demand.prod.globojava.example"


def made(host: str = HOST, key: ec.EllipticCurvePrivateKey = KEY, days: int = 200) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "demand")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    dated = builder.not_valid_before(NOW - dt.timedelta(days=300)).not_valid_after(NOW + dt.timedelta(days=days))
    return dated.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), False).sign(KEY, hashes.SHA256())


def pem_of(key: ec.EllipticCurvePrivateKey | None, *chain: x509.Certificate) -> str:
    """As Key Vault writes it: the key, then the certificates."""
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) if key else b""
    return (text + b"".join(each.public_bytes(Encoding.PEM) for each in chain)).decode()


def pfx_of(key: ec.EllipticCurvePrivateKey, own: x509.Certificate, *others: x509.Certificate) -> str:
    data = pkcs12.serialize_key_and_certificates(None, key, own, others, NoEncryption())
    return base64.b64encode(data).decode()


def test_pem_and_pkcs12_give_the_same_chain_with_the_servers_certificate_first() -> None:
    own, issuer = made(), made("issuer", OTHER)
    for value in (pem_of(KEY, own, issuer), pem_of(KEY, issuer, own), pfx_of(KEY, own, issuer)):
        assert certificate.read(value, "scoring").chain == [own, issuer]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (pem_of(None, made()), "the private key is missing"),
        (pem_of(OTHER, made()), "does not belong to its key"),
        ("not a certificate", "cannot be read as PEM or PKCS #12"),
        (base64.b64encode(b"neither").decode(), "cannot be read as PEM or PKCS #12"),
    ],
)
def test_what_cannot_serve_is_refused_and_never_shown(value: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as error:
        certificate.read(value, "scoring")
    assert "BEGIN" not in str(error.value)
    assert str(error.value).startswith("certificate scoring in the vault")


@pytest.mark.parametrize("name", [HOST, "*.prod.globojava.example", HOST.upper()])
def test_a_certificate_for_the_host_or_its_parents_star_passes(name: str) -> None:
    assert certificate.check(certificate.read(pem_of(KEY, made(name)), "c"), HOST, NOW) is None


@pytest.mark.parametrize("name", ["other.example", "*.globojava.example", "prod.globojava.example"])
def test_a_certificate_for_another_host_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="not for demand"):
        certificate.check(certificate.read(pem_of(KEY, made(name)), "c"), HOST, NOW)


def test_an_ended_certificate_is_refused_and_one_that_ends_soon_is_a_warning() -> None:
    with pytest.raises(UserError, match="renew it"):
        certificate.check(certificate.read(pem_of(KEY, made(days=-1)), "c"), HOST, NOW)
    warning = certificate.check(certificate.read(pem_of(KEY, made(days=10)), "c"), HOST, NOW)
    assert warning
    assert "renew it" in warning


# An az that keeps its words and the files that it is given, and answers what the test says.
AZ = """#!/usr/bin/env python3
import json, pathlib, shutil, stat, sys
here, words = pathlib.Path({here!r}), sys.argv[1:]
with (here / "calls.jsonl").open("a") as log:
    log.write(json.dumps(words) + "\\n")
if words[:2] == ["keyvault", "secret"]:
    print(json.dumps((here / "value").read_text()))
elif words[:2] == ["aks", "command"]:
    if "--file" in words:
        sent = pathlib.Path(words[words.index("--file") + 1])
        shutil.copy(sent, here / "sent.json")
        modes = [oct(stat.S_IMODE(path.stat().st_mode)) for path in (sent, sent.parent)]
        (here / "mode").write_text(" ".join(modes))
    answers = json.loads((here / "answers").read_text())
    answer = answers.pop(0) if len(answers) > 1 else answers[0]
    (here / "answers").write_text(json.dumps(answers))
    print(json.dumps(answer))
"""


@pytest.fixture
def vault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "az").write_text(AZ.format(here=str(tmp_path)))
    (tmp_path / "az").chmod(0o755)
    (tmp_path / "value").write_text(pem_of(KEY, made()))
    answers(tmp_path, {"exitCode": 0, "logs": ""})
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(cluster, "PAUSE_SECONDS", 0.0)
    return tmp_path


def answers(folder: Path, *each: object) -> None:
    (folder / "answers").write_text(json.dumps(each))


def calls(folder: Path) -> list[list[str]]:
    return [json.loads(line) for line in (folder / "calls.jsonl").read_text().splitlines()]


def place() -> None:
    certificate.place(Cluster("c", "g"), "kv", "scoring", "scoring-tls", HOST)


def test_the_secret_reaches_the_extensions_namespace_as_a_file_and_its_key_no_command_line(
    vault: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place()
    sent = json.loads((vault / "sent.json").read_text())
    assert (sent["metadata"]["namespace"], sent["metadata"]["name"]) == ("azureml", "scoring-tls")
    assert base64.b64decode(sent["data"]["key.pem"]).startswith(b"-----BEGIN PRIVATE KEY-----")
    assert base64.b64decode(sent["data"]["cert.pem"]).startswith(b"-----BEGIN CERTIFICATE-----")
    said = capsys.readouterr().out + (vault / "calls.jsonl").read_text()
    key = sent["data"]["key.pem"]
    assert key not in said
    assert "PRIVATE" not in said
    assert (vault / "mode").read_text() == "0o600 0o700"
    last = calls(vault)[-1]
    assert not Path(last[last.index("--file") + 1]).exists()


def test_a_certificate_that_is_in_place_is_not_sent_again(vault: Path, capsys: pytest.CaptureFixture[str]) -> None:
    known = certificate.read((vault / "value").read_text(), "c").fingerprint
    answers(vault, {"exitCode": 0, "logs": f"secret {known}"})
    place()
    assert not (vault / "sent.json").exists()
    assert "holds the certificate" in capsys.readouterr().out


def test_the_cluster_is_never_asked_for_the_secrets_data(vault: Path) -> None:
    place()
    asked = next(words for words in calls(vault) if "get secret" in " ".join(words))
    command = asked[asked.index("--command") + 1]
    assert "jsonpath='secret {.metadata.annotations.certificate-sha256}'" in command


def test_a_renewed_certificate_is_followed_by_the_documented_update_of_the_extension(vault: Path) -> None:
    answers(vault, {"exitCode": 0, "logs": "secret 1234"}, {"exitCode": 0, "logs": ""})
    place()
    last = calls(vault)[-1]
    assert last[:2] == ["k8s-extension", "update"]
    assert "sslSecret=scoring-tls" in last


def test_the_first_certificate_updates_no_extension(vault: Path) -> None:
    place()
    assert not [words for words in calls(vault) if words[0] == "k8s-extension"]
