"""Requests to the live endpoint at a constant rate, whether it keeps up or not, and whether it meets an objective.

Open loop: each request is due at its own moment, however long those before it take, and its time counts from there. A
closed loop, which sends the next request when the last one is answered, goes easy on a server that is slow
(G. Tene, "How NOT to Measure Latency").
"""

import asyncio
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from amlspec.errors import UserError
from rollout.load import Target

# Requests that wait for an answer at once; beyond, a server is overwhelmed and nothing more is learned.
MAX_OPEN = 2000
# The sender itself may be late by this much, as the 99th percentile, or the figures say nothing of the server.
MAX_LATE_MS = 10.0
WARM_UP = 20
_SECONDS = 30.0


@dataclass(frozen=True)
class Objective:
    """What is asked of the endpoint: `rate` requests a second for `seconds`; `percent` of them within `ms`."""

    rate: float
    seconds: float
    ms: float
    percent: float = 99.0


@dataclass
class Answers:
    """Milliseconds from when a request was due to its answer, how late it was sent, and what went wrong."""

    ms: list[float] = field(default_factory=list)
    late_ms: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """Percentiles in ms, and `problem`: why the objective is not met, or None."""

    requests: int
    lost: int
    p50: float
    p95: float
    p99: float
    most: float
    within: float
    problem: str | None

    def lines(self, wanted: Objective) -> list[str]:
        """For a terminal."""
        return [
            f"{self.requests:,} requests, {wanted.rate:g} a second for {wanted.seconds:g} s; "
            f"{self.lost} without a good answer",
            f"p50 {self.p50:.1f} ms   p95 {self.p95:.1f} ms   p99 {self.p99:.1f} ms   most {self.most:.1f} ms, "
            "from when each was due",
            f"{self.within:.2f} % within {wanted.ms:g} ms, {wanted.percent:g} % asked for: "
            + ("met" if self.problem is None else f"NOT MET: {self.problem}"),
        ]


async def _one(client: aiohttp.ClientSession, target: Target, body: bytes, due: float, answers: Answers) -> None:
    answers.late_ms.append((time.perf_counter() - due) * 1000)
    try:
        async with client.post(target.uri, data=body) as answer:
            text = await answer.text()
            if answer.status != 200:
                answers.lost.append(f"{answer.status} {text[:200]}")
                return
    except (aiohttp.ClientError, TimeoutError) as error:
        answers.lost.append(f"{type(error).__name__} {error}".strip())
        return
    answers.ms.append((time.perf_counter() - due) * 1000)


async def _send(target: Target, bodies: Sequence[bytes], wanted: Objective) -> Answers:
    answers, open_ones = Answers(), set[asyncio.Task[None]]()
    headers = {"Authorization": f"Bearer {target.key}", "Content-Type": "application/json"}
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(
        timeout=timeout, headers=headers, connector=aiohttp.TCPConnector(limit=0)
    ) as client:
        for number in range(WARM_UP):  # connections, and what a worker loads with its first requests
            await _one(client, target, bodies[number % len(bodies)], time.perf_counter(), Answers())
        began = time.perf_counter() + 0.05
        for number in range(max(1, round(wanted.rate * wanted.seconds))):
            due = began + number / wanted.rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            if len(open_ones) >= MAX_OPEN:
                answers.lost.append(f"{MAX_OPEN} requests wait for an answer")
                continue
            task = asyncio.create_task(_one(client, target, bodies[number % len(bodies)], due, answers))
            open_ones.add(task)
            task.add_done_callback(open_ones.discard)
        if open_ones:
            await asyncio.wait(open_ones)
    return answers


def run(target: Target, requests: Sequence[Mapping[str, Any]], wanted: Objective) -> Verdict:
    """Send `requests` in turn and judge.

    Raises:
        UserError: a rate, a time or a share that means nothing.
    """
    if wanted.rate <= 0 or wanted.seconds <= 0 or wanted.ms <= 0 or not 0 < wanted.percent <= 100:
        raise UserError("RATE, SECONDS and SLO_MS must be above 0, PERCENT at most 100")
    bodies = [json.dumps(request).encode() for request in requests]
    return judge(asyncio.run(_send(target, bodies, wanted)), wanted)


def judge(answers: Answers, wanted: Objective) -> Verdict:
    """The percentiles, and whether the objective is met. A request without a good answer is one that took too long."""
    count = len(answers.ms) + len(answers.lost)
    within = 100 * sum(each <= wanted.ms for each in answers.ms) / max(1, count)
    cuts = statistics.quantiles(answers.ms, n=100, method="inclusive") if len(answers.ms) > 1 else [float("nan")] * 99
    late = statistics.quantiles(answers.late_ms, n=100, method="inclusive")[98] if len(answers.late_ms) > 1 else 0.0
    problem = None
    if within < wanted.percent:
        problem = f"first: {answers.lost[0]}" if answers.lost else f"p99 is {cuts[98]:.1f} ms"
    if late > MAX_LATE_MS:
        problem = f"this machine sends {late:.0f} ms late and cannot make {wanted.rate:g} a second: lower RATE"
    return Verdict(
        count,
        len(answers.lost),
        cuts[49],
        cuts[94],
        cuts[98],
        max(answers.ms, default=float("nan")),
        within,
        problem,
    )
