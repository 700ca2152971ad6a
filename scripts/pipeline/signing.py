"""The Key Vault key by which an environment's runs sign what they register."""

import os
from pathlib import Path

from pipeline import azml

# Public keys of Azure's environments, as files of this repo: a review sees whom a rollout will trust.
SIGNERS = Path("ml/deploy/signers")


def key() -> str | None:
    """Its address; None on this machine, and where its public half is not in the repo (`make signing-key`)."""
    vault, name = os.environ.get("VAULT_URI"), os.environ.get("SIGNING_KEY")
    if azml.is_local() or not vault or not name:
        return None
    is_known = (SIGNERS / f"{os.environ.get('ENV')}.pub").is_file()
    return f"{vault.rstrip('/')}/keys/{name}" if is_known else None


def settings() -> list[str]:
    """`--set` values of a training run."""
    known = key()
    return [f"inputs.signing_key={known}"] if known else []
