"""From a job spec to a plan: each step with component, environment and bound inputs, and what it waits for."""

from typing import Any

from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import CommandJob, Component, Node, Pipeline, parse
from localml import component_code, component_snapshot, nested, parallel, sweep
from localml.environments import resolve
from localml.plan import Handed, Plan, Step
from localml.refusals import (
    check_access,
    check_command,
    check_component_kind,
    check_kinds,
    check_machine,
    check_name,
    check_plain,
    check_settings,
    check_step_name,
)
from localml.wiring import Outputs, Wiring

# The one step of a job that is a command.
_ONLY_STEP = "main"


def make(document: Document) -> Plan:
    """Plan a pipeline, a command or a sweep; its nodes are rewritten in place.

    Raises UserError with file:line for whatever could not run.
    """
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
    return _plan(document, parse(Pipeline, document), kind == "pipeline")


def _as_pipeline(document: Document) -> Document:
    """A command job is a pipeline of one step with the same inputs and outputs."""
    job: dict[str, Any] = parse(CommandJob, document).model_dump(by_alias=True, exclude_unset=True)
    shared = ("name", "experiment_name", "display_name", "description", "tags")
    outer = {key: job.pop(key) for key in shared if key in job}
    for key in ("$schema", "properties"):
        job.pop(key, None)
    outer |= {key: job.pop(key) for key in ("settings",) if key in job}
    names = job.get("outputs", {})
    job["outputs"] = {name: f"${{{{parent.outputs.{name}}}}}" for name in names}
    data = {**outer, "type": "pipeline", "jobs": {_ONLY_STEP: job}, "outputs": names}
    lines: dict[tuple[str | int, ...], int]
    lines = {("jobs", _ONLY_STEP, *key): line for key, line in document.lines.items()}
    return Document(document.path, data, {**lines, **document.lines})


def _plan(document: Document, pipeline: Pipeline, is_pipeline: bool) -> Plan:
    check_settings(document, pipeline.settings)
    planner = _Planner(document, Wiring(document, pipeline))
    steps, outputs = {}, {}
    for name, node in pipeline.jobs.items():
        steps[name], outputs[name] = planner.step(name, node)
    planner.wiring.check_sources(steps)
    return Plan(
        document=document,
        display_name=pipeline.display_name or document.path.stem,
        experiment=pipeline.experiment_name or "Default",
        steps=steps,
        outputs=_written(document, pipeline, outputs),
        inputs=document.data.get("inputs") or {},
        settings=pipeline.settings,
        is_pipeline=is_pipeline,
        named=tuple(handed for each in outputs.values() for handed in each.named),
    )


def _written(document: Document, pipeline: Pipeline, outputs: dict[str, Outputs]) -> dict[str, Handed]:
    """Which step output each output of the pipeline is; where two steps write one, the later counts."""
    written = {name: handed for each in outputs.values() for name, handed in each.of_pipeline.items()}
    for name in pipeline.outputs:
        check_name(document.where("outputs", name), "pipeline's output", name)
        if name not in written:
            raise UserError(f"{document.where('outputs', name)}: no step writes the output {name}")
    return written


class _Planner:
    """Makes steps of the nodes of one pipeline."""

    def __init__(self, document: Document, wiring: Wiring) -> None:
        self.document, self.wiring = document, wiring

    def step(self, name: str, node: Node) -> tuple[Step, Outputs]:
        """One node as a step, and where its outputs go."""
        check_step_name(self.document.where("jobs", name), name)
        component, document = self._component(name, node)
        check_command(component, document)
        check_machine(document.where("resources"), name, component)
        check_machine(self.document.where("jobs", name, "resources"), name, node)
        if component.environment is None:
            raise UserError(f"{document.where()}: the component of step {name} names no environment")
        code = component_code.of(component, document)
        environment = resolve(component.environment, document)
        inputs = self.wiring.inputs(name, node, component, document)
        modes = self.wiring.modes(name, node, component)
        outputs = self.wiring.outputs(name, node, component)
        variables = self.wiring.variables(name, node)
        timeout = node.limits.timeout
        return Step(name, component, code, environment, inputs, outputs.places, timeout, variables, modes), outputs

    def _component(self, name: str, node: Node) -> tuple[Component, Document]:
        """The component of a node and the document that it stands in: registered, a file, or the node itself."""
        where = self.document.where("jobs", name, "component")
        if node.component is None:
            return self._inline(name, node)
        if isinstance(node.component, dict):
            document = self._embedded(name, node.component)
        else:
            document = component_snapshot.read(node.component, self.document.path.parent, where)
        check_component_kind(document)
        return parse(Component, document), document

    def _embedded(self, name: str, data: dict[str, Any]) -> Document:
        """A component that stands in the node, as azure-ai-ml's loader takes it too."""
        place = ("jobs", name, "component")
        lines = {key[3:]: line for key, line in self.document.lines.items() if key[:3] == place}
        return Document(self.document.path, data, lines)

    def _inline(self, name: str, node: Node) -> tuple[Component, Document]:
        if node.command is None:
            raise UserError(f"{self.document.where('jobs', name)}: step {name} has neither a component nor a command")
        inputs, outputs = self.wiring.declarations(node)
        component = Component(
            name=name, command=node.command, code=node.code, environment=node.environment,
            is_deterministic=node.is_deterministic, inputs=inputs, outputs=outputs,
        )  # fmt: skip
        lines = {key[2:]: line for key, line in self.document.lines.items() if key[:2] == ("jobs", name)}
        return component, Document(self.document.path, self.document.data["jobs"][name], lines)
