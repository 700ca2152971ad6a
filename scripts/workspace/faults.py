"""Faults by rule, for tests of clients: what a network and a service do wrong, at the k-th call that a rule is for.

Rules are LOCALML_HOME/workspace/faults.json, a list; each is counted from the time that the file was written:

    {"method": "PUT", "path": "/jobs/[^/]+$", "at": 2, "status": 503}        refused, nothing was done
    {"method": "PUT", "path": "/jobs/", "status": 503, "after": true}        done, and yet answered so
    {"path": "/onlineEndpoints", "cut": true, "after": true}                 done, and the connection is cut
    {"path": "/store", "method": "PUT", "cut": true}                         cut in the middle of an upload
    {"path": "/history/", "seconds": 2, "at": null}                          slow, every time

A call that is slow is noted in LOCALML_HOME/workspace/held.json while it waits, so that a test can end its caller then.
`path` is a regular expression that is looked for in the path; `at` counts from 1, and null is every call.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from host.state import read_json
from workspace.messages import Answer, ServiceError


@dataclass(frozen=True)
class Rule:
    """One fault."""

    path: str
    method: str | None = None
    at: int | None = 1
    status: int | None = None
    after: bool = False
    cut: bool = False
    seconds: float = 0.0

    def is_for(self, method: str, path: str) -> bool:
        """Whether a call is one that the rule counts."""
        return (self.method is None or self.method == method) and re.search(self.path, path) is not None

    @property
    def is_fault(self) -> bool:
        """Whether something else than the answer comes back; a rule may only make the server slow."""
        return self.cut or self.status is not None

    def answer(self) -> Answer | None:
        """What a client gets in the place of the answer; None where the connection is cut."""
        if self.cut or self.status is None:
            return None
        return ServiceError(self.status, "InjectedFault", f"A fault of the rule for {self.path}.").answer()


class Faults:
    """The rules of a workspace, and how often each has been met."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.changed: int | None = None
        self.rules: list[Rule] = []
        self.met: list[int] = []

    def of(self, method: str, path: str) -> Rule | None:
        """The fault of this call, which is counted."""
        self._refresh()
        for index, rule in enumerate(self.rules):
            if rule.is_for(method, path):
                self.met[index] += 1
                if rule.at in (None, self.met[index]):
                    return rule
        return None

    def _refresh(self) -> None:
        try:
            changed = self.path.stat().st_mtime_ns
        except FileNotFoundError:
            changed = None
        if changed == self.changed:
            return
        given: list[dict[str, Any]] = (read_json(self.path) if changed else None) or []
        self.changed, self.rules = changed, [Rule(**each) for each in given]
        self.met = [0] * len(self.rules)
