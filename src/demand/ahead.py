"""What a direct model forecasts the next months from, worked out once and mapped from files by every server.

Beside parts.json lie ahead.json, everyone.json (`demand.everyone`) and one ahead.<name>.npy for each array below.
Workers map them, so that they share one copy in memory, read what is asked for, and start without working anything out.
"""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demand.everyone import Everyone
from demand.panel import PLAN_MONTHS, PLANNED, Panel
from demand.state import State

FloatArray = npt.NDArray[np.float64]
SmallFloat = npt.NDArray[np.float32]
FILE = "ahead.json"


@dataclass(frozen=True)
class Arrays:
    """n series, m known months, h months ahead; series n, the last, is one that is not known.

    Attributes:
        keys: one text per series, shape (n,), sorted.
        sales: units, shape (n, m), NaN where nothing is recorded.
        country, city, last_price: last known ones, shape (n,), as in `demand.state.State`.
        weekdays, days: as in `demand.panel.Panel`, shapes (n, 7) and (n,).
        plans: of the last months, shape (PLANNED, n, up to PLAN_MONTHS).
        x: inputs of the boosters (`demand.booster_inputs`), shape (boosters, h, n + 1, COLUMNS).
        factor: what a booster's output is multiplied by, in units, shape (boosters, h, n + 1).
        units: forecasts of the parts without a plan, shape (parts, h, n + 1).
        price: what a planned price is divided by, shape (n + 1,), NaN where a series has none.
        level: sales per trading day, shape (n + 1,).
        scales: of the intervals, shape (n + 1,).
    """

    keys: npt.NDArray[np.str_]
    sales: FloatArray
    country: npt.NDArray[np.str_]
    city: npt.NDArray[np.str_]
    last_price: FloatArray
    weekdays: FloatArray
    days: FloatArray
    plans: SmallFloat
    x: SmallFloat
    factor: FloatArray
    units: FloatArray
    price: FloatArray
    level: FloatArray
    scales: FloatArray


@dataclass(frozen=True)
class Ahead:
    """The arrays, whose they are, and which months ahead they have."""

    key_columns: tuple[str, ...]
    months: range
    everyone: Everyone
    arrays: Arrays

    @property
    def state(self) -> State:
        """What is known of every series."""
        arrays = self.arrays
        texts, numbers = {"Country": arrays.country, "City": arrays.city}, {"Price": arrays.last_price}
        return State(self.key_columns, arrays.keys, self.everyone.first_month, arrays.sales, texts, numbers)

    def panel(self, places: npt.NDArray[np.intp]) -> Panel:
        """Of some series (indices, sorted; the last, n, is the stranger)."""
        arrays = self.arrays
        if places.tolist() == [len(arrays.keys)]:  # a panel has a series at least
            return self.panel(np.array([0, *places])).of_series(np.array([1]))
        known = places[places < len(arrays.keys)]
        sales = arrays.sales[known]
        plans = {}
        for name, kept in zip(PLANNED, arrays.plans, strict=True):
            plans[name] = np.full(sales.shape, np.nan)
            plans[name][:, sales.shape[1] - kept.shape[1] :] = kept[known]
        first = self.everyone.first_month
        some = Panel(arrays.keys[known], first, sales, arrays.weekdays[known], arrays.days[known], plans)
        return some if len(known) == len(places) else some.with_stranger()

    def write(self, folder: Path) -> None:
        """Write the files."""
        content = {"key_columns": self.key_columns, "first": self.months.start, "months": len(self.months)}
        content["parts"] = len(self.arrays.units)
        (folder / FILE).write_text(json.dumps(content) + "\n", encoding="utf-8")
        self.everyone.write(folder)
        for field in fields(Arrays):
            np.save(folder / f"ahead.{field.name}.npy", getattr(self.arrays, field.name), allow_pickle=False)

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether there are such files; the first of them had no forecasts of boosters, and are worked out anew."""
        file = folder / FILE
        return file.is_file() and "parts" in json.loads(file.read_text(encoding="utf-8"))

    @classmethod
    def read(cls, folder: Path) -> "Ahead":
        """Map what `write` wrote."""
        content = json.loads((folder / FILE).read_text(encoding="utf-8"))
        months = range(content["first"], content["first"] + content["months"])
        arrays = Arrays(**{field.name: _mapped(folder / f"ahead.{field.name}.npy") for field in fields(Arrays)})
        return cls(tuple(content["key_columns"]), months, Everyone.read(folder), arrays)


def _mapped(path: Path) -> npt.NDArray[Any]:
    # A plain array on the mapped memory: an item of a memmap takes ten times as long.
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except OSError:  # not every mount lets its files be mapped
        return np.asarray(np.load(path, allow_pickle=False))


def kept_plans(panel: Panel) -> SmallFloat:
    """The last PLAN_MONTHS of what was recorded, shape (PLANNED, n, months)."""
    return np.stack([panel.plans[name][:, -PLAN_MONTHS:].astype(np.float32) for name in PLANNED])
