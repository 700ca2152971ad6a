"""The scoring endpoint's certificate: from the vault into the Kubernetes secret that the Azure ML extension reads.

Neither certificate nor key passes through Terraform's plan and state, a command line or a log. The key is written once,
to a file that only its owner can read and that is gone at the end: `az aks command invoke` takes files alone.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
import tempfile
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    pkcs12,
)

from amlspec.errors import UserError
from infra.cluster import Cluster, kubectl
from infra.common import capture, say

# The extension looks for the secret in its own namespace, under these two keys:
# https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint#configure-sslsecret
NAMESPACE = "azureml"
FINGERPRINT = "certificate-sha256"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
EXPIRES_SOON = dt.timedelta(days=30)


class NotInVaultError(UserError):
    """The vault has no such certificate. `todo`: how it gets there."""

    def __init__(self, vault: str, name: str) -> None:
        self.todo = f"az keyvault certificate import --vault-name {vault} --name {name} --file <cert-and-key.pem>"
        super().__init__(f"vault {vault} has no certificate {name}: {self.todo}", 1)


class Certificate(NamedTuple):
    """A chain, the server's own certificate first, and the key of that first one."""

    chain: list[x509.Certificate]
    key: Key

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the server's certificate in hexadecimal."""
        return self.chain[0].fingerprint(hashes.SHA256()).hex()


def read(value: str, name: str) -> Certificate:
    """Read what the vault keeps under a certificate's name: PEM text, or PKCS #12 in base64, both with the key.

    Raises:
        UserError: it is neither, the key is missing or protected, or it is not the certificate's own.
    """
    try:
        certificate = _pem(value) if "-----BEGIN" in value else _pkcs12(value)
    except (ValueError, TypeError, binascii.Error) as error:
        raise UserError(f"certificate {name} in the vault cannot be read as PEM or PKCS #12: {error}", 1) from None
    if _public(certificate.chain[0]) != certificate.key.public_key().public_bytes(
        Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ):
        raise UserError(f"certificate {name} in the vault: its first certificate does not belong to its key", 1)
    return certificate


def _pem(value: str) -> Certificate:
    text = value.encode()
    if "PRIVATE KEY" not in value:
        raise ValueError("the private key is missing")
    key = _usable(load_pem_private_key(text[text.index(b"-----BEGIN") :], password=None))
    chain = x509.load_pem_x509_certificates(text)
    own = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # Key Vault writes the key first; whatever the order of the certificates is, a server sends its own one first.
    return Certificate(sorted(chain, key=lambda each: _public(each) != own), key)


def _pkcs12(value: str) -> Certificate:
    key, own, others = pkcs12.load_key_and_certificates(base64.b64decode(value, validate=True), password=None)
    if key is None or own is None:
        raise ValueError("the private key is missing")
    return Certificate([own, *others], _usable(key))


def _usable(key: object) -> Key:
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise ValueError("its key is neither RSA nor of an elliptic curve")
    return key


def _public(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def check(certificate: Certificate, host: str, now: dt.datetime) -> str | None:
    """Return a warning where the certificate ends soon.

    Raises:
        UserError: it is for another host, or not valid now.
    """
    names = _names(certificate.chain[0])
    if not any(_covers(name, host) for name in names):
        raise UserError(f"the certificate is for {', '.join(names) or 'no host'}, not for {host}", 1)
    begins, ends = certificate.chain[0].not_valid_before_utc, certificate.chain[0].not_valid_after_utc
    if not begins <= now <= ends:
        raise UserError(f"the certificate is valid from {begins:%Y-%m-%d} to {ends:%Y-%m-%d}: renew it", 1)
    return f"the certificate of {host} ends on {ends:%Y-%m-%d}: renew it" if ends - now < EXPIRES_SOON else None


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _covers(name: str, host: str) -> bool:
    """Whether a certificate's name stands for the host; a star stands for one label (RFC 6125)."""
    name, host = name.lower(), host.lower()
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def manifest(certificate: Certificate, secret: str) -> str:
    """Write the Kubernetes secret; JSON is YAML."""
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in certificate.chain)
    key = certificate.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    body = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret,
            "namespace": NAMESPACE,
            "annotations": {FINGERPRINT: certificate.fingerprint},
        },
        "type": "Opaque",
        "data": {"cert.pem": base64.b64encode(chain).decode(), "key.pem": base64.b64encode(key).decode()},
    }
    return json.dumps(body)


def place(cluster: Cluster, vault: str, name: str, secret: str, host: str) -> None:
    """Bring the vault's certificate into the cluster, unless it is there already.

    Raises:
        UserError: the vault has no such certificate, it cannot be used for `host`, or the cluster refuses it.
    """
    certificate = read(_from_vault(vault, name), name)
    warning = check(certificate, host, dt.datetime.now(dt.UTC))
    if warning:
        say(f"warning: {warning}")
    known = _placed(cluster, secret)
    if known == certificate.fingerprint:
        say(f"secret {secret} holds the certificate of {host}")
        return
    _apply(cluster, manifest(certificate, secret))
    say(f"secret {secret} now holds the certificate of {host}, {certificate.fingerprint[:16]}")
    if known is not None:
        _reload(cluster, secret, host)


def _from_vault(vault: str, name: str) -> str:
    words = ["az", "keyvault", "secret", "show", "--vault-name", vault, "--name", name]
    try:
        return str(json.loads(capture([*words, "--query", "value", "--output", "json"])))
    except UserError as error:
        if "SecretNotFound" in str(error):
            raise NotInVaultError(vault, name) from None
        raise UserError(f"vault {vault} does not give the certificate {name}: {error}", 1) from None


def _placed(cluster: Cluster, secret: str) -> str | None:
    """Fingerprint of the certificate that the cluster holds, "" for an unknown one, None where it holds none."""
    wanted = f"jsonpath='secret {{.metadata.annotations.{FINGERPRINT}}}'"  # never the data: the answer is kept in Azure
    now = kubectl(cluster, f"kubectl get secret {secret} --namespace {NAMESPACE} --ignore-not-found --output {wanted}")
    return now.strip().removeprefix("secret").strip() if now.strip() else None


def _apply(cluster: Cluster, text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:  # 0700
        file = Path(folder) / "secret.json"
        file.touch(mode=0o600)
        file.write_text(text, encoding="utf-8")
        # On the server's side: `kubectl apply` would copy the key into an annotation of the secret.
        apply = f"kubectl apply --server-side --force-conflicts --filename {file.name}"
        # Before the extension's first installation its namespace is missing.
        make = f"kubectl get namespace {NAMESPACE} >/dev/null 2>&1 || kubectl create namespace {NAMESPACE}"
        kubectl(cluster, f"{{ {make}; }} && {apply}", [file])


def _reload(cluster: Cluster, secret: str, host: str) -> None:
    """Let the router read a changed secret: Microsoft documents an update of the extension with the same settings."""
    words = ["az", "k8s-extension", "update", "--name", "azureml", "--cluster-type", "managedClusters"]
    of = ["--cluster-name", cluster.name, "--resource-group", cluster.group]
    settings = ["--config", f"sslSecret={secret}", "--config", f"sslCname={host}"]
    capture([*words, *of, *settings, "--yes", "--output", "none"])
    say("extension azureml updated: its router serves the new certificate")
