"""The server's certificate and the CA that vouches for it, for loopback names only.

The CA's key signs once and is forgotten, so that nobody can make a second certificate that this machine's clients
would believe; when the certificate ends, both are made anew.
"""

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from host.state import write_text

_DAYS = 397
_RENEW_DAYS = 7


@dataclass(frozen=True)
class Files:
    """Where the three files lie: the CA, the server's certificate, and its key, which only the owner reads."""

    ca: Path
    certificate: Path
    key: Path


def files(folder: Path) -> Files:
    """The files below `folder`."""
    return Files(folder / "ca.pem", folder / "server.pem", folder / "server.key")


def ensure(folder: Path) -> Files:
    """Files that are there and valid for a week at least; made where they are not."""
    result = files(folder)
    if not _is_valid(result):
        _make(result)
    return result


def context(result: Files) -> ssl.SSLContext:
    """The server's side of TLS."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.load_cert_chain(result.certificate, result.key)
    return made


def _is_valid(result: Files) -> bool:
    if not all(path.is_file() for path in (result.ca, result.certificate, result.key)):
        return False
    ends = x509.load_pem_x509_certificate(result.certificate.read_bytes()).not_valid_after_utc
    return ends > dt.datetime.now(dt.UTC) + dt.timedelta(days=_RENEW_DAYS)


def _make(result: Files) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localml workspace CA")])
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localml workspace")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    addresses = [x509.IPAddress(ipaddress.ip_address(text)) for text in ("127.0.0.1", "::1")]
    certificate = (
        _builder(name, ca_name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    # mkstemp makes each of them 0600, and the rename keeps that.
    write_text(result.key, _pem(key))
    write_text(result.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())
    write_text(result.ca, ca.public_bytes(serialization.Encoding.PEM).decode())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )


def _usage(signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=signs, crl_sign=signs, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _pem(key: ec.EllipticCurvePrivateKey) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain).decode()
