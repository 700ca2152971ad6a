"""Values and functions that a condition sees: variables, what came before, how it ended."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import expressions, model
from amlspec.errors import UserError

SUCCEEDED, ISSUES, FAILED = "Succeeded", "SucceededWithIssues", "Failed"
SKIPPED, CANCELED = "Skipped", "Canceled"
GOOD = (SUCCEEDED, ISSUES)


@dataclass
class Ended:
    """How a stage, a job or a step ended, and the output variables of a job."""

    result: str = SKIPPED
    outputs: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, "Ended"] = field(default_factory=dict)

    def as_stage(self) -> dict[str, Any]:
        """What conditions of other stages see: outputs by `job.step.variable`."""
        outputs = {f"{name}.{key}": value for name, job in self.jobs.items() for key, value in job.outputs.items()}
        return {"result": self.result, "outputs": outputs}

    def as_job(self) -> dict[str, Any]:
        """What conditions of other jobs see: outputs by `step.variable`."""
        return {"result": self.result, "outputs": dict(self.outputs)}


def of_node(
    node: Any, nodes: Sequence[Any], ended: Mapping[str, Ended], is_canceled: bool
) -> dict[str, Callable[..., bool]]:
    """Status functions of a stage or a job: about all that it waits for, directly or not."""
    before = model.ancestors(node.name, nodes)

    def results(names: Sequence[Any]) -> list[str]:
        for name in names:
            if name not in ended:
                raise UserError(f"{node.where}: {name} is not among what {node.name} waits for")
        return [ended[name].result for name in names or sorted(before)]

    return {
        "always": lambda: True,
        "canceled": lambda: is_canceled,
        "succeeded": lambda *names: not is_canceled and all(each in GOOD for each in results(names)),
        "failed": lambda *names: any(each == FAILED for each in results(names)),
        "succeededOrFailed": lambda *names: (
            not is_canceled and all(each in (*GOOD, FAILED) or not names for each in results(names))
        ),
    }


def of_step(status: str) -> dict[str, Callable[..., bool]]:
    """Status functions of a step, from Agent.JobStatus."""
    return {
        "always": lambda: True,
        "canceled": lambda: status == CANCELED,
        "succeeded": lambda: status in GOOD,
        "failed": lambda: status == FAILED,
        "succeededOrFailed": lambda: status in (*GOOD, FAILED),
    }


def holds(
    condition: str | None, where: str, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> bool:
    """Whether a condition is true; without one, succeeded(). Raises UserError at the place where it stands."""
    try:
        return expressions.is_true(expressions.evaluate(condition or "succeeded()", values, functions))
    except UserError as error:
        raise UserError(f"{where}: condition: {error}") from None
