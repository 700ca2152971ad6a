"""How a rollout goes, as ml/deploy/rollout.yml has it: steps, load, bake and limits."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from amlspec.document import display, read_document
from amlspec.errors import UserError
from rollout.checks import Limits

ENVIRONMENTS = ("local", "dev", "prod")
FILE = "rollout.yml"


@dataclass(frozen=True)
class Policy:
    """Steps in percent, times in seconds.

    Attributes:
        steps: shares of the traffic, from a step without any to all of it.
        pause_seconds: between two steps.
        samples, workers: requests to each deployment at each step, and how many at a time.
        bake_seconds: how long a version with all the traffic is watched, by environment.
        bake_every_seconds: between two looks at it.
        ask_before: steps that wait for a person's word (`make deploy APPROVE=50`), by environment.
        notify_variable: environment variable with the address of a webhook that is told how a rollout ended.
        limits: how much worse than the live version it may be.
    """

    steps: tuple[int, ...] = (0, 10, 50, 100)
    pause_seconds: float = 0.0
    samples: int = 60
    workers: int = 4
    bake_seconds: Mapping[str, float] = field(default_factory=dict)
    bake_every_seconds: float = 1.0
    ask_before: Mapping[str, Sequence[int]] = field(default_factory=dict)
    notify_variable: str = ""
    limits: Limits = field(default_factory=Limits)

    @property
    def bake(self) -> float:
        """Seconds in this environment; none where nothing is said of it."""
        return float(self.bake_seconds.get(os.environ.get("ENV", "local"), 0.0))

    @property
    def asks_before(self) -> frozenset[int]:
        """Steps that wait for a person in this environment."""
        return frozenset(self.ask_before.get(os.environ.get("ENV", "local"), ()))

    @classmethod
    def read(cls, path: Path) -> "Policy":
        """From YAML; the defaults where there is no such file. Raises UserError with file and line of what is wrong."""
        if not path.is_file():
            return cls()
        document = read_document(path)
        for keys, message in problems(document.data):
            raise UserError(f"{document.where(*keys) if keys else display(path)}: {message}")
        given = dict(document.data)
        limits = Limits(**given.pop("limits", {}))
        return cls(**{**given, "steps": tuple(given.get("steps", cls.steps))}, limits=limits)


def problems(content: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """(keys of what is wrong, what is wrong with it) of the parsed YAML."""
    known = [each.name for each in fields(Policy)]
    if not isinstance(content, dict):
        yield (), f"a rollout has {', '.join(known)}"
        return
    for name, value in content.items():
        if name not in known:
            yield (str(name),), f"a rollout has {', '.join(known)} and no {name}"
        else:
            yield from _of_field(str(name), value, content.get("steps", list(Policy.steps)))
    for name in ("samples", "workers"):
        if content.get(name) == 0:
            yield (name,), f"{name} is 0: nothing would be proved"


def _of_field(name: str, value: Any, steps: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    if name == "steps":
        yield from _of_steps(value)
    elif name == "ask_before":
        yield from _of_asks(value, steps)
    elif name in ("limits", "bake_seconds"):
        yield from _of_table(name, value)
    elif name == "notify_variable":
        if not isinstance(value, str) or (value and not value.isidentifier()):
            yield (name,), f"{name} is {value!r}: give the name of an environment variable"
    elif not _is_number(value, whole=name in ("samples", "workers")):
        yield (name,), f"{name} is {value!r}, it must be a number from 0 on"


def _of_steps(value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    good = isinstance(value, list) and all(_is_number(each, whole=True) for each in value)
    if not good or value[:1] != [0] or value[-1:] != [100] or value != sorted(set(value)):
        yield ("steps",), f"steps are {value}: give whole percentages that rise from 0 to 100, such as [0, 10, 50, 100]"


def _of_asks(value: Any, steps: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    if not isinstance(value, dict):
        yield ("ask_before",), f"ask_before has {', '.join(ENVIRONMENTS)}"
        return
    for name, asked in value.items():
        if name not in ENVIRONMENTS:
            yield ("ask_before", str(name)), f"ask_before has {', '.join(ENVIRONMENTS)} and no {name}"
        elif not isinstance(asked, list) or not set(asked) <= set(steps) - {0}:
            yield ("ask_before", str(name)), f"{name} is {asked!r}: give a list of steps after the first, of {steps}"


def _of_table(name: str, value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    known = [each.name for each in fields(Limits)] if name == "limits" else list(ENVIRONMENTS)
    if not isinstance(value, dict):
        yield (name,), f"{name} has {', '.join(known)}"
        return
    for key, number in value.items():
        if key not in known:
            yield (name, str(key)), f"{name} has {', '.join(known)} and no {key}"
        elif not _is_number(number):
            yield (name, str(key)), f"{key} is {number!r}, it must be a number from 0 on"


def _is_number(value: Any, whole: bool = False) -> bool:
    kinds = int if whole else int | float
    return isinstance(value, kinds) and not isinstance(value, bool) and value >= 0
