"""All deployments of an endpoint, as its files want them: new generations start, then take over; old ones drain."""

import asyncio
import logging
from pathlib import Path
from typing import Any

from host.state import read_json
from localml.serving import store
from localml.serving.pool import Group
from localml.serving.replica import Serve

log = logging.getLogger("localml.router")


class Fleet:
    """`groups` serve; `traffic` is in percent."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.keys = store.keys(folder)
        self.groups: dict[str, Group] = {}
        self.traffic: dict[str, int] = {}
        self.states: dict[str, dict[str, Any]] = {}
        self.draining: list[Group] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def apply(self) -> None:
        """Follow the files: traffic at once, servers in the background."""
        self.keys = store.keys(self.folder)
        self.traffic = dict((read_json(self.folder / "endpoint.json") or {}).get("traffic", {}))
        wanted = store.entries_below(self.folder)
        for name in [name for name in self.states if name not in wanted]:
            del self.states[name]
            if name in self.groups:
                self._retire(self.groups.pop(name))
        for name, entry in wanted.items():
            if self.states.get(name, {}).get("generation") != entry["generation"]:
                self.states[name] = {"generation": entry["generation"], "state": "Updating", "error": None}
                log_file = self.folder / "deployments" / name / "server.log"
                self._background(self._roll(Group(name, entry["generation"], Serve.of(entry["serve"]), log_file)))

    async def _roll(self, group: Group) -> None:
        """Start a generation; it takes the place of the old one when it is ready, or goes when it does not get so."""
        try:
            await group.start(lambda: self._is_wanted(group))
        except (RuntimeError, OSError) as error:
            log.warning("%s: not started: %s", group.name, error)
            await group.stop()
            if self._is_wanted(group):
                self.states[group.name].update(state="Failed", error=str(error))
            return
        if not self._is_wanted(group):
            await group.stop()
            return
        old = self.groups.get(group.name)
        self.groups[group.name] = group
        self.states[group.name]["state"] = "Succeeded"
        log.info("%s: serves generation %s", group.name, group.generation)
        if old:
            self._retire(old)

    def _is_wanted(self, group: Group) -> bool:
        return bool(self.states.get(group.name, {}).get("generation") == group.generation)

    def _retire(self, group: Group) -> None:
        self.draining.append(group)
        self._background(self._drain(group))

    async def _drain(self, group: Group) -> None:
        await group.stop()
        self.draining.remove(group)
        log.info("%s: generation %s drained and stopped", group.name, group.generation)

    def _background(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Drain and end everything."""
        self.states.clear()
        for name in list(self.groups):
            self._retire(self.groups.pop(name))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def shown(self) -> dict[str, Any]:
        """What the verbs ask for."""
        return {
            "deployments": {
                name: {**state, "live": self.groups[name].shown() if name in self.groups else None}
                for name, state in self.states.items()
            },
            "draining": [group.name for group in self.draining],
        }
