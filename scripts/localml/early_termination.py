"""Policies that end trials of a sweep early: bandit, median_stopping, truncation_selection.

"Each time the training script logs the primary metric counts as one interval"; a policy is applied at every multiple of
evaluation_interval from delay_evaluation on (azureml-train-core, BanditPolicy). What each compares is what Microsoft's
"Tune hyperparameters" and the reference of azuremlsdk's bandit_policy say: for a metric to be maximised a trial of
value Y ends where Y + Y * slack_factor < best; both are silent on minimising, which is mirrored here.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, model_validator

from amlspec.schema import Spec

Values = Sequence[float]


class Policy(Spec):
    """`early_termination` of a sweep."""

    type: Literal["bandit", "median_stopping", "truncation_selection"]
    evaluation_interval: int = Field(default=1, ge=1)
    delay_evaluation: int = Field(default=0, ge=0)
    slack_factor: float | None = Field(default=None, ge=0)
    slack_amount: float | None = Field(default=None, ge=0)
    truncation_percentage: int | None = Field(default=None, ge=1, le=99)
    exclude_finished_jobs: bool = False

    @model_validator(mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        """Each type has what it needs."""
        if not isinstance(value, dict):
            return value
        slacks = [name for name in ("slack_factor", "slack_amount") if value.get(name)]
        if value.get("type") == "bandit" and len(slacks) != 1:
            raise ValueError("a bandit policy needs slack_factor or slack_amount, one of them, above 0")
        if value.get("type") == "truncation_selection" and value.get("truncation_percentage") is None:
            raise ValueError("a truncation_selection policy needs truncation_percentage, 1 to 99")
        return value


@dataclass
class Watch:
    """Applies a policy to the metric's values as trials log them.

    Attributes:
        policy: when and what to compare.
        goal: maximize or minimize.
        applied: trial -> the last interval at which the policy was applied to it.
    """

    policy: Policy
    goal: str
    applied: dict[int, int] = field(default_factory=dict)

    def to_end(self, logged: Mapping[int, Values], running: Sequence[int]) -> list[int]:
        """Which running trials to end now.

        Args:
            logged: trial -> the metric's values so far, oldest first; trials that have ended among them.
            running: trials that run.
        """
        ended = []
        for trial in running:
            interval = self._due(trial, len(logged.get(trial, ())))
            if interval:
                self.applied[trial] = interval
                if self._is_behind(trial, interval, logged, running):
                    ended.append(trial)
        return ended

    def _due(self, trial: int, count: int) -> int | None:
        """The newest interval at which the policy is to be applied, if it has not been yet."""
        interval = count - count % self.policy.evaluation_interval
        is_due = interval > self.applied.get(trial, 0) and interval >= self.policy.delay_evaluation
        return interval if is_due else None

    def _is_behind(self, trial: int, interval: int, logged: Mapping[int, Values], running: Sequence[int]) -> bool:
        signed = {number: self._signed(values[:interval]) for number, values in logged.items() if values}
        own = max(signed[trial])
        if self.policy.type == "bandit":
            return self._is_out_of_slack(own, max(max(values) for values in signed.values()))
        others = {number: values for number, values in signed.items() if len(values) >= interval}
        if self.policy.type == "median_stopping":
            return own < statistics.median(statistics.fmean(values) for values in others.values())
        if self.policy.exclude_finished_jobs:
            others = {number: values for number, values in others.items() if number in running}
        ranked = sorted(others, key=lambda number: others[number][-1])
        return trial in ranked[: len(ranked) * (self.policy.truncation_percentage or 0) // 100]

    def _signed(self, values: Values) -> list[float]:
        """Values of which the greatest is the best."""
        return [value if self.goal == "maximize" else -value for value in values]

    def _is_out_of_slack(self, own: float, best: float) -> bool:
        if self.policy.slack_amount:
            return own < best - self.policy.slack_amount
        factor = 1 + (self.policy.slack_factor or 0.0)
        # Signed, as above: to be minimised is -value, which is worse where it is further below zero.
        return own * factor < best if self.goal == "maximize" else own < best * factor
