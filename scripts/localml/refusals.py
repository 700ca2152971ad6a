"""What Azure ML takes and the local engine does not: refused by name before the first step, never ignored."""

import math
import re
from typing import Any

from amlspec import bindings
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.references import bare
from amlspec.schema import PATH_TYPES, Component, Node, Output, Settings

DEFAULT_STORE = "workspaceblobstore"
MOUNT, DOWNLOAD = "ro_mount", "download"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,254}")
# What azure-ai-ml's loader takes as the name of a node.
_NODE = re.compile(r"[a-z_][a-z0-9_]{0,254}")
_VARIABLE = re.compile(r"[A-Za-z_]\w*")


def check_name(where: str, kind: str, name: str) -> None:
    """Names become folders: none may lead out of the job's own."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{where}: {name!r} is not a name of a {kind}: letters, digits, '-' and '_' only")


def check_step_name(where: str, name: str) -> None:
    """azure-ai-ml's loader takes lower letters, digits and underscores for a node."""
    if not _NODE.fullmatch(name):
        allowed = "lower letters, digits and '_' only, a digit not first"
        raise UserError(f"{where}: {name!r} is not a name of a step: {allowed}")


def check_plain(document: Document) -> None:
    """Values that YAML can write and azure-ai-ml's loader refuses: tags that are not text, null, NaN and infinity."""
    for name, value in document.table("tags").items():
        if not isinstance(value, str):
            where = document.where("tags", name)
            raise UserError(f"{where}: tags.{name}: {value} is not a text: write it in quotes")
    for keys in (("inputs",), *(("jobs", name, "inputs") for name in document.table("jobs"))):
        for name, value in document.table(*keys).items():
            if value is None:
                raise UserError(f"{document.where(*keys, name)}: input {name} has no value: give one or leave it out")
            if isinstance(value, float) and not math.isfinite(value):
                raise UserError(f"{document.where(*keys, name)}: input {name}: {value} is not a number Azure ML takes")


def check_access(document: Document) -> None:
    """`services` open a running job to people (ssh, Jupyter, TensorBoard), and a step here has no such door."""
    for keys in ((), *(("jobs", name) for name in document.table("jobs"))):
        if "services" in document.table(*keys):
            where = document.where(*keys, "services")
            raise UserError(f"{where}: services: not imitated by the local engine: leave it out here")


def check_kinds(document: Document) -> None:
    """Steps of the types that are imitated; those are commands by now."""
    jobs: Any = document.data.get("jobs")
    for name, node in jobs.items() if isinstance(jobs, dict) else ():
        kind = node.get("type", "command") if isinstance(node, dict) else "command"
        if kind != "command":
            where = document.where("jobs", name, "type")
            known = "command, pipeline, sweep and parallel"
            raise UserError(f"{where}: step {name} is of type {kind}: the local engine runs steps of type {known}")


def check_component_kind(document: Document, *kinds: str) -> None:
    """A component spec is that of a command, or of one of `kinds`."""
    kind, known = document.data.get("type", "command"), ("command", *kinds)
    if kind not in known:
        where, runs = document.where("type"), " and ".join(known) if len(known) < 3 else ", ".join(known)
        raise UserError(f"{where}: a component of type {kind}: the local engine runs components of type {runs} only")


def check_settings(document: Document, settings: Settings) -> None:
    """Settings that would change the meaning of a run."""
    store = bare(settings.default_datastore or DEFAULT_STORE)
    refused = {
        "default_datastore": store != DEFAULT_STORE,
        "on_init": settings.on_init,
        "on_finalize": settings.on_finalize,
        "continue_on_failed_optional_input": not settings.continue_on_failed_optional_input,
    }
    for key, given in refused.items():
        if given:
            where = document.where("settings", key)
            raise UserError(f"{where}: settings.{key}: not imitated by the local engine: leave it out here")


def check_machine(where: str, name: str, given: Component | Node) -> None:
    """One machine and one process are what there is here."""
    if (count := given.resources.instance_count) > 1:
        raise UserError(f"{where}: step {name}: instance_count {count}: the local engine is one machine")
    if given.distribution:
        raise UserError(f"{where}: step {name}: distribution is not imitated by the local engine")


def check_mode(where: str, mode: str) -> None:
    """How an input reaches a step."""
    if mode not in (MOUNT, DOWNLOAD):
        raise UserError(f"{where}: mode {mode} is not imitated by the local engine: {MOUNT} or {DOWNLOAD}")


def check_output(where: str, key: str, output: Output) -> None:
    """What an output may be."""
    if output.type not in PATH_TYPES:
        raise UserError(
            f"{where}: output {key} is of type {output.type}: the local engine keeps files and folders only"
        )
    if output.mode not in (None, "rw_mount", "upload"):
        raise UserError(f"{where}: mode {output.mode} is not imitated by the local engine: rw_mount or upload")


def check_command(component: Component, document: Document) -> None:
    """Every expression of the command names an input or an output that the component declares."""
    where = document.where("command")
    sides: dict[str, set[str]] = {"inputs": set(component.inputs), "outputs": set(component.outputs)}
    for each in bindings.bindings(component.command):
        text, side, name = ".".join(each.parts), each.scope, ".".join(each.parts[1:])
        if side not in sides:
            raise UserError(f"{where}: ${{{{{text}}}}}: write ${{{{inputs.<name>}}}} or ${{{{outputs.<name>}}}}")
        if name not in sides[side]:
            raise UserError(f"{where}: ${{{{{text}}}}}: the component declares no {side.rstrip('s')} {name}")


def check_process(step: str, command: str, variables: dict[str, str]) -> None:
    """What the system takes as a process's command and variables."""
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise UserError(f"step {step}: {name!r} is not a name of an environment variable")
    for what, text in (("command", command), *variables.items()):
        if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise UserError(f"step {step}: {what} holds a character that no process can be given (NUL or a surrogate)")
