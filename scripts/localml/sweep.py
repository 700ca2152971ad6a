"""Sweeps: a node or a job of type sweep becomes one step, whose process (trials.py) runs the trials and keeps the best.

Fields as Microsoft's "CLI (v2) sweep job YAML schema" has them; `search_space` and `early_termination` beside it.
"""

import json
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from amlspec.bindings import sole
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import Component, Output, Spec, Variables, parse
from host import hashing
from host.state import home, write_json
from localml import component_snapshot, nested
from localml.early_termination import Policy
from localml.search_space import Algorithm, check


class _Objective(Spec):
    primary_metric: str
    goal: Literal["maximize", "minimize"]


class _Limits(Spec):
    """The page's default of 1000 trials; as many at once."""

    max_total_trials: int = Field(default=1000, ge=1)
    max_concurrent_trials: int = Field(default=1000, ge=1)
    timeout: int | None = Field(default=None, ge=1)
    trial_timeout: int | None = Field(default=None, ge=1)


class Sweep(Spec):
    """A node of type sweep. What chooses a machine or a person is read and not needed."""

    type: Literal["sweep"]
    display_name: str | None = None
    description: str | None = None
    tags: dict[str, Any] = Field(default_factory=dict)
    properties: dict[str, Any] = Field(default_factory=dict)
    compute: str | None = None
    identity: dict[str, Any] | None = None
    queue_settings: dict[str, Any] | None = None
    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)
    environment_variables: Variables = Field(default_factory=dict)
    sampling_algorithm: str | Algorithm = "random"
    search_space: dict[str, dict[str, Any]]
    objective: _Objective
    early_termination: Policy | None = None
    limits: _Limits = _Limits()
    trial: str | dict[str, Any]


def expand(document: Document) -> Document:
    """The pipeline with its sweeps as steps of one command."""
    for name, node in list(document.table("jobs").items()):
        if isinstance(node, dict) and node.get("type") == "sweep":
            document.data["jobs"][name] = _as_step(document, name, node)
    return document


def as_pipeline(document: Document) -> Document:
    """A job of type sweep is a pipeline of one step with the same inputs and outputs."""
    outer = ("$schema", "name", "experiment_name", "display_name", "description", "tags")
    node = {key: value for key, value in document.data.items() if key not in outer}
    outputs = node.get("outputs") or {}
    node["outputs"] = {name: f"${{{{parent.outputs.{name}}}}}" for name in outputs}
    kept = {key: document.data[key] for key in outer if key in document.data}
    declared = {name: value if isinstance(value, dict) else {"type": "uri_folder"} for name, value in outputs.items()}
    data = {**kept, "type": "pipeline", "outputs": declared, "jobs": {"main": node}}
    lines: dict[tuple[str | int, ...], int] = {("jobs", "main", *key): line for key, line in document.lines.items()}
    return Document(document.path, data, {**lines, **document.lines}, document.shown, document.text)


def _as_step(document: Document, name: str, node: dict[str, Any]) -> dict[str, Any]:
    inner = {key[2:]: line for key, line in document.lines.items() if key[:2] == ("jobs", name)}
    own = Document(document.path, node, inner)
    sweep = parse(Sweep, own)
    trial = _trial(sweep, own, document)
    algorithm = _algorithm(sweep, own)
    spec = {
        "home": str(home()),
        "command": trial.command,
        "space": sweep.search_space,
        "algorithm": algorithm.model_dump(),
        "count": sweep.limits.max_total_trials,
        "outputs": {key: output.type for key, output in trial.outputs.items()},
        "metric": sweep.objective.primary_metric,
        "goal": sweep.objective.goal,
        "concurrent": sweep.limits.max_concurrent_trials,
        "timeout": sweep.limits.trial_timeout,
        "early_termination": sweep.early_termination and sweep.early_termination.model_dump(),
    }
    inputs = {key: each for key, each in trial.inputs.items() if key not in sweep.search_space}
    component = trial.model_dump(by_alias=True, exclude_unset=True, mode="json")
    component["inputs"] = {key: each.model_dump(exclude_unset=True, mode="json") for key, each in inputs.items()}
    component |= {"is_deterministic": False, "command": _command(kept(spec), trial, list(inputs))}
    step: dict[str, Any] = {
        key: node[key] for key in ("display_name", "inputs", "outputs", "environment_variables") if key in node
    }
    if sweep.limits.timeout:
        step["limits"] = {"timeout": sweep.limits.timeout}
    return {"type": "command", "component": str(kept(component)), **step}


def _algorithm(sweep: Sweep, document: Document) -> Algorithm:
    """The sampling algorithm, checked with the space that it samples from."""
    given = sweep.sampling_algorithm
    algorithm = given if isinstance(given, Algorithm) else Algorithm(type=given)
    check(sweep.search_space, algorithm, document.where)
    if algorithm.type == "bayesian" and sweep.early_termination:
        where = document.where("early_termination")
        raise UserError(f"{where}: bayesian sampling has no early termination: every trial tells it something")
    return algorithm


def kept(data: dict[str, Any]) -> Path:
    """A generated file, called by its content."""
    path = home() / "generated" / f"{hashing.of_data(data)[:32]}.yml"
    write_json(path, data)  # JSON is YAML
    return path


def _command(spec: Path, trial: Component, inputs: list[str]) -> str:
    words = [f"--input {key} '${{{{inputs.{key}}}}}'" for key in inputs if not trial.inputs[key].optional]
    words += [f"$[[--input {key} '${{{{inputs.{key}}}}}']]" for key in inputs if trial.inputs[key].optional]
    words += [f"--output-place {key} '${{{{outputs.{key}}}}}'" for key in trial.outputs]
    # The sweep is ours and sees our packages; its trials are steps again.
    start = f"LOCALML_SWEEP=\"$LOCALML_STEP\" LOCALML_STEP= exec '{sys.executable}' -m localml.trials"
    return " ".join([start, f"'{spec}'", *words])


def _trial(sweep: Sweep, document: Document, pipeline: Document) -> Component:
    """The command of a trial: a component's, or one that stands in the node, with its paths absolute."""
    where = document.where("trial")
    if isinstance(sweep.trial, str):
        source = component_snapshot.read(sweep.trial, document.path.parent, where)
        base = source.path.parent.resolve()
        return parse(Component, Document(source.path, nested.absolute(source.data, base), source.lines))
    data = nested.absolute(sweep.trial, document.path.parent.resolve())
    inputs = {key: declared(value, pipeline) for key, value in sweep.inputs.items()}
    outputs = {
        key: value if isinstance(value, dict) else {"type": "uri_folder"} for key, value in sweep.outputs.items()
    }
    lines = {key[1:]: line for key, line in document.lines.items() if key[:1] == ("trial",)}
    bare = {key: {"type": Output.model_validate(value).type} for key, value in outputs.items()}
    given = {"name": "trial", "inputs": inputs, "outputs": bare, **data}
    for key in sweep.search_space:
        given["command"] = str(given.get("command", "")).replace(
            f"${{{{inputs.{key}}}}}", f"${{{{search_space.{key}}}}}"
        )
    return parse(Component, Document(document.path, given, lines))


def declared(value: Any, pipeline: Document) -> dict[str, Any]:
    """The declaration that fits a value; what binds an input of the pipeline is declared as that one."""
    if (bound := sole(value)) and bound.parts[:2] == ("parent", "inputs"):
        value = pipeline.get("inputs", bound.parts[2])
    elif bound:  # an output of another step
        return {"type": "uri_folder"}
    if isinstance(value, dict):
        return {"type": value.get("type", "uri_folder")}
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return {"type": kinds.get(type(value), "string")}


def loads(path: Path) -> dict[str, Any]:
    """A generated spec."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
