"""What a job will run: its steps with their components, code, environments and bound inputs. planner.py makes it."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from amlspec.bindings import FromJob, Value
from amlspec.document import Document
from amlspec.schema import Component, Output, Settings
from localml import values
from localml.component_code import ComponentCode
from localml.environments import Resolved

# The output that a step has without declaring it: what it writes to ./outputs.
ARTIFACTS = "artifacts"
Bound = Value | values.Data | FromJob
# An output of a step, and what the spec says of it where it leaves the step.
Handed = tuple[FromJob, Output]


@dataclass(frozen=True)
class StepOutput:
    """An output of a step; `fixed` is a datastore path that outlives the job."""

    type: str
    fixed: Path | None = None


@dataclass(frozen=True)
class Step:
    """One node, ready to run. `timeout` in seconds; `modes` says how each input of data is delivered."""

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
    """A job to run: its steps in the order of the file, and which step output each job output is."""

    document: Document
    display_name: str
    experiment: str
    steps: dict[str, Step]
    outputs: dict[str, Handed]
    inputs: dict[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    # A job of one command is run each time: Azure ML reuses steps of pipelines only.
    is_pipeline: bool = True
    # Outputs of steps that become assets though the pipeline does not hand them on.
    named: tuple[Handed, ...] = ()

    @property
    def reuses(self) -> bool:
        """Whether a step may take the outputs of an earlier run."""
        return self.is_pipeline and not self.settings.force_rerun
