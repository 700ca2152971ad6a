"""A signer whose key stays in Key Vault: the vault signs a digest, with the identity of the job."""

import os
from typing import Any

from azure.core.exceptions import AzureError
from azure.identity import DefaultAzureCredential
from azure.keyvault.keys import KeyClient, KeyVaultKeyIdentifier
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from model_signing._signing import sign_ec_key

from demand.errors import StepError


class VaultSigner(sign_ec_key.Signer):
    """Signs as the library's own signer of a key file does, but for who computes the signature."""

    def __init__(self, address: str) -> None:
        """`address` is https://<vault>.vault.azure.net/keys/<name>. Raises StepError where the key cannot be had."""
        self._private_key: Any = VaultKey(address)


class VaultKey:
    """The two things that the library asks of a private key."""

    def __init__(self, address: str) -> None:
        known = KeyVaultKeyIdentifier(address if address.count("/") > 4 else f"{address}/")
        credential = DefaultAzureCredential(managed_identity_client_id=os.environ.get("DEFAULT_IDENTITY_CLIENT_ID"))
        try:
            self._key: Any = KeyClient(known.vault_url, credential).get_key(known.name, known.version)
        except AzureError as error:
            raise StepError(
                f"{address}: the job's identity cannot read the key: {str(error).splitlines()[0]}"
            ) from error
        curve = getattr(self._key.key, "crv", None)
        if curve != "P-256":
            raise StepError(f"{address}: a key of the curve P-256 is needed, this one has {curve}")
        self._client = CryptographyClient(self._key, credential)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        x, y = (int.from_bytes(each, "big") for each in (self._key.key.x, self._key.key.y))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()

    def sign(self, data: bytes, _algorithm: ec.ECDSA) -> bytes:
        """The signature in DER; the vault gives the two numbers side by side (RFC 7518, 3.4)."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(data)
        try:
            raw = self._client.sign(SignatureAlgorithm.es256, digest.finalize()).signature
        except AzureError as error:
            raise StepError(f"the vault does not sign: {str(error).splitlines()[0]}") from error
        half = len(raw) // 2
        return encode_dss_signature(int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big"))
