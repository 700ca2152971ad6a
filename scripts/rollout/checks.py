"""What a new deployment has to prove. Pure functions from what was seen to problems in words; none means it passed."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from demand.grain import COLUMN

Row = dict[str, Any]


# Fewer requests of callers say nothing.
MIN_CALLS = 20


@dataclass(frozen=True)
class Limits:
    """How much worse a new version may be. Shares are fractions, times milliseconds."""

    error_rate: float = 0.01
    p95_factor: float = 2.0
    p95_slack_ms: float = 50.0
    p95_most_ms: float = 2000.0
    flagged_more: float = 0.05
    change: float = 0.5
    agreement: float = 1e-3


@dataclass
class Seen:
    """Answers of one deployment under load."""

    milliseconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    rows: int = 0
    flagged: int = 0

    @property
    def requests(self) -> int:
        """All that were sent."""
        return len(self.milliseconds) + len(self.errors)

    @property
    def error_rate(self) -> float:
        """Share of requests that were not answered well."""
        return len(self.errors) / self.requests if self.requests else 1.0

    @property
    def p95(self) -> float:
        """95th percentile in milliseconds (nearest rank); NaN without an answer."""
        ordered = sorted(self.milliseconds)
        return ordered[math.ceil(0.95 * len(ordered)) - 1] if ordered else math.nan

    @property
    def flagged_share(self) -> float:
        """Share of forecasts that carry a flag."""
        return self.flagged / self.rows if self.rows else 0.0

    def shown(self) -> dict[str, Any]:
        """For the report."""
        counts = {"requests": self.requests, "error_rate": round(self.error_rate, 4), "flagged": self.flagged_share}
        return {**counts, "p95_ms": round(self.p95, 2) if self.milliseconds else None, "errors": self.errors[:3]}


def answer_problems(request: Row, answer: Any, model: str, version: str) -> list[str]:
    """Whether an answer has the promised shape, sane numbers, and comes from the version that was asked for."""
    rows = answer.get("predictions") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [f"the answer has no predictions: {json.dumps(answer)[:200]}"]
    asked = request["input_data"]
    if len(rows) != len(asked):
        return [f"{len(asked)} rows were asked for, {len(rows)} came back"]
    problems = [problem for number, row in enumerate(rows) if (problem := _row_problem(number, row, asked[number]))]
    about = answer.get("model") or {}
    if (about.get("name"), str(about.get("version"))) != (model, version):
        problems.append(f"{model} version {version} was deployed, {about.get('name')} {about.get('version')} answers")
    return problems


def _row_problem(number: int, row: Row, asked: Row) -> str | None:
    for key in ("StoreID", *(name for name in COLUMN.values() if name in asked), "MonthYear"):
        if str(row.get(key)) != str(asked[key]):
            return f"row {number}: {key} {asked[key]} was asked for, {row.get(key)} came back"
    values = [row.get(key) for key in ("P10", "TotalSales", "P90")]
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
        return f"row {number}: P10, TotalSales, P90 are {values}, not three numbers"
    low, middle, high = (float(value) for value in values if value is not None)
    return None if low <= middle <= high else f"row {number}: TotalSales {middle} is not between {low} and {high}"


def caller_problems(requests: int, errors: int, limits: Limits) -> list[str]:
    """What is wrong with all requests that the router counted, the rollout's among them; too few say nothing."""
    if requests < MIN_CALLS or errors / requests <= limits.error_rate:
        return []
    return [f"{errors} of {requests} requests at the router failed, above {limits.error_rate:.0%}"]


def change_problems(new: Sequence[Row], old: Sequence[Row], limit: float) -> list[str]:
    """Whether the same questions get answers of another size: sum |new - old| / sum |old| above `limit`."""
    total = sum(abs(float(row["TotalSales"])) for row in old)
    apart = sum(abs(float(a["TotalSales"]) - float(b["TotalSales"])) for a, b in zip(new, old, strict=True))
    if total == 0 or apart / total <= limit:
        return []
    return [f"forecasts differ from the live version's by {apart / total:.0%}, more than {limit:.0%}: check the model"]


def load_problems(new: Seen, old: Seen | None, limits: Limits) -> list[str]:
    """Error rate and share of flagged rows, against the live version under the same load at the same time."""
    problems = []
    if new.error_rate > limits.error_rate:
        problems.append(f"error rate {new.error_rate:.1%} of {new.requests} requests: {'; '.join(new.errors[:2])}")
    if old and new.rows and new.flagged_share > old.flagged_share + limits.flagged_more:
        problems.append(
            f"{new.flagged_share:.0%} of the forecasts are flagged, {old.flagged_share:.0%} of the live ones"
        )
    return problems


def slow_problems(new: Seen, usual_p95: float | None, limits: Limits) -> list[str]:
    """p95 against the live version's `usual_p95` in milliseconds, and against what nobody should wait."""
    most, beside = limits.p95_most_ms, ""
    if usual_p95 is not None:
        most = min(most, limits.p95_factor * usual_p95 + limits.p95_slack_ms)
        beside = f" (live version {usual_p95:.0f} ms)"
    if not new.milliseconds or new.p95 <= most:
        return []
    return [f"p95 {new.p95:.0f} ms, at most {most:.0f} ms{beside}"]


def read_requests(paths: Sequence[Path]) -> list[Row]:
    """Golden requests. Raises UserError for what is none."""
    requests = []
    for path in paths:
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise UserError(f"{path}: {error.strerror}") from None
        except ValueError as error:
            raise UserError(f"{path}: not JSON: {error}") from None
        rows = data.get("input_data") if isinstance(data, dict) else None
        if not rows or not all(isinstance(row, dict) and {"StoreID", "MonthYear"} <= row.keys() for row in rows):
            raise UserError(f'{path}: a request is {{"input_data": [{{"StoreID": ..., "MonthYear": ...}}]}}')
        requests.append(data)
    return requests
