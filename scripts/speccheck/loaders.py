"""Azure's own loaders (azure-ai-ml), each spec once, their errors as one line with a line number."""

import importlib
import io
import json
import logging
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from typing import Any

from amlspec.document import Key
from amlspec.finding import Finding
from amlspec.kinds import Kind
from speccheck.repo import Repo, Spec

_LOADERS = {
    Kind.COMPONENT: "load_component",
    Kind.PIPELINE_COMPONENT: "load_component",
    Kind.PIPELINE: "load_job",
    Kind.COMMAND_JOB: "load_job",
    Kind.SWEEP_JOB: "load_job",
    Kind.ENVIRONMENT: "load_environment",
    Kind.DATA: "load_data",
    Kind.IMPORT: "load_data",
    Kind.CONNECTION: "load_connection",
    Kind.MODEL: "load_model",
    Kind.SCHEDULE: "load_schedule",
    Kind.KUBERNETES_COMPUTE: "load_compute",
    Kind.COMPUTE: "load_compute",
    Kind.ENDPOINT: "load_online_endpoint",
    Kind.DEPLOYMENT: "load_online_deployment",
    Kind.DATASTORE: "load_datastore",
}


def _loader(name: str) -> Callable[..., Any]:
    # Imported by name: mypy would otherwise read all of azure-ai-ml, which takes longer than the whole check.
    module = "azure.ai.ml.entities._load_functions" if name == "load_schedule" else "azure.ai.ml"
    loader: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return loader


def check_loads(repo: Repo, spec: Spec, errors: list[Finding]) -> Iterator[Finding]:
    """Nothing, or the first error of the loader of this kind of spec.

    It is left out only where one of the `errors` says it more exactly: in the same block of this spec, or in a file
    that this block names.
    """
    name = _LOADERS.get(spec.kind)
    if name is None:
        return
    try:
        _load(name, spec)
    except Exception as error:  # any error of the loaders is the finding
        path, message = _explain(error)
        block = spec.doc.known(*path)
        block = block[:-1] if len(block) > 1 else block
        if not _is_said(repo, spec, block, errors):
            shown = message.replace(f"{repo.root}/", "")
            line = spec.doc.line(*path) if path else _line_of(spec, message)
            yield Finding(spec.doc.shown, line, f"azure-ai-ml refuses it: {shown}", "loader")


def _line_of(spec: Spec, message: str) -> int:
    """The only line that holds what a message without a place quotes last; else the first."""
    words = [*re.findall(r"'([\w.-]+)'", message), message.removesuffix(": correct it").rsplit(": ", 1)[-1]]
    for word in reversed(words):
        whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        lines = [number for number, line in enumerate(spec.doc.text, start=1) if whole.search(line)]
        if len(lines) == 1:
            return lines[0]
    return 1


def _is_said(repo: Repo, spec: Spec, block: tuple[Key, ...], errors: list[Finding]) -> bool:
    lines = range(spec.doc.line(*block), spec.doc.end(*block) + 1)
    names = [text.removeprefix("file:") for _, text in spec.doc.strings(*block) if text.endswith((".yml", ".yaml"))]
    files = {(spec.folder / name).resolve() for name in names}
    return any(
        (error.path == spec.doc.shown and error.line in lines) or repo.root / error.path in files for error in errors
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Keep azure-ai-ml still: its experimental classes and old imports announce themselves on every use."""
    logging.getLogger("azure.ai.ml").setLevel(logging.CRITICAL)
    with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def time_zones() -> frozenset[str]:
    """Windows time zone names that Azure ML takes, from its own SDK."""
    with quiet():
        zones = importlib.import_module("azure.ai.ml.constants").TimeZone
    return frozenset(str(zone.value) for zone in zones)


def _load(name: str, spec: Spec) -> None:
    with quiet():
        _loader(name)(str(spec.doc.path))


def _explain(error: Exception) -> tuple[tuple[Key, ...], str]:
    """Where (key path) and what, out of the loaders' several shapes of error."""
    text = str(error) or type(error).__name__
    block = re.search(r"\{.*\}", text, re.DOTALL)
    try:
        details = json.loads(block.group(0)) if block else None
    except json.JSONDecodeError:
        details = None
    if isinstance(details, dict) and isinstance(details.get("errors"), list) and details["errors"]:
        first = details["errors"][0]
        return _keys(first.get("path")), _short(str(first.get("message", text)))
    if isinstance(details, dict):
        return _deepest(details)
    return (), _short(text)


def _keys(path: object) -> tuple[Key, ...]:
    parts = str(path or "").split(".")
    return tuple(int(part) if part.isdigit() else part for part in parts if part and part != "*")


def _deepest(details: dict[str, Any]) -> tuple[tuple[Key, ...], str]:
    """Follow `{"source": [{"type": ["..."]}]}` down to its first message."""
    path: list[Key] = []
    value: Any = details
    while isinstance(value, (dict, list)) and value:
        if isinstance(value, dict):
            key = next(iter(value))
            path.append(key)
            value = value[key]
        else:
            value = value[0]
    return tuple(path), _short(str(value))


def _short(message: str) -> str:
    """First sentences of a message, at most 200 characters, on one line."""
    line = " ".join(message.split("\n\n \nThe easiest way", maxsplit=1)[0].split())
    line = line.replace("In order to specify", "to specify") if len(line) < 200 else line[:197].rstrip() + "..."
    return line.rstrip(".;") + ": correct it"
