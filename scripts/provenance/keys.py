"""Keys: the private one of this machine, and the public ones that are trusted."""

import os
from pathlib import Path

from amlspec.errors import UserError
from host.state import home, write_text
from pipeline.signing import SIGNERS

FOLDER_VARIABLE, KEY_VARIABLE = "MODEL_SIGNING_KEYS", "MODEL_SIGNING_KEY"
PRIVATE, PUBLIC = "signing.pem", "signing.pub"


def folder() -> Path:
    """Where this machine's key is: in the workspace's folder, or one for several workspaces of a run."""
    return Path(os.environ.get(FOLDER_VARIABLE) or home() / "keys")


def give_to_jobs() -> None:
    """Make this machine's key where there is none, and have the steps of jobs know its file."""
    private = folder() / PRIVATE
    if not private.is_file():
        _make(private)
    os.environ[KEY_VARIABLE] = str(private)


def trusted(is_local: bool) -> list[Path]:
    """Public keys by which a model may be signed: those of the repo, and on this machine its own."""
    known = sorted(SIGNERS.glob("*.pub"))
    own = folder() / PUBLIC
    return [*known, own] if is_local and own.is_file() else known


def _make(private: Path) -> None:
    from cryptography.hazmat.primitives import serialization as form  # noqa: PLC0415  half a second
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415

    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    public = key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)
    try:
        private.parent.mkdir(parents=True, exist_ok=True)
        private.parent.chmod(0o700)
        write_text(private.with_name(PUBLIC), public.decode())
        write_text(private, pem.decode())  # last: without it both are made anew
    except OSError as error:
        raise UserError(f"{private.parent}: {error.strerror}: the key that signs models is kept there") from None
