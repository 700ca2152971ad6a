"""Pipelines: bindings, types, required inputs, cycles, what nobody uses."""

from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from amlspec.bindings import Binding, bindings, mixed_problem, slips, sole
from amlspec.document import Key
from amlspec.finding import Finding
from amlspec.kinds import Kind
from amlspec.types import accepts, literal_problem
from amlspec.wording import article, closest
from speccheck.components import LEGACY_TYPES
from speccheck.ports import Declarations, Node, check_references, declarations, nodes, outputs_of
from speccheck.repo import PIPELINES, Repo, Spec


@dataclass(frozen=True)
class Pipeline:
    """A pipeline with its own ports and its nodes resolved."""

    spec: Spec
    inputs: Declarations
    outputs: Declarations
    nodes: dict[str, Node]


def check_pipelines(repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Everything about one pipeline job or pipeline component."""
    if spec.kind not in PIPELINES:
        return
    pipeline = Pipeline(
        spec, declarations(spec.data.get("inputs")), outputs_of(spec.data.get("outputs")), nodes(repo, spec)
    )
    if "component" in spec.data and "jobs" not in spec.data:
        return  # It gives a registered or other pipeline component its values.
    yield from check_references(repo, spec)
    for node in pipeline.nodes.values():
        yield from _check_inputs(pipeline, node)
        yield from _check_outputs(pipeline, node)
        yield from _check_elsewhere(pipeline, node)
    yield from _check_own_inputs(pipeline)
    yield from _check_own_outputs(pipeline)
    yield from _check_cycles(pipeline)


def _check_inputs(pipeline: Pipeline, node: Node) -> Iterator[Finding]:
    doc, given = pipeline.spec.doc, node.bound("inputs")
    for name, value in given.items():
        where = ("jobs", node.name, "inputs", name)
        declared = None
        if node.inputs is not None:
            declared = node.inputs.get(name)
            if declared is None:
                message = f"input '{name}' is none of the component's: {closest(name, node.inputs)}"
                yield doc.find(message, *where)
                continue
        yield from _check_value(pipeline, value, declared, where)
    for name, declared in (node.inputs or {}).items():
        if name not in given and not declared.get("optional") and "default" not in declared:
            message = f"job '{node.name}' does not give the required input '{name}': add it under inputs"
            yield doc.find(message, "jobs", node.name, "inputs")


def _check_value(
    pipeline: Pipeline, value: object, declared: dict[str, Any] | None, where: tuple[Key, ...]
) -> Iterator[Finding]:
    """A node's input: a binding, text that holds bindings, a literal, or a mapping with a path."""
    doc = pipeline.spec.doc
    source = value.get("path") if isinstance(value, dict) else value
    binding = sole(source)
    if binding is not None:
        problem = _binding_problem(pipeline, binding) or _type_problem(pipeline, binding, declared)
        if problem:
            yield doc.find(problem, *where)
    elif isinstance(source, str) and (slip := next(slips(source), None)):
        yield doc.find(f"'{slip}' is not a binding: write ${{{{parent.inputs.x}}}}", *where)
    elif isinstance(source, str) and list(bindings(source)):
        problems = (_binding_problem(pipeline, inner) for inner in bindings(source))
        if problem := next(filter(None, [*problems, mixed_problem(source)]), None):
            yield doc.find(problem, *where)
    elif declared is not None:
        problem = _mapping_problem(value, declared) if isinstance(value, dict) else literal_problem(value, declared)
        if problem:
            yield doc.find(f"input '{where[-1]}': {problem}", *where)


def _mapping_problem(value: dict[str, Any], declared: dict[str, Any]) -> str | None:
    wanted, got = declared.get("type"), value.get("type")
    if isinstance(wanted, str) and isinstance(got, str) and not accepts(wanted, got):
        return f"{article(got)} is given where the component takes {wanted}: change the type"
    return None


def producer(pipeline: Pipeline, binding: Binding) -> dict[str, Any] | None:
    """Declaration of what a binding points at; None where it points at nothing known."""
    match binding.parts:
        case ("parent", "inputs", name):
            return pipeline.inputs.get(name)
        case ("parent", "outputs", name):
            return pipeline.outputs.get(name)
        case ("parent", "jobs", job, "outputs", name):
            node = pipeline.nodes.get(job)
            return (node.outputs or {}).get(name) if node else None
        case _:
            return None


def _binding_problem(pipeline: Pipeline, binding: Binding) -> str | None:
    """Why a binding points at nothing, or None."""
    text = binding.text
    match binding.parts:
        case ("parent", "inputs", name, *_):
            if name not in pipeline.inputs:
                return f"{text}: the pipeline has no input '{name}': {closest(name, pipeline.inputs)}"
        case ("parent", "outputs", name):
            if name not in pipeline.outputs:
                return f"{text}: the pipeline has no output '{name}': {closest(name, pipeline.outputs)}"
        case ("parent", "jobs", job, "outputs", name):
            return _job_problem(pipeline, text, job, name)
        case _:
            return (
                f"{text} is not a binding of a job: write ${{{{parent.inputs.x}}}} or ${{{{parent.jobs.a.outputs.b}}}}"
            )
    return None


def _job_problem(pipeline: Pipeline, text: str, job: str, name: str) -> str | None:
    node = pipeline.nodes.get(job)
    if node is None:
        return f"{text}: the pipeline has no job '{job}': {closest(job, pipeline.nodes)}"
    if node.outputs is not None and name not in node.outputs:
        return f"{text}: job '{job}' has no output '{name}': {closest(name, node.outputs)}"
    return None


def _type_problem(pipeline: Pipeline, binding: Binding, declared: dict[str, Any] | None) -> str | None:
    source = producer(pipeline, binding)
    if source is None or declared is None:
        return None
    wanted, got = declared.get("type"), source.get("type")
    if not isinstance(wanted, str) or not isinstance(got, str) or accepts(wanted, got) or wanted in LEGACY_TYPES:
        return None
    if "default" in source and binding.parts[:2] == ("parent", "inputs"):
        return None  # A literal of the pipeline: reported where it is written.
    return f"{binding.text} is {got}, the input takes {wanted}: bind {article(wanted)}"


def _check_outputs(pipeline: Pipeline, node: Node) -> Iterator[Finding]:
    doc = pipeline.spec.doc
    for name, value in node.bound("outputs").items():
        where = ("jobs", node.name, "outputs", name)
        if node.outputs is not None and name not in node.outputs:
            message = f"output '{name}' is none of the component's: {closest(name, node.outputs)}"
            yield doc.find(message, *where)
            continue
        binding = _bound_to(value)
        if binding is None:
            if isinstance(value, str):
                yield doc.find(f"'{value}' is not a binding: write ${{{{parent.outputs.x}}}}", *where)
            continue
        problem = _binding_problem(pipeline, binding) or _output_problem(pipeline, node, name, binding)
        if problem:
            yield doc.find(problem, *where)


def _bound_to(value: object) -> Binding | None:
    """The binding of a node's output, which may stand under its `path`, beside a mode."""
    return sole(value.get("path") if isinstance(value, dict) else value)


def _output_problem(pipeline: Pipeline, node: Node, name: str, binding: Binding) -> str | None:
    if binding.parts[:2] != ("parent", "outputs"):
        return f"{binding.text}: an output is bound to an output of the pipeline: write ${{{{parent.outputs.x}}}}"
    made = (node.outputs or {}).get(name, {}).get("type")
    declared = pipeline.outputs[binding.parts[2]].get("type")
    if made and declared and made != declared:
        return f"{binding.text} is {declared}, job '{node.name}' makes {made}: give both the same type"
    return None


def _check_elsewhere(pipeline: Pipeline, node: Node) -> Iterator[Finding]:
    """Bindings in a node's other fields, such as compute or limits."""
    doc = pipeline.spec.doc
    for key in node.given:
        if key in ("inputs", "outputs", "command", "component", "trial"):
            continue
        for where, text in doc.strings("jobs", node.name, key):
            for binding in bindings(text):
                if binding.scope == "parent" and (problem := _binding_problem(pipeline, binding)):
                    yield doc.find(problem, *where)


def _bindings_of(pipeline: Pipeline) -> Iterator[tuple[str, Binding]]:
    """(job, binding) for every binding of every node."""
    for name in pipeline.nodes:
        for _, text in pipeline.spec.doc.strings("jobs", name):
            yield from ((name, binding) for binding in bindings(text))


def _check_own_inputs(pipeline: Pipeline) -> Iterator[Finding]:
    doc, texts = pipeline.spec.doc, [*_bindings_of(pipeline)]
    texts += [("", b) for key in ("settings", "compute", "outputs") for _, t in doc.strings(key) for b in bindings(t)]
    used = {b.parts[2] for _, b in texts if b.parts[:2] == ("parent", "inputs") and len(b.parts) > 2}
    for name, declared in pipeline.inputs.items():
        if name not in used:
            message = f"no job uses the input '{name}': bind it as ${{{{parent.inputs.{name}}}}} or remove it"
            yield doc.find(message, "inputs", name, rule="style/unused")
        elif pipeline.spec.kind == Kind.PIPELINE and not {"path", "default", "optional"} & declared.keys():
            yield doc.find(f"input '{name}' has no value: give it a path or a default", "inputs", name)
        else:
            yield from _check_literal(pipeline, name, declared)


def _check_literal(pipeline: Pipeline, name: str, declared: dict[str, Any]) -> Iterator[Finding]:
    """A literal of the pipeline against the first component input that takes it and refuses it."""
    if "default" not in declared:
        return
    for node in pipeline.nodes.values():
        for key, value in node.bound("inputs").items():
            binding, target = sole(value), (node.inputs or {}).get(key)
            if binding is None or target is None or binding.parts != ("parent", "inputs", name):
                continue
            if problem := literal_problem(declared["default"], target):
                yield pipeline.spec.doc.find(f"input '{name}' (job '{node.name}'): {problem}", "inputs", name)
                return


def _check_own_outputs(pipeline: Pipeline) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for node in pipeline.nodes.values():
        for key, value in node.bound("outputs").items():
            binding = _bound_to(value)
            if binding is None or binding.parts[:2] != ("parent", "outputs") or len(binding.parts) != 3:
                continue
            name = binding.parts[2]
            if name in seen:
                message = f"output '{name}' is already made by job '{seen[name]}': bind each output once"
                yield pipeline.spec.doc.find(message, "jobs", node.name, "outputs", key)
            seen.setdefault(name, node.name)
    for name in pipeline.outputs.keys() - seen.keys():
        message = f"no job makes the output '{name}': bind a job's output to ${{{{parent.outputs.{name}}}}}"
        yield pipeline.spec.doc.find(message, "outputs", name)


def _check_cycles(pipeline: Pipeline) -> Iterator[Finding]:
    edges: dict[str, set[str]] = {name: set() for name in pipeline.nodes}
    for name, binding in _bindings_of(pipeline):
        if binding.parts[:2] == ("parent", "jobs") and len(binding.parts) > 2 and binding.parts[2] in edges:
            edges[name].add(binding.parts[2])
    try:
        TopologicalSorter({name: sorted(needs) for name, needs in edges.items()}).prepare()
    except CycleError as error:
        loop: list[str] = error.args[1]
        first = min(loop[:-1], key=lambda name: pipeline.spec.doc.line("jobs", name))
        at = loop.index(first)
        shown = " -> ".join([*loop[at:-1], *loop[:at], first])
        yield pipeline.spec.doc.find(f"jobs wait for each other: {shown}: remove one binding", "jobs", first)
