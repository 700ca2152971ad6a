"""What a direct model is made of, as its file endpoint/parts.json says it: parts, their weights, its intervals."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demand.profile import Profile

FILE, PANEL = "parts.json", "panel.npz"
FloatArray = npt.NDArray[np.float64]
# First horizon of each bucket that has an interval of its own.
BUCKETS = (1, 2, 4)


@dataclass(frozen=True)
class Part:
    """One forecast of several.

    Attributes:
        name: what the candidate is called.
        profile: settings of the profile; a booster needs them for its input.
        base: what a booster's output is multiplied by (`demand.booster_inputs.BASES`); None for the profile itself.
        file: the booster's ONNX file beside parts.json; None for the profile itself.
        weight, weight_with_plan: weights in the forecast of a month without and with a plan; each adds up to 1.
    """

    name: str
    profile: Profile
    base: str | None = None
    file: str | None = None
    weight: float = 1.0
    weight_with_plan: float = 1.0


@dataclass(frozen=True)
class Intervals:
    """How far sales lie from the forecast, as logarithms of their ratio, for each of BUCKETS.

    P10 is exp(low x the series' scale) x forecast, where forecast and sales are both raised by `offset` x the series'
    level, so that zero has a logarithm.
    """

    low: tuple[float, ...] = (0.0, 0.0, 0.0)
    high: tuple[float, ...] = (0.0, 0.0, 0.0)
    offset: float = 0.02
    scales: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, noted: Mapping[str, Any]) -> "Intervals":
        """From the JSON."""
        return cls(**{**noted, **{name: tuple(noted[name]) for name in ("low", "high")}})

    def bounds(self, forecast: float, usual: float, horizon: int, scale: float) -> tuple[float, float]:
        """(P10, P90) in units of one forecast; `usual` is the series' level in units a month."""
        bucket = 2 if horizon >= BUCKETS[2] else 1 if horizon >= BUCKETS[1] else 0
        raised = max(forecast, 0.0) + self.offset * usual
        low, high = (
            float(raised * np.exp(bound[bucket] * scale) - self.offset * usual) for bound in (self.low, self.high)
        )
        return min(low, forecast), max(high, forecast)

    def bounds_of(
        self, forecasts: FloatArray, usual: FloatArray, horizon: int, scales: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """The same of many forecasts, each of shape (rows,)."""
        bucket = 2 if horizon >= BUCKETS[2] else 1 if horizon >= BUCKETS[1] else 0
        raised = np.maximum(forecasts, 0.0) + self.offset * usual
        low, high = (raised * np.exp(bound[bucket] * scales) - self.offset * usual for bound in (self.low, self.high))
        return np.minimum(low, forecasts), np.maximum(high, forecasts)


@dataclass(frozen=True)
class Parts:
    """The parts of a model in their order, and its intervals."""

    parts: tuple[Part, ...]
    intervals: Intervals = field(default_factory=Intervals)

    def write(self, folder: Path) -> None:
        """Write parts.json."""
        text = json.dumps(asdict(self), ensure_ascii=False, indent=1, sort_keys=True)
        (folder / FILE).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Parts":
        """Read what `write` wrote."""
        return cls.of(json.loads((folder / FILE).read_text(encoding="utf-8")))

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> "Parts":
        """From the JSON."""
        parts = tuple(Part(**{**each, "profile": Profile(**each["profile"])}) for each in content["parts"])
        return cls(parts, Intervals.of(content["intervals"]))
