"""Whether a model is what a run of ours made and the gate let pass: its signature, its statement, its verdict."""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from demand.errors import StepError
from judging import provenance
from pipeline import azml, models
from pipeline.signing import SIGNERS
from provenance import keys


@dataclass(frozen=True)
class Proved:
    """A model that was checked: its files, what it was made of, the verdict of its run."""

    folder: Path
    made_of: Mapping[str, Any]
    verdict: Mapping[str, Any]
    tags: Mapping[str, str]


def files(folder: Path, name: str, tags: Mapping[str, str]) -> Proved:
    """A model's files and tags, checked. Raises UserError that says what is wrong with them."""
    try:
        statement = provenance.verify(folder, keys.trusted(_is_ours()))
    except StepError as error:
        raise UserError(f"model {name} is not taken: {error}; {_remedy(str(error))}", 1) from None
    made_of = provenance.parameters(statement)
    verdict = json.loads((folder / provenance.FOLDER / provenance.VERDICT).read_text(encoding="utf-8"))
    if made_of["model"] != name:
        raise UserError(f"model {name} is not taken: it was made as {made_of['model']}", 1)
    if not verdict.get("promoted"):
        reasons = "; ".join(verdict.get("reasons") or ["no reason given"])
        raise UserError(f"model {name} is not taken: the gate of its run refused it: {reasons}", 1)
    _check_tags(name, tags, made_of, verdict)
    return Proved(folder, made_of, verdict, tags)


@contextmanager
def version(name: str, number: str) -> Iterator[Proved]:
    """A registered version, checked together with its tags; its files are there as long as the block lasts."""
    record = azml.call("model", "show", name=name, version=number)
    with _content(name, number) as folder:
        yield files(folder, name, models.tags(record))


@contextmanager
def _content(name: str, number: str) -> Iterator[Path]:
    """The folder with the model's MLmodel, in a download of its own: what is checked is what was fetched."""
    with tempfile.TemporaryDirectory() as place:
        azml.run("model", "download", name=name, version=number, download_path=place)
        entries = sorted(Path(place).rglob("MLmodel"), key=lambda path: len(path.parts))
        if not entries:
            raise UserError(f"model {name}:{number} holds no MLmodel", 1)
        yield entries[0].parent


def _is_ours() -> bool:
    """Whether this machine's own key counts: its engine made the model, behind whichever door."""
    return azml.is_local() or bool(os.environ.get("LOCAL_WORKSPACE"))


def _check_tags(name: str, tags: Mapping[str, str], made_of: Mapping[str, Any], verdict: Mapping[str, Any]) -> None:
    """Tags are what people read; whoever may write them could say anything there."""
    stated = {
        "fingerprint": made_of["fingerprint"],
        "git_commit": made_of["commit"],
        "recipe": made_of["recipe"],
        "data_version": made_of["data_version"],
        "candidate": verdict["selected"],
    }
    for tag, value in stated.items():
        if tags.get(tag) != str(value):
            shown = tags.get(tag) or "missing"
            raise UserError(f"model {name} is not taken: its tag {tag} is {shown}, its statement says {value}", 1)


def _remedy(problem: str) -> str:
    if "not signed" in problem:
        return "`make run-pipeline` signs what it registers (on Azure after `make signing-key`, docs/provenance.md)"
    if "no key" in problem or "trusted keys" in problem:
        return f"whom to trust stands in {SIGNERS}"
    return "register it anew, or ask who changed it"
