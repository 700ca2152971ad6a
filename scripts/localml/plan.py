"""From a job spec to a plan: every step with its component, its bound inputs, and what it waits for."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from amlspec import bindings
from amlspec.bindings import FromJob, FromParent, Value, binding_of
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import PATH_TYPES, CommandJob, Component, Input, Literals, Node, Output, Pipeline, Settings, parse
from localml import component_code, component_snapshot, nested, parallel, sweep, values
from localml.component_code import ComponentCode
from localml.environments import Resolved, resolve
from localml.refusals import (
    DEFAULT_STORE,
    MOUNT,
    check_access,
    check_command,
    check_component_kind,
    check_kinds,
    check_machine,
    check_mode,
    check_name,
    check_output,
    check_plain,
    check_settings,
    check_step_name,
)
from localml.stored import datastore_path

# The output that a step has without declaring it: what it writes to ./outputs.
ARTIFACTS = "artifacts"
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
    code: ComponentCode
    environment: Resolved
    inputs: dict[str, Bound]
    outputs: dict[str, StepOutput]
    timeout: int | None
    variables: dict[str, str]
    modes: dict[str, str]

    def of_job(self, job: str) -> "Step":
        """The step with the job's name in the places of its outputs."""

        def place(output: StepOutput) -> StepOutput:
            fixed = output.fixed and Path(str(output.fixed).replace("${{name}}", f"{job}_{self.name}"))
            return StepOutput(output.type, fixed)

        return replace(self, outputs={name: place(output) for name, output in self.outputs.items()})

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
    # Outputs of steps that become assets though the pipeline does not hand them on.
    named: tuple[tuple[FromJob, Output], ...] = ()

    @property
    def reuses(self) -> bool:
        """Whether a step may take the outputs of an earlier run."""
        return self.is_pipeline and not self.settings.force_rerun


def make(document: Document) -> Plan:
    """Plan a pipeline or a single command. Raises UserError with file:line for whatever could not run."""
    check_access(document)
    kind = document.data.get("type", "command")
    if kind == "command":
        document = _as_pipeline(document)
    elif kind == "sweep":
        document = sweep.as_pipeline(document)
    elif kind != "pipeline":
        known = "pipeline, command and sweep"
        raise UserError(f"{document.where('type')}: localml runs jobs of type {known}, not {kind}")
    check_plain(document)
    document = parallel.expand(sweep.expand(nested.expand(document)))
    check_kinds(document)
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
        self.named: list[tuple[FromJob, Output]] = []

    def plan(self, is_pipeline: bool) -> Plan:
        check_settings(self.document, self.pipeline.settings)
        steps = {name: self._step(name, node) for name, node in self.pipeline.jobs.items()}
        for name, step in steps.items():
            for key, bound in step.inputs.items():
                if isinstance(bound, FromJob):
                    self._check_source(steps, name, key, bound)
        _refuse_cycles(self.document, steps)
        for name in self.pipeline.outputs:
            check_name(self.document.where("outputs", name), "pipeline's output", name)
            if name not in self.outputs:
                raise UserError(f"{self.document.where('outputs', name)}: no step writes the output {name}")
        title = self.pipeline.display_name or self.document.path.stem
        experiment = self.pipeline.experiment_name or "Default"
        inputs = self.document.data.get("inputs") or {}
        settings = self.pipeline.settings
        return Plan(
            self.document, title, experiment, steps, self.outputs, inputs, settings, is_pipeline, tuple(self.named)
        )

    def _step(self, name: str, node: Node) -> Step:
        check_step_name(self.document.where("jobs", name), name)
        component, document = self._component(name, node)
        check_command(component, document)
        check_machine(document.where("resources"), name, component)
        check_machine(self.document.where("jobs", name, "resources"), name, node)
        environment = component.environment
        if environment is None:
            raise UserError(f"{document.where()}: the component of step {name} names no environment")
        return Step(
            name=name,
            component=component,
            code=component_code.of(component, document),
            environment=resolve(environment, document),
            inputs=self._inputs(name, node, component, document),
            modes={key: self._mode(name, key, node, each) for key, each in component.inputs.items()},
            outputs=self._outputs(name, node, component),
            timeout=node.limits.timeout,
            variables=self._variables(name, node.environment_variables),
        )

    def _variables(self, name: str, given: dict[str, str]) -> dict[str, str]:
        """Variables with the pipeline's inputs filled in."""
        place = ("jobs", name, "environment_variables")
        return {key: self._filled(text, self.document.where(*place, key)) for key, text in given.items()}

    def _filled(self, text: str, where: str) -> str:
        """A text with values of the pipeline's inputs in the places of their expressions."""

        def value(name: str) -> Value:
            given = self.pipeline.inputs.get(name)
            given = given.default if isinstance(given, Input) else given
            if given is None:
                raise ValueError(f"the pipeline has no input {name} with a value that a text can hold")
            return given

        try:
            return bindings.filled(text, value)
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None

    def _mode(self, name: str, key: str, node: Node, declared: Input) -> str:
        """How an input of data reaches the step: the node's word, else the pipeline's, else the component's."""
        where, value = self.document.where("jobs", name, "inputs", key), node.inputs.get(key)
        text = value.path if isinstance(value, Input) else value
        target = binding_of(text) if isinstance(text, str) else None
        outer = self.pipeline.inputs.get(target.name) if isinstance(target, FromParent) else None
        given = [each.mode for each in (value, outer, declared) if isinstance(each, Input) and each.mode]
        mode = given[0] if given else MOUNT
        check_mode(where, mode)
        return mode

    def _component(self, name: str, node: Node) -> tuple[Component, Document]:
        where = self.document.where("jobs", name, "component")
        if node.component is None:
            return self._inline(name, node)
        if isinstance(node.component, dict):
            return self._embedded(name, node.component)
        document = component_snapshot.read(node.component, self.base, where)
        check_component_kind(document)
        return parse(Component, document), document

    def _embedded(self, name: str, data: dict[str, Any]) -> tuple[Component, Document]:
        """A component that stands in the node, as azure-ai-ml's loader takes it too."""
        place = ("jobs", name, "component")
        lines = {key[3:]: line for key, line in self.document.lines.items() if key[:3] == place}
        document = Document(self.document.path, data, lines)
        check_component_kind(document)
        return parse(Component, document), document

    def _inline_output(self, value: str | Output | None) -> Output:
        """What an inline step writes to an output of the pipeline has the type of that."""
        target = binding_of(value) if isinstance(value, str) else None
        bound = self.pipeline.outputs.get(target.name) if isinstance(target, FromParent) else value
        return (
            value if isinstance(value, Output) else Output(type=bound.type) if isinstance(bound, Output) else Output()
        )

    def _inline(self, name: str, node: Node) -> tuple[Component, Document]:
        if node.command is None:
            raise UserError(f"{self.document.where('jobs', name)}: step {name} has neither a component nor a command")
        inputs = {key: _declaration(value) for key, value in node.inputs.items()}
        outputs = {key: self._inline_output(value) for key, value in node.outputs.items()}
        component = Component(
            name=name, command=node.command, code=node.code, environment=node.environment,
            is_deterministic=node.is_deterministic, inputs=inputs, outputs=outputs,
        )  # fmt: skip
        lines = {key[2:]: line for key, line in self.document.lines.items() if key[:2] == ("jobs", name)}
        return component, Document(self.document.path, self.document.data["jobs"][name], lines)

    def _inputs(self, name: str, node: Node, component: Component, document: Document) -> dict[str, Bound]:
        for key in component.inputs:
            check_name(document.where("inputs", key), "component's input", key)
        for key in node.inputs:
            if key not in component.inputs:
                raise UserError(f"{self.document.where('jobs', name, 'inputs', key)}: the component has no input {key}")
        inputs: dict[str, Bound] = {}
        for key, declared in component.inputs.items():
            bound = self._bound(name, key, node.inputs.get(key), declared)
            if bound is not None:
                inputs[key] = bound
            elif not declared.optional:
                where = self.document.where("jobs", name, "inputs")
                raise UserError(f"{where}: step {name} needs the input {key} ({document.where('inputs', key)})")
        return inputs

    def _bound(self, name: str, key: str, value: Literals | Input | None, declared: Input) -> Bound | None:
        where = self.document.where("jobs", name, "inputs", key)
        text = value.path if isinstance(value, Input) else value
        try:
            target = binding_of(text)
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None
        if isinstance(target, FromJob):
            return target
        if target is None and isinstance(value, str):
            if problem := bindings.mixed_problem(value):
                raise UserError(f"{where}: {problem}")
            value = self._filled(value, where)
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
            check_name(self.document.where("jobs", name, "outputs", key), "component's output", key)
        outputs = {key: StepOutput(declared.type) for key, declared in component.outputs.items()}
        for key, declared in component.outputs.items():
            check_output(self.document.where("jobs", name), key, declared)
        for key, value in node.outputs.items():
            where = self.document.where("jobs", name, "outputs", key)
            if key not in outputs:
                raise UserError(f"{where}: the component has no output {key}")
            target = binding_of(value) if isinstance(value, str) else None
            output = value if isinstance(value, Output) else Output(type=outputs[key].type)
            if isinstance(target, FromParent):
                output = self._parent_output(where, target, outputs[key].type)
                self.outputs[target.name] = (FromJob(name, key), output)
            elif output.name:
                self.named.append((FromJob(name, key), output))
            check_output(where, key, output)
            outputs[key] = StepOutput(outputs[key].type, _fixed(output.path, key, where))
        return outputs

    def _parent_output(self, where: str, target: FromParent, kind: str) -> Output:
        if target.side != "outputs" or target.name not in self.pipeline.outputs:
            raise UserError(f"{where}: the pipeline has no output {target.name}")
        declared = self.pipeline.outputs[target.name]
        return declared if isinstance(declared, Output) else Output(type=kind)

    def _check_source(self, steps: dict[str, Step], name: str, key: str, bound: FromJob) -> None:
        where = self.document.where("jobs", name, "inputs", key)
        if bound.job not in steps:
            raise UserError(f"{where}: there is no step {bound.job}")
        if bound.output not in steps[bound.job].outputs and bound.output != ARTIFACTS:
            raise UserError(f"{where}: step {bound.job} has no output {bound.output}")


def _fixed(path: str | None, key: str, where: str) -> Path | None:
    """Place of an output in a datastore; ${{name}} in it stays until the job has one."""
    if path is None:
        return None
    text = path.replace("${{default_datastore}}", DEFAULT_STORE).replace("${{output_name}}", key)
    place = datastore_path(text)
    if place is None or "${{" in text.replace("${{name}}", ""):
        raise UserError(f"{where}: {path}: an output lies at azureml://datastores/<store>/paths/<path>")
    return place


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
