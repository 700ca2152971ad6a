"""What is known of every series at the end of a month: the state from which the direct models forecast.

The direct models (profile, booster, blend) forecast each month ahead from here, without a step over the months between.
Training and serving build their inputs from this class, so that both see the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# What a plan may say of a month to come; columns of the monthly rows.
PLANNED = ("Price", "Promotion", "Holiday")
# Months of recorded prices, promotions and holidays that the inputs look back on.
PLAN_MONTHS = 24


@dataclass(frozen=True)
class Panel:
    """Sales of every series until a month, and what they need to be compared with months to come.

    Attributes:
        keys: one text per series, shape (series,).
        first_month: index (`demand.months`) of the month of `sales[:, 0]`.
        sales: units, shape (series, months), NaN where a series was closed, not yet open, or only partly open.
        weekdays: units sold by weekday, Monday first, until the last month, shape (series, 7); zero where sales are
            too rare to tell weekdays apart.
        days: days with a sale behind `weekdays`, shape (series,).
        plans: each of PLANNED -> what was recorded, shape (series, months), NaN where nothing was.
    """

    keys: npt.NDArray[np.str_]
    first_month: int
    sales: FloatArray
    weekdays: FloatArray
    days: FloatArray
    plans: Mapping[str, FloatArray]

    @property
    def last_month(self) -> int:
        """Index of the last known month."""
        return self.first_month + int(self.sales.shape[1]) - 1

    def until(self, last: int) -> "Panel":
        """The same as if `last` were the last known month; the weekdays' shares stay those of all months."""
        kept = max(1, last - self.first_month + 1)
        plans = {name: values[:, :kept] for name, values in self.plans.items()}
        return replace(self, sales=self.sales[:, :kept], plans=plans)

    def of_series(self, places: npt.NDArray[np.intp]) -> "Panel":
        """Some of the series."""
        plans = {name: values[places] for name, values in self.plans.items()}
        kept = (self.sales[places], self.weekdays[places], self.days[places])
        return Panel(self.keys[places], self.first_month, *kept, plans)

    def with_stranger(self) -> "Panel":
        """The same with one more series, the last, of which nothing is known."""
        n = len(self.keys)
        return (
            Panel(
                np.append(self.keys, ""),
                self.first_month,
                _padded(self.sales, np.nan),
                _padded(self.weekdays, 0.0),
                np.append(self.days, 0.0),
                {name: _padded(values, np.nan) for name, values in self.plans.items()},
            )
            if n
            else self
        )

    def save(self, path: Path) -> None:
        """Write one NumPy archive; equal panels give equal bytes."""
        months = self.sales.shape[1]
        parts: dict[str, Any] = {
            f"plan_{name}": values[:, max(0, months - PLAN_MONTHS) :].astype(np.float32)
            for name, values in self.plans.items()
        }
        with path.open("wb") as stream:
            np.savez_compressed(
                stream,
                keys=self.keys,
                first_month=np.array(self.first_month),
                sales=self.sales,
                weekdays=self.weekdays,
                days=self.days,
                **parts,
            )

    @classmethod
    def load(cls, path: Path) -> "Panel":
        """Read what `save` wrote; of the plans the last PLAN_MONTHS are known."""
        with np.load(path, allow_pickle=False) as parts:
            sales = parts["sales"]
            plans = {}
            for name in PLANNED:
                kept = parts[f"plan_{name}"].astype(np.float64)
                plans[name] = np.full(sales.shape, np.nan)
                plans[name][:, sales.shape[1] - kept.shape[1] :] = kept
            return cls(parts["keys"], int(parts["first_month"]), sales, parts["weekdays"], parts["days"], plans)


def _padded(values: FloatArray, fill: float) -> FloatArray:
    return np.concatenate([values, np.full((1, values.shape[1]), fill)])
