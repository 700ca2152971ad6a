"""What the nodes of a pipeline are bound to: its inputs and outputs, values of their own, and each other."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amlspec import bindings
from amlspec.bindings import FromJob, FromParent, Value, binding_of
from amlspec.document import Document
from amlspec.errors import UserError
from amlspec.schema import PATH_TYPES, Component, Input, Literals, Node, Output, Pipeline
from localml import values
from localml.plan import ARTIFACTS, Bound, Handed, Step, StepOutput
from localml.refusals import DEFAULT_STORE, MOUNT, check_mode, check_name, check_output
from localml.stored import datastore_path


@dataclass(frozen=True)
class Outputs:
    """A node's outputs: where each lies, which one each output of the pipeline is, and which become assets alone."""

    places: dict[str, StepOutput]
    of_pipeline: dict[str, Handed]
    named: tuple[Handed, ...]


@dataclass(frozen=True)
class Wiring:
    """Resolves the bindings of one pipeline. Every method raises UserError with file:line for what leads nowhere."""

    document: Document
    pipeline: Pipeline

    def variables(self, step: str, node: Node) -> dict[str, str]:
        """Environment variables with the pipeline's inputs filled in."""
        place = ("jobs", step, "environment_variables")
        given = node.environment_variables
        return {key: self._filled(text, self.document.where(*place, key)) for key, text in given.items()}

    def modes(self, step: str, node: Node, component: Component) -> dict[str, str]:
        """How each input of data reaches the step."""
        return {key: self._mode(step, key, node, declared) for key, declared in component.inputs.items()}

    def _mode(self, step: str, key: str, node: Node, declared: Input) -> str:
        """The node's word, else the pipeline's, else the component's."""
        value = node.inputs.get(key)
        text = value.path if isinstance(value, Input) else value
        target = binding_of(text) if isinstance(text, str) else None
        outer = self.pipeline.inputs.get(target.name) if isinstance(target, FromParent) else None
        given = [each.mode for each in (value, outer, declared) if isinstance(each, Input) and each.mode]
        mode = given[0] if given else MOUNT
        check_mode(self.document.where("jobs", step, "inputs", key), mode)
        return mode

    def inputs(self, step: str, node: Node, component: Component, declaring: Document) -> dict[str, Bound]:
        """What each input of the component is bound to; an optional one without a value is left out."""
        for key in component.inputs:
            check_name(declaring.where("inputs", key), "component's input", key)
        for key in node.inputs:
            if key not in component.inputs:
                raise UserError(f"{self.document.where('jobs', step, 'inputs', key)}: the component has no input {key}")
        inputs: dict[str, Bound] = {}
        for key, declared in component.inputs.items():
            bound = self._bound(step, key, node.inputs.get(key), declared)
            if bound is not None:
                inputs[key] = bound
            elif not declared.optional:
                where = self.document.where("jobs", step, "inputs")
                raise UserError(f"{where}: step {step} needs the input {key} ({declaring.where('inputs', key)})")
        return inputs

    def _bound(self, step: str, key: str, value: Literals | Input | None, declared: Input) -> Bound | None:
        where = self.document.where("jobs", step, "inputs", key)
        try:
            target = binding_of(value.path if isinstance(value, Input) else value)
        except ValueError as error:
            raise UserError(f"{where}: {error}") from None
        if isinstance(target, FromJob):
            return target
        if isinstance(target, FromParent):
            value, where = self._of_pipeline(target, where), self.document.where("inputs", target.name)
        elif isinstance(value, str):
            value = self._filled_input(value, where)
        if value is None:
            value = declared.default
        if value is None or (isinstance(value, Input) and value.optional and value.path is None):
            return None
        return self._value(key, value, declared, where)

    def _of_pipeline(self, target: FromParent, where: str) -> Literals | Input | None:
        if target.side != "inputs" or target.name not in self.pipeline.inputs:
            raise UserError(f"{where}: the pipeline has no {target.side.rstrip('s')} {target.name}")
        return self.pipeline.inputs[target.name]

    def _value(self, key: str, value: Literals | Input, declared: Input, where: str) -> Bound:
        if isinstance(value, Input) and value.type not in PATH_TYPES and value.default is not None:
            value = value.default
        if isinstance(value, Input):
            if declared.type not in PATH_TYPES:
                raise UserError(f"{where}: {key} is data, the component wants a value of type {declared.type}")
            return values.data(value, self.document.path.parent, where)
        return values.literal(key, value, declared, where)

    def _filled_input(self, text: str, where: str) -> str:
        if problem := bindings.mixed_problem(text):
            raise UserError(f"{where}: {problem}")
        return self._filled(text, where)

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

    def outputs(self, step: str, node: Node, component: Component) -> Outputs:
        """Where the component's outputs go."""
        for key, declared in component.outputs.items():
            check_name(self.document.where("jobs", step, "outputs", key), "component's output", key)
            check_output(self.document.where("jobs", step), key, declared)
        places = {key: StepOutput(declared.type) for key, declared in component.outputs.items()}
        of_pipeline: dict[str, Handed] = {}
        named: list[Handed] = []
        for key, value in node.outputs.items():
            where = self.document.where("jobs", step, "outputs", key)
            if key not in places:
                raise UserError(f"{where}: the component has no output {key}")
            target = binding_of(value) if isinstance(value, str) else None
            output = value if isinstance(value, Output) else Output(type=places[key].type)
            if isinstance(target, FromParent):
                output = self._parent_output(where, target, places[key].type)
                of_pipeline[target.name] = (FromJob(step, key), output)
            elif output.name:
                named.append((FromJob(step, key), output))
            check_output(where, key, output)
            places[key] = StepOutput(places[key].type, _fixed(output.path, key, where))
        return Outputs(places, of_pipeline, tuple(named))

    def _parent_output(self, where: str, target: FromParent, kind: str) -> Output:
        if target.side != "outputs" or target.name not in self.pipeline.outputs:
            raise UserError(f"{where}: the pipeline has no output {target.name}")
        declared = self.pipeline.outputs[target.name]
        return declared if isinstance(declared, Output) else Output(type=kind)

    def declarations(self, node: Node) -> tuple[dict[str, Input], dict[str, Output]]:
        """Inputs and outputs of a node with a command of its own, which declares them by what it binds."""
        inputs = {key: _declaration(value) for key, value in node.inputs.items()}
        return inputs, {key: self._declared_output(value) for key, value in node.outputs.items()}

    def _declared_output(self, value: str | Output | None) -> Output:
        """What such a node writes to an output of the pipeline has the type of that."""
        if isinstance(value, Output):
            return value
        target = binding_of(value) if isinstance(value, str) else None
        bound = self.pipeline.outputs.get(target.name) if isinstance(target, FromParent) else None
        return Output(type=bound.type) if isinstance(bound, Output) else Output()

    def check_sources(self, steps: Mapping[str, Step]) -> None:
        """Whether every output that a step reads is there, and none is waited for in a circle."""
        for name, step in steps.items():
            for key, bound in step.inputs.items():
                if isinstance(bound, FromJob):
                    self._check_source(steps, self.document.where("jobs", name, "inputs", key), bound)
        self._refuse_cycles(steps)

    def _check_source(self, steps: Mapping[str, Step], where: str, bound: FromJob) -> None:
        if bound.job not in steps:
            raise UserError(f"{where}: there is no step {bound.job}")
        if bound.output not in steps[bound.job].outputs and bound.output != ARTIFACTS:
            raise UserError(f"{where}: step {bound.job} has no output {bound.output}")

    def _refuse_cycles(self, steps: Mapping[str, Step]) -> None:
        done: set[str] = set()
        while len(done) < len(steps):
            ready = {name for name, step in steps.items() if name not in done and step.waits_for <= done}
            if not ready:
                stuck = sorted(set(steps) - done)
                where = self.document.where("jobs", stuck[0])
                raise UserError(f"{where}: the steps {', '.join(stuck)} wait for each other")
            done |= ready


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
