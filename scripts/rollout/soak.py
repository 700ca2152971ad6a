"""python -m rollout.soak: callers without a pause, two rollouts and one that fails. No request may be lost.

The local engine only: it reads the servers' memory. Versions and specs are as `python -m rollout` takes them.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from amlspec.errors import UserError
from host.state import home, write_json
from pipeline import azml
from rollout.checks import read_requests
from rollout.site import Site

# When each rollout begins, as a fraction of the soak, which version it brings, and its exit code.
_BEGINS = (0.05, 0.35, 0.65)
_MB = 1 << 20


@dataclass
class Seen:
    """What the callers and the sampler noted."""

    milliseconds: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    memory: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    rollouts: list[dict[str, Any]] = field(default_factory=list)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m rollout.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--good", nargs=2, required=True, metavar="VERSION", help="rolled out first and last")
    parser.add_argument("--bad", required=True, metavar="VERSION", help="rolled out between them, and taken back")
    parser.add_argument("--rate", type=float, default=50.0, help="requests a second, in all")
    parser.add_argument("--callers", type=int, default=4, help="requests at a time")
    parser.add_argument("--endpoint", type=Path, default=Path("ml/deploy/endpoint.yml"))
    parser.add_argument("--deployment", type=Path, default=Path("ml/deploy/deployment.yml"))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Soak; exit code 1 where a request was lost, a rollout ended unexpectedly, or memory grew."""
    args = build_parser().parse_args(argv)
    os.environ.pop("LOCALML_STRICT", None)  # it looks at the servers' processes, which only this engine names
    try:
        return asyncio.run(_soak(args))
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


async def _soak(args: argparse.Namespace) -> int:
    site, seen = Site(args.endpoint, args.deployment), Seen()
    state = site.read()
    if state is None or state.stable is None:
        raise UserError(f"endpoint {site.name} serves nothing yet: `make deploy` first")
    uri, key = site.address()
    body = json.dumps(read_requests([args.deployment.with_name("sample-request.json")])[0]).encode()
    began = time.monotonic()
    end = began + args.minutes * 60
    limit = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(timeout=limit, headers={"Authorization": f"Bearer {key}"}) as client:
        pause = args.callers / args.rate
        callers = [_call(client, uri, body, pause, end, seen) for _ in range(args.callers)]
        await asyncio.gather(*callers, _sample(site.name, end, seen), _roll(args, began, seen))
    return _report(args, seen)


async def _call(client: aiohttp.ClientSession, uri: str, body: bytes, pause: float, end: float, seen: Seen) -> None:
    """One caller at a steady pace."""
    headers = {"Content-Type": "application/json"}
    while (now := time.monotonic()) < end:
        try:
            async with client.post(uri, data=body, headers=headers) as answer:
                text = await answer.text()
                if answer.status == 200:
                    seen.versions[str(json.loads(text)["model"]["version"])] += 1
                    seen.milliseconds.append((time.monotonic() - now) * 1000)
                else:
                    seen.lost.append(f"{answer.status} {text[:200]}")
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            seen.lost.append(f"{type(error).__name__} {error}")
        await asyncio.sleep(max(0.0, now + pause - time.monotonic()))


async def _roll(args: argparse.Namespace, began: float, seen: Seen) -> None:
    versions = ((args.good[0], 0), (args.bad, 1), (args.good[1], 0))
    for begins, (version, code) in zip(_BEGINS, versions, strict=True):
        await asyncio.sleep(max(0.0, began + begins * args.minutes * 60 - time.monotonic()))
        command = [sys.executable, "-m", "rollout", "deploy", "--model-version", version, "--samples", "40"]
        specs = ["--endpoint", str(args.endpoint), "--deployment", str(args.deployment)]
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(*command, *specs, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
        out, _ = await child.communicate()
        last = (out.decode().strip().splitlines() or ["it said nothing"])[-1]
        at = round(time.monotonic() - began, 1)
        seen.rollouts.append(
            {"version": version, "code": child.returncode, "expected": code, "ended": at, "said": last}
        )


async def _sample(endpoint: str, end: float, seen: Seen) -> None:
    """Memory of every worker, in MB, every few seconds."""
    while time.monotonic() < end:
        listed = await asyncio.to_thread(azml.call, "online-deployment", "list", endpoint_name=endpoint)
        for replica in (each for deployment in listed for each in deployment["local"]["replicas"]):
            for pid, megabytes in _workers(replica["pid"]):
                seen.memory[pid].append(megabytes)
        await asyncio.sleep(min(2.0, max(0.1, end - time.monotonic())))


def _workers(pid: int) -> list[tuple[int, float]]:
    try:
        return [(each.pid, each.memory_info().rss / _MB) for each in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def growth(samples: list[float]) -> float:
    """MB by which a worker grew between the second tenth and the last: what it loads with its first requests is not
    growth. Zero for a worker that did not live long enough to tell."""
    tenth = len(samples) // 10
    if tenth < 2:
        return 0.0
    return statistics.median(samples[-tenth:]) - statistics.median(samples[tenth : 2 * tenth])


def _report(args: argparse.Namespace, seen: Seen) -> int:
    """Write the result and say what is wrong with it."""
    grown = max((growth(samples) for samples in seen.memory.values()), default=0.0)
    most = max((max(samples) for samples in seen.memory.values()), default=0.0)
    cuts = statistics.quantiles(seen.milliseconds, n=100) if len(seen.milliseconds) > 1 else [0.0] * 99
    result = {
        "minutes": args.minutes,
        "requests": len(seen.milliseconds) + len(seen.lost),
        "lost": len(seen.lost),
        "first_lost": seen.lost[:3],
        "p50_ms": round(cuts[49], 1),
        "p95_ms": round(cuts[94], 1),
        "p99_ms": round(cuts[98], 1),
        "by_version": dict(seen.versions),
        "worker_mb": round(most, 1),
        "worker_growth_mb": round(grown, 1),
        "rollouts": seen.rollouts,
    }
    write_json(home() / "soak.json", result)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    problems = [f"{len(seen.lost)} requests were lost"] if seen.lost else []
    wrong = [each for each in seen.rollouts if each["code"] != each["expected"]]
    problems += [
        f"the rollout of version {each['version']} ended with {each['code']}: {each['said']}" for each in wrong
    ]
    problems += [f"a worker grew by {grown:.1f} MB"] if grown > max(5.0, most * 0.05) else []
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
