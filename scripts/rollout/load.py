"""Requests to single deployments of an endpoint, over HTTP as callers send them."""

import asyncio
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

from amlspec.errors import UserError
from rollout.checks import Row, Seen

HEADER = "azureml-model-deployment"
_SECONDS = 30.0


@dataclass(frozen=True)
class Target:
    """An endpoint's address."""

    uri: str
    key: str


def ask(target: Target, deployment: str, request: Row) -> Any:
    """The JSON that one deployment answers. Raises UserError for any other answer."""
    seen: dict[str, Seen] = {deployment: Seen()}
    answer = asyncio.run(_ask(target, deployment, request, seen))
    if seen[deployment].errors:
        raise UserError(f"{deployment} did not answer a golden request: {seen[deployment].errors[0]}", 1)
    return answer


async def _ask(target: Target, deployment: str, request: Row, seen: dict[str, Seen]) -> Any:
    async with _client() as client:
        return await _send(client, target, deployment, json.dumps(request).encode(), seen)


def measure(
    target: Target, deployments: Sequence[str], requests: Sequence[Row], count: int, workers: int
) -> dict[str, Seen]:
    """`count` requests to each deployment, turn by turn so that noise of the machine meets all alike."""
    return asyncio.run(_measure(target, deployments, requests, count, workers))


async def _measure(
    target: Target, deployments: Sequence[str], requests: Sequence[Row], count: int, workers: int
) -> dict[str, Seen]:
    seen = {name: Seen() for name in deployments}
    bodies = itertools.cycle([json.dumps(request).encode() for request in requests])
    jobs = iter([(name, body) for body in itertools.islice(bodies, count) for name in deployments])

    async def work(client: aiohttp.ClientSession) -> None:
        for name, body in jobs:
            await _send(client, target, name, body, seen)

    async with _client() as client:
        await asyncio.gather(*(work(client) for _ in range(workers)))
    return seen


def _client() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_SECONDS), trust_env=True)


async def _send(
    client: aiohttp.ClientSession, target: Target, deployment: str, body: bytes, seen: dict[str, Seen]
) -> Any:
    """One request; its time or its error goes to `seen`."""
    headers = {"Authorization": f"Bearer {target.key}", HEADER: deployment, "Content-Type": "application/json"}
    began, measured = time.perf_counter(), seen[deployment]
    try:
        async with client.post(target.uri, data=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status != 200:
                measured.errors.append(f"{answer.status} {' '.join(text.split())[:200]}")
                return None
            content = json.loads(text)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        measured.errors.append(f"{type(error).__name__} {error}".strip())
        return None
    measured.milliseconds.append((time.perf_counter() - began) * 1000)
    rows = content.get("predictions") if isinstance(content, dict) else None
    for row in rows if isinstance(rows, list) else ():
        measured.rows += 1
        measured.flagged += bool(isinstance(row, dict) and row.get("flags"))
    return content
