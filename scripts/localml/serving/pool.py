"""Replicas of a deployment: server processes that are started, watched, restarted, and given requests."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localml.serving.replica import READY, Replica, Serve

log = logging.getLogger("localml.router")
_STARTS = 3


class BusyError(Exception):
    """No replica took the request within the queue's time."""


@dataclass
class Group:
    """All replicas of one generation of a deployment."""

    name: str
    generation: str
    serve: Serve
    log_file: Path
    replicas: list[Replica] = field(default_factory=list)
    pending: int = 0
    counts: dict[str, int] = field(default_factory=lambda: {"requests": 0, "server_errors": 0, "refused": 0})
    _waiting: deque[asyncio.Future[None]] = field(default_factory=deque)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self, is_wanted: Callable[[], bool]) -> None:
        """Start every replica and wait until all are ready. Raises RuntimeError that says why they are not."""
        for number in range(self.serve.replicas):
            replica = Replica(f"{self.name}-{number}", self.serve, self.log_file, self.wake)
            self.replicas.append(replica)
            self._tasks.append(asyncio.create_task(replica.run()))
        deadline = time.monotonic() + self.serve.start_seconds
        while not all(replica.state == READY for replica in self.replicas):
            for replica in self.replicas:
                if replica.failed_starts >= _STARTS:
                    raise RuntimeError(f"the server ended {_STARTS} times before it was ready: {replica.last_error}")
            if not is_wanted():
                raise RuntimeError("given up: another generation is wanted by now")
            if time.monotonic() > deadline:
                reason = next((f": {each.last_error}" for each in self.replicas if each.last_error), "")
                raise RuntimeError(f"the server was not ready within {self.serve.start_seconds:.0f} s{reason}")
            await asyncio.sleep(0.05)

    async def acquire(self) -> Replica:
        """The least loaded ready replica with a free place. Raises BusyError after the queue's time."""
        deadline = time.monotonic() + self.serve.queue_seconds
        while True:
            free = [each for each in self.replicas if each.state == READY and each.in_flight < self.serve.concurrent]
            if free:
                chosen = min(free, key=lambda each: each.in_flight)
                chosen.in_flight += 1
                return chosen
            await self._wait(deadline - time.monotonic())

    async def _wait(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await asyncio.wait_for(waiter, max(seconds, 0))
        except TimeoutError:
            down = [each for each in self.replicas if each.state != READY]
            reason = f"{len(down)} of {len(self.replicas)} replicas are down" if down else "every replica is busy"
            raise BusyError(f"{self.name}: {reason}") from None
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def release(self, replica: Replica) -> None:
        """Give a place back."""
        replica.in_flight -= 1
        self._wake_one()

    def wake(self) -> None:
        """A replica became ready: whoever waits looks again."""
        for _ in range(len(self._waiting)):
            self._wake_one()

    def _wake_one(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    async def stop(self) -> None:
        """Drain, then end every replica."""
        deadline = time.monotonic() + self.serve.timeout_seconds + self.serve.queue_seconds
        while self.pending and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        if self.pending:
            log.warning("%s: %d requests did not end in time and are cut off", self.name, self.pending)
        await asyncio.gather(*(replica.stop() for replica in self.replicas))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def shown(self) -> dict[str, Any]:
        """State as `show` tells it."""
        ready = sum(replica.state == READY for replica in self.replicas)
        state = "Healthy" if ready == self.serve.replicas else "Degraded" if ready else "Down"
        return {"state": state, "replicas": [replica.shown() for replica in self.replicas], **self.counts}
