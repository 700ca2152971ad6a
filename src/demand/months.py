"""Calendar months as whole numbers, year * 12 + month - 1, and what the calendar says of one."""

import calendar
import re
from functools import lru_cache

# Northern hemisphere, by month.
SEASONS = (
    *("Winter", "Winter", "Spring", "Spring", "Spring", "Summer", "Summer", "Summer"),
    *("Autumn", "Autumn", "Autumn", "Winter"),
)
_MONTH_NAME = re.compile(r"(\d{4})-(0[1-9]|1[0-2])", re.ASCII)


@lru_cache(maxsize=4096)
def month_name(index: int) -> str:
    """'2024-02' for the index of February 2024."""
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


def month_of(name: str) -> int | None:
    """Index of '2024-02'; None for any other form."""
    match = _MONTH_NAME.fullmatch(name)
    return int(match[1]) * 12 + int(match[2]) - 1 if match else None


def season(index: int) -> str:
    """Season of a month in the northern hemisphere."""
    return SEASONS[index % 12]


@lru_cache(maxsize=4096)
def weekend_share(index: int) -> float:
    """Saturdays and Sundays over days of the month, as ml/data/monthly_sales.sql has it."""
    first, days = calendar.monthrange(index // 12, index % 12 + 1)
    return sum((first + day) % 7 >= 5 for day in range(days)) / days
