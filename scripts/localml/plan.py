"""From a job spec to a plan: every step with its component, its bound inputs, and what it waits for."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localml import values, yamlio
from localml.environments import Resolved, resolve
from localml.errors import UserError
from localml.expressions import FromJob, FromParent, Value, binding
from localml.specs import PATH_TYPES, CommandJob, Component, Input, Literals, Node, Output, Pipeline, Settings, parse
from localml.yamlio import Document

DEFAULT_STORE = "workspaceblobstore"
MOUNT, DOWNLOAD = "ro_mount", "download"
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,254}")
Bound = Value | values.Data | FromJob


@dataclass(frozen=True)
class StepOutput:
    """An output of a step; `fixed` is a datastore path that outlives the job."""

    type: str
    fixed: Path | None = None


@dataclass(frozen=True)
class Step:
    """One node, ready to run."""

    name: str
    component: Component
    code: Path | None
    environment: Resolved
    inputs: dict[str, Bound]
    outputs: dict[str, StepOutput]
    timeout: int | None
    variables: dict[str, str]
    modes: dict[str, str]

    @property
    def waits_for(self) -> frozenset[str]:
        """Names of the steps whose outputs this one reads."""
        return frozenset(bound.job for bound in self.inputs.values() if isinstance(bound, FromJob))


@dataclass(frozen=True)
class Plan:
    """A job to run: its steps in the order of the file and which step output each job output is."""

    document: Document
    display_name: str
    experiment: str
    steps: dict[str, Step]
    outputs: dict[str, tuple[FromJob, Output]]
    inputs: dict[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    # A job of one command is run each time: Azure ML reuses steps of pipelines only.
    is_pipeline: bool = True

    @property
    def reuses(self) -> bool:
        """Whether a step may take the outputs of an earlier run."""
        return self.is_pipeline and not self.settings.force_rerun


def make(document: Document) -> Plan:
    """Plan a pipeline or a single command. Raises UserError with file:line for whatever could not run."""
    kind = document.data.get("type", "command")
    if kind == "command":
        document = _as_pipeline(document)
    elif kind != "pipeline":
        raise UserError(f"{document.where('type')}: localml runs jobs of type pipeline and command, not {kind}")
    return _Planner(document, parse(Pipeline, document)).plan(kind == "pipeline")


def _as_pipeline(document: Document) -> Document:
    """A command job is a pipeline of one step with the same inputs and outputs."""
    job: dict[str, Any] = parse(CommandJob, document).model_dump(by_alias=True, exclude_unset=True)
    shared = ("name", "experiment_name", "display_name", "description", "tags")
    outer = {key: job.pop(key) for key in shared if key in job}
    for key in ("$schema", "properties"):
        job.pop(key, None)
    outer |= {key: job.pop(key) for key in ("settings",) if key in job}
    step = "main"
    names = job.get("outputs", {})
    job["outputs"] = {name: f"${{{{parent.outputs.{name}}}}}" for name in names}
    data = {**outer, "type": "pipeline", "jobs": {step: job}, "outputs": names}
    lines: dict[tuple[str | int, ...], int] = {("jobs", step, *key): line for key, line in document.lines.items()}
    return Document(document.path, data, {**lines, **document.lines})


class _Planner:
    """Resolves one pipeline; holds what all its nodes share."""

    def __init__(self, document: Document, pipeline: Pipeline) -> None:
        self.document = document
        self.pipeline = pipeline
        self.base = document.path.parent
        self.outputs: dict[str, tuple[FromJob, Output]] = {}

    def plan(self, is_pipeline: bool) -> Plan:
        self._check_settings()
        steps = {name: self._step(name, node) for name, node in self.pipeline.jobs.items()}
        for name, step in steps.items():
            for key, bound in step.inputs.items():
                if isinstance(bound, FromJob):
                    self._check_source(steps, name, key, bound)
        _refuse_cycles(self.document, steps)
        for name in self.pipeline.outputs:
            _check_name(self.document.where("outputs", name), "pipeline's output", name)
            if name not in self.outputs:
                raise UserError(f"{self.document.where('outputs', name)}: no step writes the output {name}")
        title = self.pipeline.display_name or self.document.path.stem
        experiment = self.pipeline.experiment_name or "Default"
        inputs = self.document.data.get("inputs") or {}
        settings = self.pipeline.settings
        return Plan(self.document, title, experiment, steps, self.outputs, inputs, settings, is_pipeline)

    def _check_settings(self) -> None:
        settings = self.pipeline.settings
        store = (settings.default_datastore or DEFAULT_STORE).removeprefix("azureml:")
        refused = {
            "default_datastore": store != DEFAULT_STORE,
            "on_init": settings.on_init,
            "on_finalize": settings.on_finalize,
            "continue_on_failed_optional_input": not settings.continue_on_failed_optional_input,
        }
        for key, given in refused.items():
            if given:
                where = self.document.where("settings", key)
                raise UserError(f"{where}: settings.{key}: not imitated by the local engine: leave it out here")

    def _step(self, name: str, node: Node) -> Step:
        _check_name(self.document.where("jobs", name), "step", name)
        component, document = self._component(name, node)
        self._check_machine(name, node, component, document)
        environment = component.environment
        if environment is None:
            raise UserError(f"{document.where()}: the component of step {name} names no environment")
        return Step(
            name=name,
            component=component,
            code=self._code(component, document),
            environment=resolve(environment, document),
            inputs=self._inputs(name, node, component, document),
            modes={key: self._mode(name, key, node, each) for key, each in component.inputs.items()},
            outputs=self._outputs(name, node, component),
            timeout=node.limits.timeout,
            variables={**component.environment_variables, **node.environment_variables},
        )

    def _check_machine(self, name: str, node: Node, component: Component, document: Document) -> None:
        """One machine and one process are what there is here."""
        places: tuple[tuple[Component | Node, Document, tuple[str, ...]], ...]
        places = ((component, document, ()), (node, self.document, ("jobs", name)))
        for given, file, key in places:
            if (count := given.resources.instance_count) > 1:
                where = file.where(*key, "resources", "instance_count")
                raise UserError(f"{where}: step {name}: instance_count {count}: the local engine is one machine")
            if given.distribution:
                where = file.where(*key, "distribution")
                raise UserError(f"{where}: step {name}: distribution is not imitated by the local engine")

    def _mode(self, name: str, key: str, node: Node, declared: Input) -> str:
        """How an input of data reaches the step: the node's word, else the pipeline's, else the component's."""
        where, value = self.document.where("jobs", name, "inputs", key), node.inputs.get(key)
        text = value.path if isinstance(value, Input) else value
        target = binding(text) if isinstance(text, str) else None
        outer = self.pipeline.inputs.get(target.name) if isinstance(target, FromParent) else None
        given = [each.mode for each in (value, outer, declared) if isinstance(each, Input) and each.mode]
        mode = given[0] if given else MOUNT
        if mode not in (MOUNT, DOWNLOAD):
            raise UserError(f"{where}: mode {mode} is not imitated by the local engine: {MOUNT} or {DOWNLOAD}")
        return mode

    def _component(self, name: str, node: Node) -> tuple[Component, Document]:
        where = self.document.where("jobs", name, "component")
        if node.component is None:
            return self._inline(name, node)
        if node.component.startswith("azureml:"):
            from localml import assets  # noqa: PLC0415 - only for a registered component

            content = assets.find("component", node.component).content
            if content is None:
                raise UserError(f"{where}: {node.component} has lost its spec: register it anew")
            document = yamlio.load(next(content.glob("*.yml")))
        else:
            path = self.base / node.component
            if not path.is_file():
                raise UserError(f"{where}: the component {node.component} does not exist")
            document = yamlio.load(path)
        return parse(Component, document), document

    def _inline(self, name: str, node: Node) -> tuple[Component, Document]:
        if node.command is None:
            raise UserError(f"{self.document.where('jobs', name)}: step {name} has neither a component nor a command")
        inputs = {key: _declaration(value) for key, value in node.inputs.items()}
        outputs = {key: value if isinstance(value, Output) else Output() for key, value in node.outputs.items()}
        component = Component(
            name=name, command=node.command, code=node.code, environment=node.environment,
            is_deterministic=node.is_deterministic, inputs=inputs, outputs=outputs,
        )  # fmt: skip
        lines = {key[2:]: line for key, line in self.document.lines.items() if key[:2] == ("jobs", name)}
        return component, Document(self.document.path, self.document.data["jobs"][name], lines)

    def _code(self, component: Component, document: Document) -> Path | None:
        if component.code is None:
            return None
        path = (document.path.parent / component.code).resolve()
        if not path.exists():
            raise UserError(f"{document.where('code')}: the code folder {component.code} does not exist")
        return path

    def _inputs(self, name: str, node: Node, component: Component, document: Document) -> dict[str, Bound]:
        for key in component.inputs:
            _check_name(document.where("inputs", key), "component's input", key)
        for key in node.inputs:
            if key not in component.inputs:
                raise UserError(f"{self.document.where('jobs', name, 'inputs', key)}: the component has no input {key}")
        found: dict[str, Bound] = {}
        for key, declared in component.inputs.items():
            bound = self._bound(name, key, node.inputs.get(key), declared)
            if bound is not None:
                found[key] = bound
            elif not declared.optional:
                where = self.document.where("jobs", name, "inputs")
                raise UserError(f"{where}: step {name} needs the input {key} ({document.where('inputs', key)})")
        return found

    def _bound(self, name: str, key: str, value: Literals | Input | None, declared: Input) -> Bound | None:
        where = self.document.where("jobs", name, "inputs", key)
        text = value.path if isinstance(value, Input) else value
        try:
            target = binding(text)
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None
        if isinstance(target, FromJob):
            return target
        if isinstance(target, FromParent):
            if target.side != "inputs" or target.name not in self.pipeline.inputs:
                raise UserError(f"{where}: the pipeline has no {target.side.rstrip('s')} {target.name}")
            value, where = self.pipeline.inputs[target.name], self.document.where("inputs", target.name)
        if value is None:
            value = declared.default
        if value is None or (isinstance(value, Input) and value.optional and value.path is None):
            return None
        return self._value(key, value, declared, where)

    def _value(self, key: str, value: Literals | Input, declared: Input, where: str) -> Bound:
        if isinstance(value, Input) and value.type not in PATH_TYPES and value.default is not None:
            value = value.default
        if isinstance(value, Input):
            if declared.type not in PATH_TYPES:
                raise UserError(f"{where}: {key} is data, the component wants a value of type {declared.type}")
            return values.data(value, self.base, where)
        return values.literal(key, value, declared, where)

    def _outputs(self, name: str, node: Node, component: Component) -> dict[str, StepOutput]:
        for key in component.outputs:
            _check_name(self.document.where("jobs", name, "outputs", key), "component's output", key)
        found = {key: StepOutput(declared.type) for key, declared in component.outputs.items()}
        for key, value in node.outputs.items():
            where = self.document.where("jobs", name, "outputs", key)
            if key not in found:
                raise UserError(f"{where}: the component has no output {key}")
            target = binding(value) if isinstance(value, str) else None
            output = value if isinstance(value, Output) else Output(type=found[key].type)
            if isinstance(target, FromParent):
                output = self._parent_output(where, target, found[key].type)
                self.outputs[target.name] = (FromJob(name, key), output)
            fixed = values.datastore_path(output.path) if output.path else None
            found[key] = StepOutput(found[key].type, fixed)
        return found

    def _parent_output(self, where: str, target: FromParent, kind: str) -> Output:
        if target.side != "outputs" or target.name not in self.pipeline.outputs:
            raise UserError(f"{where}: the pipeline has no output {target.name}")
        declared = self.pipeline.outputs[target.name]
        return declared if isinstance(declared, Output) else Output(type=kind)

    def _check_source(self, steps: dict[str, Step], name: str, key: str, bound: FromJob) -> None:
        where = self.document.where("jobs", name, "inputs", key)
        if bound.job not in steps:
            raise UserError(f"{where}: there is no step {bound.job}")
        if bound.output not in steps[bound.job].outputs:
            raise UserError(f"{where}: step {bound.job} has no output {bound.output}")


def _check_name(where: str, kind: str, name: str) -> None:
    """Names become folders: none may lead out of the job's own."""
    if not _NAME.fullmatch(name):
        raise UserError(f"{where}: {name!r} is not a name of a {kind}: letters, digits, '-' and '_' only")


def _declaration(value: Literals | Input | None) -> Input:
    if isinstance(value, Input):
        return Input(type=value.type, optional=value.optional)
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return Input(type=kinds.get(type(value), "string"), optional=value is None)


def _refuse_cycles(document: Document, steps: dict[str, Step]) -> None:
    done: set[str] = set()
    while len(done) < len(steps):
        ready = {name for name, step in steps.items() if name not in done and step.waits_for <= done}
        if not ready:
            stuck = sorted(set(steps) - done)
            raise UserError(f"{document.where('jobs', stuck[0])}: the steps {', '.join(stuck)} wait for each other")
        done |= ready
