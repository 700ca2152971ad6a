"""Verbs of a model's provenance: who signed it, and its way to another workspace."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from amlspec.errors import UserError
from demand.grain import GRAINS
from frontdoor import ready, site
from frontdoor.app import SERVING, verb
from frontdoor.options import Grain, ModelVersion
from pipeline import models
from pipeline.signing import SIGNERS
from provenance import check, keys, promote

Place = Annotated[str | None, typer.Option(help="dev, prod, or a folder: a workspace's (LOCALML_HOME), or an export")]


@verb(SERVING, "make verify-model MODEL_VERSION=7 REBUILD=1")
def verify_model(
    grain: Grain = GRAINS[0],
    model_version: ModelVersion = None,
    rebuilds: Annotated[bool, typer.Option("--rebuild", help="train it again, and compare the bytes")] = False,
) -> int:
    """Check who signed a model, and that it is what its statement says."""
    site.needs_az()
    name = models.name_for(grain)
    number = models.version_or_champion(name, model_version)
    with check.version(name, number) as proved:
        _say(f"{name}:{number} is signed, and as it was signed")
        for key in ("run", "commit", "recipe", "data_version", "data", "packages", "as_of", "holdout_months"):
            _say(f"  {key.replace('_', ' ')}: {proved.made_of[key]}")
        if not rebuilds:
            return 0
        if not site.is_local():
            raise UserError("REBUILD trains on this machine: leave ENV out")
        ready.environments()
        from provenance import rebuild  # noqa: PLC0415  pandas with it

        return rebuild.compare(proved, name, grain, _say)


@verb(SERVING, "make export-model ENV=dev FOLDER=model")
def export_model(
    folder: Annotated[Path | None, typer.Option(help="where to; must not hold anything")] = None,
    grain: Grain = GRAINS[0],
    model_version: ModelVersion = None,
) -> None:
    """Write a model with its signature and provenance to a folder, for `make promote FROM=`."""
    site.needs_az()
    if folder is None:
        raise UserError("where to? make export-model FOLDER=<an empty folder>")
    number = promote.export(models.name_for(grain), model_version, _called(), folder)
    _say(f"{models.name_for(grain)}:{number} is in {folder}")


@verb(SERVING, "make promote FROM=dev TO=prod MODEL_VERSION=7")
def promote_verb(
    source: Annotated[str | None, typer.Option("--from", help="dev, prod, a workspace's folder, or an export")] = None,
    to: Place = None,
    grain: Grain = GRAINS[0],
    model_version: ModelVersion = None,
) -> None:
    """Bring a model to another environment: the same bytes, checked there, then its champion."""
    if not source or not to:
        raise UserError("from where, to where? make promote FROM=dev TO=prod")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "exported"
        if (Path(source) / promote.NOTE).is_file():
            shutil.copytree(source, folder)
        else:
            with _within(source):
                promote.export(models.name_for(grain), model_version, _called(source), folder)
        with _within(to):
            if site.is_local():  # as each verb does here; on Azure `make environments` is a step of its own
                ready.environments()
            promote.bring_in(folder, _say)


@verb(SERVING, "make signing-key ENV=dev")
def signing_key() -> None:
    """Make the key that signs models in the environment's vault, once, and write its public half into the repo."""
    if site.is_local():
        keys.give_to_jobs()
        _say(f"this machine's key: {keys.folder() / keys.PRIVATE}")
        return
    site.needs_az()
    vault, name, env = os.environ.get("VAULT", ""), os.environ["SIGNING_KEY"], site.env()
    if not vault:
        raise UserError(f"nothing is known of the vault of {env}: make outputs-infra ENV={env}")
    public = SIGNERS / f"{env}.pub"
    public.parent.mkdir(exist_ok=True)
    made = ["az", "keyvault", "key", "create", "--vault-name", vault, "--name", name, "--kty", "EC", "--curve", "P-256"]
    if not public.is_file():
        _az([*made, "--ops", "sign", "verify", "--output", "none"])
        _az(["az", "keyvault", "key", "download", "--vault-name", vault, "--name", name, "--file", str(public)])
    _say(f"{public}: commit it; from then on runs in {env} sign what they register, and rollouts trust it")


def _az(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise UserError(f"{' '.join(command[:4])} ended with {done.returncode}", 1)


def _called(place: str | None = None) -> str:
    """What a workspace is called in a promoted model's tags."""
    stands = site.stands_for()
    return stands or (os.environ["WORKSPACE"] if not site.is_local() else Path(place or "local").name)


@contextmanager
def _within(place: str) -> Iterator[None]:
    """Work in another environment or in the workspace of a folder."""
    before = dict(os.environ)
    try:
        if place in site.ENVIRONMENTS:
            os.environ["ENV"] = place
        elif Path(place).is_dir():
            # Workspaces of one machine trust the key of the one that is at hand.
            os.environ.setdefault(keys.FOLDER_VARIABLE, str(keys.folder()))
            os.environ |= {"ENV": "local", "LOCALML_HOME": str(Path(place).resolve())}
        else:
            raise UserError(f"{place}: give dev, prod or a folder")
        site.enter()
        site.needs_az()
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
