"""Parallel nodes: a node of type parallel becomes one step, whose process (mini_batches.py) calls init() and run().

Fields as Microsoft's "CLI (v2) parallel job YAML schema" has them; input by files only.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Resources, Spec, Variables, Versioned, parse
from localml import component_snapshot, mini_batches, nested, sweep


class _Task(Spec):
    type: Literal["run_function"]
    code: str | None = None
    entry_script: str
    program_arguments: str = ""
    append_row_to: str | None = None
    environment: str | dict[str, Any]


class _Retry(Spec):
    """The page's defaults: 2 more tries of 60 s."""

    max_retries: int = Field(default=2, ge=0)
    timeout: int = Field(default=60, ge=1)


class Parallel(Spec):
    """A node of type parallel; max_concurrency_per_instance is one for a machine without GPU unless given."""

    type: Literal["parallel"]
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    compute: str | None = None
    identity: dict[str, Any] | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)
    environment_variables: Variables = Field(default_factory=dict)
    resources: Resources = Resources()
    logging_level: Literal["DEBUG", "INFO", "WARN", "WARNING"] = "INFO"
    input_data: str
    mini_batch_size: str | int = 1
    mini_batch_error_threshold: int = Field(default=-1, ge=-1)
    error_threshold: int = Field(default=-1, ge=-1)
    max_concurrency_per_instance: int = Field(default=1, ge=1)
    retry_settings: _Retry = _Retry()
    task: _Task


class Component(Parallel, Versioned):
    """A parallel component: the same fields under a name and version, its inputs and outputs declared."""

    is_deterministic: bool = True


def expand(document: Document) -> Document:
    """The pipeline with its parallel nodes as steps of one command."""
    for name, node in list(document.table("jobs").items()):
        if isinstance(node, dict) and node.get("type") == "parallel":
            document.data["jobs"][name] = _as_step(document, name, node)
    return document


def _as_step(document: Document, name: str, node: dict[str, Any]) -> dict[str, Any]:
    inner = {key[2:]: line for key, line in document.lines.items() if key[:2] == ("jobs", name)}
    own = Document(document.path, node, inner)
    shared = _component(own)
    if shared:
        own = replace(own, data=_merged(shared, node))
    if "partition_keys" in own.data:
        where = own.where("partition_keys")
        raise UserError(f"{where}: step {name}: partition_keys is not imitated by the local engine: mini_batch_size is")
    parallel = parse(Parallel, own)
    task = nested.absolute(parallel.task.model_dump(exclude_none=True), document.path.parent.resolve())
    inputs, outputs = (_declared(shared, side) if shared else None for side in ("inputs", "outputs"))
    component = {
        "name": name,
        "version": "1",
        "type": "command",
        "is_deterministic": True,
        "environment": task["environment"],
        "inputs": inputs or {key: sweep.declared(value, document) for key, value in parallel.inputs.items()},
        "outputs": outputs or {key: _output(value, document) for key, value in parallel.outputs.items()},
        "command": _command(parallel, own),
        **({"code": task["code"]} if "code" in task else {}),
    }
    step: dict[str, Any] = {
        key: node[key] for key in ("display_name", "outputs", "environment_variables") if key in node
    }
    step["inputs"] = {key: _mounted(value) for key, value in parallel.inputs.items()}
    return {"type": "command", "component": str(sweep.kept(component)), **step}


def _component(own: Document) -> Document | None:
    """The parallel component that a node names, with absolute paths; None where the node has its task itself."""
    if "component" not in own.data:
        return None
    where, reference = own.where("component"), own.data["component"]
    document = component_snapshot.read(str(reference), own.path.parent, where)
    if document.data.get("type") != "parallel":
        raise UserError(f"{where}: {reference} is of type {document.data.get('type', 'command')}, the step is parallel")
    parse(Component, document)
    return replace(document, data=nested.absolute(document.data, document.path.parent.resolve()))


def _merged(component: Document, node: dict[str, Any]) -> dict[str, Any]:
    """The node's fields over those of its component."""
    fields = {key: value for key, value in component.data.items() if key in Parallel.model_fields}
    return {**fields, "inputs": {}, "outputs": {}, **{key: value for key, value in node.items() if key != "component"}}


def _declared(component: Document, side: str) -> dict[str, Any]:
    return {key: _mounted(value) for key, value in component.table(side).items()}


def _mounted(value: Any) -> Any:
    """`mode: eval_mount` of a table of files is a mount here: its MLTable is read by the step's process."""
    eval_mount = isinstance(value, dict) and value.get("mode") == "eval_mount"
    return {**value, "mode": "ro_mount"} if eval_mount else value


def _output(value: Any, document: Document) -> dict[str, Any]:
    """An output that is the pipeline's has the type that the pipeline declares."""
    if isinstance(value, str):
        name = value.strip().removeprefix("${{").removesuffix("}}").strip().removeprefix("parent.outputs.")
        value = document.get("outputs", name)
    kind = value.get("type", "uri_folder") if isinstance(value, dict) else "uri_folder"
    return {"type": kind}


def _command(parallel: Parallel, own: Document) -> str:
    size = str(parallel.mini_batch_size)
    if not size.isdigit() or int(size) < 1:
        where = own.where("mini_batch_size")
        raise UserError(f"{where}: mini_batch_size {size}: files only here: write how many of them make a mini-batch")
    task, retry = parallel.task, parallel.retry_settings
    options = {
        "input": f"'{parallel.input_data}'",
        "size": size,
        "processes": parallel.max_concurrency_per_instance * parallel.resources.instance_count,
        "retries": retry.max_retries,
        "timeout": retry.timeout,
        "failed-batches": parallel.mini_batch_error_threshold,
        "failed-items": parallel.error_threshold,
    }
    if task.append_row_to:
        options["append"] = f"'{task.append_row_to}'"
    words = [f"--{key} {value}" for key, value in options.items()]
    script = Path(mini_batches.__file__)
    return f"python '{script}' {' '.join(words)} '{task.entry_script}' {task.program_arguments}".strip()
