"""Where a model comes from, as a statement of in-toto with SLSA's provenance, and a signature of all its files.

Formats: https://in-toto.io/Statement/v1, https://slsa.dev/spec/v1.0/provenance, and OpenSSF's model signing 1.0, whose
bundle `model_signing verify key` reads, too. They lie in the model's own folder: whoever has the model has them.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

from demand.errors import StepError

log = logging.getLogger(__name__)
FOLDER = "provenance"
STATEMENT, VERDICT, CARD, SIGNATURE = "statement.json", "verdict.json", "model_card.md", "model.sig"
# MLflow writes name and version of a registered model into its folder when it loads one from this machine's store.
MLFLOWS_NOTE = "registered_model_meta"
STATEMENT_TYPE, PREDICATE_TYPE = "https://in-toto.io/Statement/v1", "https://slsa.dev/provenance/v1"
BUILD_TYPE = "https://globojava.example/demand-forecast/train/v1"


@dataclass(frozen=True)
class Origin:
    """What a model was made of and how."""

    name: str
    data_version: str
    git_commit: str
    recipe: str
    fingerprint: str
    run: str
    settings: Mapping[str, str]
    data: Path


def describe(model: Path, verdict: Path, card: Path, origin: Origin) -> None:
    """Write verdict, card and statement into the model's folder; the statement covers every other file.

    Args:
        model: folder of the model.
        verdict: verdict.json of the run.
        card: the model's card.
        origin: where it comes from; `origin.data` is the folder of the rows that it learned from.
    """
    target = model / FOLDER
    target.mkdir()
    shutil.copy(verdict, target / VERDICT)
    shutil.copy(card, target / CARD)
    made = json.dumps(statement(model, origin), indent=1, sort_keys=True)
    (target / STATEMENT).write_text(made, encoding="utf-8")


def statement(model: Path, origin: Origin) -> dict[str, Any]:
    """The statement about the files that are in the folder now."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": name, "digest": {"sha256": sha256}} for name, sha256 in sorted(_files(model))],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"model": origin.name, "recipe": origin.recipe, **origin.settings},
                "internalParameters": {"fingerprint": origin.fingerprint},
                "resolvedDependencies": [
                    {"name": "source", "digest": {"gitCommit": origin.git_commit}},
                    {"name": f"sales:{origin.data_version}", "digest": {"sha256": _digest(_files(origin.data))}},
                    {"name": "packages", "digest": {"sha256": _digest(_packages())}},
                ],
            },
            "runDetails": {
                "builder": {"id": f"{BUILD_TYPE}#register"},
                "metadata": {"invocationId": origin.run},
                "byproducts": [{"name": VERDICT, "digest": {"sha256": _sha256(model / FOLDER / VERDICT)}}],
            },
        },
    }


def sign(model: Path, key: str) -> None:
    """Sign every file of the folder.

    Args:
        model: folder of the model.
        key: path of a private key (PEM, EC P-256), or the address of a Key Vault key, which signs and never leaves.

    Raises:
        StepError: the key cannot be had, or is of another kind.
    """
    signing = import_module("model_signing.signing")  # half a second that only signing needs, and it has no types
    signature = model / FOLDER / SIGNATURE
    config = signing.Config().set_hashing_config(_hashing(model))
    try:
        if key.startswith("https://"):
            from judging.vault_key import VaultSigner  # noqa: PLC0415

            config._signer = VaultSigner(key)  # the library has no such signer, and no other way to give it one
        else:
            config.use_elliptic_key_signer(private_key=key)
        config.sign(model, signature)
    except (ValueError, OSError) as error:
        raise StepError(f"the model cannot be signed with {key}: {error}") from error


def verify(model: Path, keys: Iterable[Path]) -> dict[str, Any]:
    """The statement of a model whose files are all as they were signed.

    Args:
        model: folder of the model.
        keys: public keys (PEM) of which one must have signed it.

    Raises:
        StepError: unsigned, signed by somebody else, altered, or a statement that is not about these files.
    """
    signature = model / FOLDER / SIGNATURE
    if not signature.is_file():
        raise StepError(f"it is not signed: {FOLDER}/{SIGNATURE} is missing")
    _check_signature(model, signature, list(keys))
    made: dict[str, Any] = _json(model / FOLDER / STATEMENT)
    if made.get("_type") != STATEMENT_TYPE or made.get("predicateType") != PREDICATE_TYPE:
        raise StepError(f"{FOLDER}/{STATEMENT} is not a statement of {PREDICATE_TYPE}")
    subjects = {each["name"]: each["digest"]["sha256"] for each in made["subject"]}
    if subjects != dict(_files(model)):
        raise StepError(f"{FOLDER}/{STATEMENT} is about other files")
    byproducts = made["predicate"]["runDetails"]["byproducts"]
    if byproducts != [{"name": VERDICT, "digest": {"sha256": _sha256(model / FOLDER / VERDICT)}}]:
        raise StepError(f"{FOLDER}/{STATEMENT} is about another verdict")
    return made


def parameters(made: Mapping[str, Any]) -> dict[str, Any]:
    """What the run was given, and what it was made of, by name."""
    build = made["predicate"]["buildDefinition"]
    dependencies = {each["name"].partition(":")[0]: each for each in build["resolvedDependencies"]}
    return {
        **build["externalParameters"],
        **build["internalParameters"],
        "commit": dependencies["source"]["digest"]["gitCommit"],
        "data": dependencies["sales"]["digest"]["sha256"],
        "data_version": dependencies["sales"]["name"].partition(":")[2],
        "packages": dependencies["packages"]["digest"]["sha256"],
        "run": made["predicate"]["runDetails"]["metadata"]["invocationId"],
    }


def _check_signature(model: Path, signature: Path, keys: Sequence[Path]) -> None:
    verifying = import_module("model_signing.verifying")
    problems = []
    for key in keys:
        try:
            config = verifying.Config().set_hashing_config(_hashing(model))
            config.use_elliptic_key_verifier(public_key=key).verify(model, signature)
            return
        except Exception as error:  # whatever a broken bundle raises
            problems.append(str(error) or type(error).__name__)
    altered = next((each for each in problems if "mismatch:" in each and "Key mismatch" not in each), None)
    if altered:
        raise StepError(f"it is not as it was signed: {altered}")
    raise StepError(f"none of the {len(keys)} trusted keys signed it" if keys else "no key is trusted")


def _hashing(model: Path) -> Any:
    """Every file counts, those that git would ignore, too; but for the signature itself, and MLflow's note."""
    hashing = import_module("model_signing.hashing")
    return hashing.Config().set_ignored_paths(
        paths=[model / FOLDER / SIGNATURE, model / MLFLOWS_NOTE], ignore_git_paths=False
    )


def _files(folder: Path) -> Iterator[tuple[str, str]]:
    """(name, SHA-256) of each file, those of FOLDER and MLflow's note left out."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MLFLOWS_NOTE and not name.startswith(f"{FOLDER}/"):
            yield name, _sha256(path)


def _packages() -> Iterator[tuple[str, str]]:
    """(name, version) of each installed package: what the lock of the environment made."""
    return ((str(each.metadata["Name"]).lower(), each.version) for each in metadata.distributions())


def _digest(pairs: Iterable[tuple[str, str]]) -> str:
    return hashlib.sha256("".join(f"{name}\0{value}\n" for name, value in sorted(set(pairs))).encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise StepError(f"{path.name} cannot be read: {error}") from None
