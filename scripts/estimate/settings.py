"""ml/estimate.yml: how long each component takes on a known machine, and what machines and energy cost."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from amlspec.errors import UserError

FILE = "ml/estimate.yml"
# Text of a file of the repo, at whatever commit is looked at; None where it is not.
Read = Callable[[str], str | None]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sampled(_Model):
    """What is learned from a sample takes `seconds` from `at` series-months on, and less in proportion below; it grows
    with each input of `times`, whose usual value stands beside it."""

    seconds: float = Field(ge=0)
    at: int = Field(gt=0)
    times: Mapping[str, float] = Field(default_factory=dict)

    def of(self, series_months: int, inputs: Mapping[str, Any]) -> float:
        """Seconds at a size."""
        factor = min(series_months / self.at, 1.0)
        for name, usual in self.times.items():
            given = inputs.get(name)
            factor *= float(given) / usual if isinstance(given, int | float) else 1.0
        return self.seconds * factor


class Shape(_Model):
    """Seconds of a component: some that are fixed, some for each million of rows and of series-months, a sample's.

    Beyond `max_series_months`, where prepare hands on a sample of the series, it takes no longer.
    """

    fixed: float = Field(ge=0)
    per_million_rows: float = Field(default=0.0, ge=0)
    per_million_series_months: float = Field(default=0.0, ge=0)
    sampled: Sampled | None = None
    max_series_months: float = Field(default=math.inf, gt=0)

    def seconds(self, size: "Size", inputs: Mapping[str, Any]) -> float:
        """On the machine of the file."""
        learned = min(size.series_months, self.max_series_months)
        linear = self.per_million_rows * size.rows + self.per_million_series_months * learned
        return self.fixed + linear / 1e6 + (self.sampled.of(size.series_months, inputs) if self.sampled else 0.0)

    def scaled(self, ratio: float) -> "Shape":
        """The same on a machine that takes `ratio` times as long."""
        sampled = self.sampled and self.sampled.model_copy(update={"seconds": self.sampled.seconds * ratio})
        names = ("fixed", "per_million_rows", "per_million_series_months")
        return self.model_copy(update={"sampled": sampled, **{name: getattr(self, name) * ratio for name in names}})


class Machine(_Model):
    """A size of virtual machine; `speed` is that of a core against the machine of the file."""

    per_hour: float = Field(ge=0)
    speed: float = Field(default=1.0, gt=0)


class Waiting(_Model):
    """Seconds that a node costs beside its work: until it has started, and idle before it ends."""

    start_seconds: float = Field(ge=0)
    idle_seconds: float = Field(ge=0)


class Energy(_Model):
    """Watts of a busy core, the data centre's overhead, and kg CO2 of a kWh."""

    watts_per_core: float = Field(ge=0)
    overhead: float = Field(ge=1)
    kg_co2_per_kwh: float = Field(ge=0)

    def kg(self, core_seconds: float) -> float:
        """kg CO2 of so many busy core seconds."""
        return core_seconds * self.watts_per_core * self.overhead / 3.6e6 * self.kg_co2_per_kwh


class Usual(_Model):
    """The size that a change is priced at, and where."""

    rows: int = Field(gt=0)
    series_months: int = Field(gt=0)
    machine: str
    nodes: int = Field(ge=1)


class Settings(_Model):
    """The file."""

    measured: str
    prices_of: str
    usual: Usual
    components: Mapping[str, Shape]
    machines: Mapping[str, Machine]
    waiting: Waiting
    energy: Energy

    def name_of(self, node: "Node") -> str | None:
        """Under which of `components` a node's seconds stand; None where they are unknown."""
        return next((name for name in node.shapes if name in self.components), None)

    def machine(self, name: str) -> Machine:
        """Raises UserError for a machine without a price."""
        if name not in self.machines:
            raise UserError(f"{FILE}: no price of {name}: it has {', '.join(self.machines)}; add it there")
        return self.machines[name]


@dataclass(frozen=True)
class Size:
    """Raw rows, and monthly rows of all series."""

    rows: int
    series_months: int


@dataclass(frozen=True)
class Node:
    """One node of a pipeline: its component's name, its literal inputs, and the nodes that it waits for."""

    name: str
    component: str
    inputs: Mapping[str, Any]
    after: frozenset[str] = field(default=frozenset())

    @property
    def shapes(self) -> tuple[str, str]:
        """Names under which ml/estimate.yml may have its seconds, the narrower first: a component of several kinds."""
        kind = self.inputs.get("kind") or self.inputs.get("features")
        return f"{self.component}.{kind}", self.component


def of_folder(folder: Path = Path()) -> Read:
    """Read from a folder."""

    def read(path: str) -> str | None:
        file = folder / path
        return file.read_text(encoding="utf-8") if file.is_file() else None

    return read


def load(read: Read) -> Settings | None:
    """The file; None where there is none.

    Raises:
        UserError: it is not as it must be.
    """
    text = read(FILE)
    if text is None:
        return None
    try:
        return Settings.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        place = ".".join(map(str, first["loc"]))
        raise UserError(f"{FILE}: {place}: {' '.join(str(first['msg']).split())}") from None
