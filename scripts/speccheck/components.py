"""Command components: their inputs, and what their command makes of them."""

from collections.abc import Iterator
from typing import Any

from amlspec.bindings import bindings, optional_blocks, slips, unclosed
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.schema import Input, Output, field_names
from amlspec.types import DATA_TYPES, PRIMITIVES, TYPES, literal_problem
from amlspec.wording import article, closest, listed
from speccheck.repo import COMPONENTS, Repo, Spec

# Azure ML's oldest type, which its loader still takes; a pipeline binds anything to it.
LEGACY_TYPES = frozenset({"path"})
_PORT_FIELDS = field_names(Input)
_OUTPUT_FIELDS = field_names(Output) | {"early_available", "is_control"}


def check_components(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Ports and command of one component."""
    if spec.kind not in COMPONENTS:
        return
    for name in spec.doc.table("inputs"):
        yield from _check_input(spec, name)
    for name in spec.doc.table("outputs"):
        yield from _check_output(spec, name)
    if spec.kind == Kind.COMPONENT:
        yield from _check_command(spec)


def _check_input(spec: Spec, name: str) -> Iterator[Finding]:
    doc, declared = spec.doc, spec.doc.get("inputs", name)
    if not isinstance(declared, dict):
        yield doc.find(f"input '{name}' has no type: write a mapping with type and description", "inputs", name)
        return
    yield from _check_fields(spec, "inputs", name, _PORT_FIELDS)
    yield from _check_port(spec, "inputs", name)
    if declared.get("optional") is True and "default" in declared:
        message = f"input '{name}' is optional and has a default: the default always fills it, drop one of the two"
        yield doc.find(message, "inputs", name, "optional", rule="style/default")
    yield from _check_bounds(spec, name, declared)


def _check_bounds(spec: Spec, name: str, declared: dict[str, Any]) -> Iterator[Finding]:
    where, kind = ("inputs", name), declared.get("type")
    low, high = declared.get("min"), declared.get("max")
    numeric = all(isinstance(value, (int, float)) for value in (low, high))
    if kind in PRIMITIVES and kind not in ("integer", "number") and (low is not None or high is not None):
        yield spec.doc.find(f"input '{name}' is {article(kind)}: min and max are for numbers, remove them", *where)
    elif numeric and low is not None and high is not None and low > high:
        yield spec.doc.find(f"input '{name}': min {low} is above max {high}: swap them", *where, "min")
    if "enum" in declared and kind != "string":
        yield spec.doc.find(f"input '{name}' is {article(kind)}: enum is for strings, use min and max", *where, "enum")
    elif "default" in declared and (problem := literal_problem(declared["default"], declared)):
        yield spec.doc.find(f"default of input '{name}': {problem}", *where, "default")


def _check_output(spec: Spec, name: str) -> Iterator[Finding]:
    if not isinstance(spec.doc.get("outputs", name), dict):
        message = f"output '{name}' has no type: write a mapping with type and description"
        yield spec.doc.find(message, "outputs", name)
        return
    yield from _check_fields(spec, "outputs", name, _OUTPUT_FIELDS)
    yield from _check_port(spec, "outputs", name)


def _check_fields(spec: Spec, side: str, name: str, known: frozenset[str]) -> Iterator[Finding]:
    for field in spec.doc.table(side, name):
        if field not in known:
            message = f"unknown field '{field}' of {side[:-1]} '{name}': {closest(field, known)}"
            yield spec.doc.find(message, side, name, field)


def _check_port(spec: Spec, side: str, name: str) -> Iterator[Finding]:
    declared = spec.doc.table(side, name)
    kind, allowed = declared.get("type"), TYPES if side == "inputs" else DATA_TYPES | PRIMITIVES
    if kind is None:
        message = f"{side[:-1]} '{name}' has no type: add one of {listed(allowed)}"
        yield spec.doc.find(message, side, name)
    elif kind not in allowed | LEGACY_TYPES:
        yield spec.doc.find(
            f"unknown type '{kind}' of {side[:-1]} '{name}': {closest(str(kind), allowed)}", side, name, "type"
        )
    if not declared.get("description"):
        message = f"{side[:-1]} '{name}' has no description: say what it is and in which unit"
        yield spec.doc.find(message, side, name, rule="style/missing")


def _check_command(spec: Spec) -> Iterator[Finding]:
    command = spec.data.get("command")
    if not isinstance(command, str):
        yield spec.doc.find("no command: add command: >- with the program and its flags", "command")
        return
    yield from _check_slips(spec, command)
    yield from _check_bindings(spec, command)
    if not unclosed(command):
        yield from _check_optional(spec, command)
    yield from _check_unused(spec, command)


def _check_slips(spec: Spec, command: str) -> Iterator[Finding]:
    for slip in slips(command):
        yield spec.doc.find_text(f"'{slip}' is not a binding: write ${{{{inputs.x}}}}", slip, "command")
    if unclosed(command):
        yield spec.doc.find_text("$[[ is not closed: end the optional part with ]]", "$[[", "command")


def _check_bindings(spec: Spec, command: str) -> Iterator[Finding]:
    for binding in bindings(command):
        text = binding.text
        if binding.scope not in ("inputs", "outputs") or len(binding.parts) < 2:
            message = (
                f"{text}: a component knows only its own ${{{{inputs.x}}}} and ${{{{outputs.x}}}}: declare an input"
            )
            yield spec.doc.find_text(message, text, "command")
            continue
        declared, name = spec.doc.table(binding.scope), binding.parts[1]
        if name not in declared:
            message = f"{text}: no {binding.scope[:-1]} '{name}' is declared: {closest(name, declared)}"
            yield spec.doc.find_text(message, text, "command")


def _is_optional(spec: Spec, name: str) -> bool:
    return spec.doc.get("inputs", name, "optional") is True


def _check_optional(spec: Spec, command: str) -> Iterator[Finding]:
    for binding in bindings(command):
        if binding.scope == "inputs" and not binding.optional and _is_optional(spec, ".".join(binding.parts[1:])):
            message = f"optional input {binding.text} stands outside $[[ ]]: write $[[--flag {binding.text}]]"
            yield spec.doc.find_text(message, binding.text, "command")
    for block in optional_blocks(command):
        inner = [b for b in bindings(block) if b.scope == "inputs" and len(b.parts) > 1]
        if not any(_is_optional(spec, b.parts[1]) for b in inner if b.parts[1] in spec.doc.table("inputs")) and all(
            b.parts[1] in spec.doc.table("inputs") for b in inner
        ):
            message = f"$[[{block.strip()}]] holds no optional input: remove $[[ ]], or mark the input optional: true"
            yield spec.doc.find_text(message, block.strip().split()[0] if block.strip() else "$[[", "command")


def _check_unused(spec: Spec, command: str) -> Iterator[Finding]:
    used = {(b.scope, b.parts[1]) for b in bindings(command) if len(b.parts) > 1}
    for side in ("inputs", "outputs"):
        for name in spec.doc.table(side):
            if (side, name) not in used:
                message = f"the command does not use {side[:-1]} '{name}': pass ${{{{{side}.{name}}}}} or remove it"
                yield spec.doc.find(message, side, name, rule="style/unused")
