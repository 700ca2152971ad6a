"""Sweeps: a node or a job of type sweep becomes one step, whose process (trials.py) runs the trials and keeps the best.

Fields and distributions as Microsoft's "CLI (v2) sweep job YAML schema" has them.
"""

import itertools
import json
import math
import random
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

_BOUNDS: dict[str, tuple[str, ...]] = {
    "choice": ("values",),
    "randint": ("upper",),
    "uniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value", "q"),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
}


class _Objective(Spec):
    primary_metric: str
    goal: Literal["maximize", "minimize"]


class _Limits(Spec):
    """The page's default of 1000 trials; as many at once."""

    max_total_trials: int = Field(default=1000, ge=1)
    max_concurrent_trials: int = Field(default=1000, ge=1)
    timeout: int | None = Field(default=None, ge=1)
    trial_timeout: int | None = Field(default=None, ge=1)


class _Algorithm(Spec):
    type: str
    seed: int | None = None
    rule: Literal["random", "sobol"] = "random"
    logbase: str | float | None = None


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
    sampling_algorithm: str | _Algorithm = "random"
    search_space: dict[str, dict[str, Any]]
    objective: _Objective
    early_termination: dict[str, Any] | None = None
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
    spec = {
        "home": str(home()),
        "command": trial.command,
        "draws": draws(sweep, own),
        "outputs": {key: output.type for key, output in trial.outputs.items()},
        "searched": sorted(sweep.search_space),
        "metric": sweep.objective.primary_metric,
        "goal": sweep.objective.goal,
        "concurrent": sweep.limits.max_concurrent_trials,
        "timeout": sweep.limits.trial_timeout,
        "early_termination": (sweep.early_termination or {}).get("type"),
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


def draws(sweep: Sweep, document: Document) -> list[dict[str, Any]]:
    """The values of each trial. Raises UserError for what is not imitated or not well written."""
    for name, space in sweep.search_space.items():
        _check_space(document.where("search_space", name), name, space)
    given = sweep.sampling_algorithm
    algorithm = given if isinstance(given, _Algorithm) else _Algorithm(type=given)
    where = document.where("sampling_algorithm")
    if algorithm.logbase is not None:
        raise UserError(f"{where}: sampling_algorithm.logbase is not imitated by the local engine")
    if algorithm.type == "grid":
        return _grid(sweep, document)
    if algorithm.type == "random":
        return _random(sweep, algorithm)
    raise UserError(f"{where}: sampling_algorithm {algorithm.type} is not imitated by the local engine: random or grid")


def _check_space(where: str, name: str, space: dict[str, Any]) -> None:
    kind = str(space.get("type"))
    if kind not in _BOUNDS:
        raise UserError(f"{where}: search_space.{name}: type {kind} is not one of {', '.join(_BOUNDS)}")
    if {*space} != {"type", *_BOUNDS[kind]}:
        raise UserError(f"{where}: search_space.{name}: {kind} has the fields {', '.join(_BOUNDS[kind])}")
    if kind == "choice" and not (isinstance(space["values"], list) and space["values"]):
        raise UserError(f"{where}: search_space.{name}: values is not a list of one or more")
    numbers = [] if kind == "choice" else [space[key] for key in _BOUNDS[kind]]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) for each in numbers):
        raise UserError(f"{where}: search_space.{name}: {', '.join(_BOUNDS[kind])} are numbers")
    if "min_value" in space and space["min_value"] > space["max_value"]:
        raise UserError(f"{where}: search_space.{name}: min_value is above max_value")


def _grid(sweep: Sweep, document: Document) -> list[dict[str, Any]]:
    for name, space in sweep.search_space.items():
        if space["type"] != "choice":
            where = document.where("search_space", name, "type")
            raise UserError(f"{where}: search_space.{name}: grid sampling takes type choice only, not {space['type']}")
    rows = itertools.product(*(space["values"] for space in sweep.search_space.values()))
    kept = itertools.islice(rows, sweep.limits.max_total_trials)
    return [dict(zip(sweep.search_space, row, strict=True)) for row in kept]


def _random(sweep: Sweep, algorithm: _Algorithm) -> list[dict[str, Any]]:
    count, names = sweep.limits.max_total_trials, list(sweep.search_space)
    if algorithm.rule == "sobol":
        from scipy.stats import qmc  # noqa: PLC0415 - half a second

        sampler = qmc.Sobol(len(names), seed=algorithm.seed)
        points = sampler.random_base2(math.ceil(math.log2(count)) if count > 1 else 0)[:count].tolist()
    else:
        source = random.Random(algorithm.seed)
        points = [[source.random() for _ in names] for _ in range(count)]
    return [
        {name: at(sweep.search_space[name], point) for name, point in zip(names, row, strict=True)} for row in points
    ]


def at(space: dict[str, Any], point: float) -> Any:
    """The value of a distribution at a point of [0, 1): its quantile."""
    kind = str(space["type"])
    if kind == "choice":
        return space["values"][int(point * len(space["values"]))]
    if kind == "randint":  # of [0, upper)
        return int(point * int(space["upper"]))
    if kind.endswith("uniform"):
        value = space["min_value"] + point * (space["max_value"] - space["min_value"])
    else:
        from statistics import NormalDist  # noqa: PLC0415

        value = NormalDist(space["mu"], space["sigma"]).inv_cdf(min(max(point, 1e-12), 1 - 1e-12))
    if "log" in kind:  # bounds, mu and sigma are those of the logarithm
        value = math.exp(value)
    return round(value / space["q"]) * space["q"] if "q" in space else value


def loads(path: Path) -> dict[str, Any]:
    """A generated spec."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
