"""Small sales for tests: raw rows as Parquet, and months of stores that look like GloboJava's."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

REPO = Path(__file__).parents[1]
CONTRACT = REPO / "ml/data/sales.contract.yml"
MONTHLY_SQL = REPO / "ml/data/monthly_sales.sql"
SHARED_DATA = REPO.parent / "shared/data"
RAW = {
    "SaleID": "varchar",
    "SaleDate": "timestamp",
    "StoreID": "varchar",
    "Country": "varchar",
    "City": "varchar",
    "Category": "varchar",
    "Product": "varchar",
    "Price": "double",
    "Quantity": "double",
    "Weather": "varchar",
    "Promotion": "boolean",
    "Holiday": "boolean",
}


def raw_row(number: int, **values: Any) -> dict[str, Any]:
    """One good sale line; `values` replace what a test is about."""
    row = dict.fromkeys(RAW) | {"SaleID": str(number), "SaleDate": pd.Timestamp("2024-01-31"), "StoreID": "S1"}
    return row | {"Country": "Canada", "Price": 2.5, "Quantity": 3.0, "Promotion": False} | values


def daily_sales(stores: int = 2, first: str = "2023-01-01", last: str = "2024-12-31", seed: int = 0) -> pd.DataFrame:
    """One sale line a store and day, in the contract's columns and types."""
    random = np.random.default_rng(seed)
    days = pd.date_range(first, last)
    rows = []
    for store in range(stores):
        level = 20 * (store + 1)
        for day in days:
            season = 1 + 0.3 * np.cos(2 * np.pi * day.month / 12)
            values = {"SaleDate": day, "StoreID": f"S{store:03d}", "Quantity": float(random.poisson(level * season))}
            rows.append(raw_row(len(rows), **values, Weather=str(random.choice(["Sunny", "Rainy"]))))
    return pd.DataFrame(rows)


def promoted_sales(stores: int = 8) -> pd.DataFrame:
    """2 categories a store, a line a day, 30 months. A promotion of a whole month, planned ahead, doubles its sales."""
    days = pd.date_range("2022-01-01", "2024-06-30")
    rng = np.random.default_rng(7)
    promotion = rng.random((stores, 30)) < 0.4
    rows = [
        {"SaleDate": day, "StoreID": f"S{store}", "Category": category, "Price": 4.0, "Promotion": bool(on),
         "Quantity": round(level * (10 + store) * (2 if on else 1) * rng.uniform(0.98, 1.02), 3)}
        for day in days
        for store, on in enumerate(promotion[:, (day.year - 2022) * 12 + day.month - 1])
        for category, level in (("Coffee", 3.0), ("Food", 1.0))
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(SaleID=range(len(rows)))


def monthly_sales(stores: int = 40, months: int = 36, seed: int = 0, noise: float = 0.05) -> pd.DataFrame:
    """Store-months as the aggregate step writes them: level, trend and season differ, promotions lift."""
    random = np.random.default_rng(seed)
    rows = []
    for store in range(stores):
        level, trend = np.exp(random.normal(8, 0.6)), random.normal(0.004, 0.004)
        swing, shift = random.uniform(0.1, 0.3), random.normal(0, 0.4)
        for month in range(months):
            start = pd.Timestamp(2022, 1, 1) + pd.DateOffset(months=month)
            promotion = bool(random.random() < 0.3)
            log = trend * month + swing * np.cos(2 * np.pi * (month % 12) / 12 + shift) + 0.08 * promotion
            rows.append(
                {
                    "StoreID": f"S{store:03d}",
                    "Category": None,
                    "Product": None,
                    "MonthStart": start.date(),
                    "Country": ("United States", "Canada", "Mexico")[store % 3],
                    "City": f"City {store % 10}",
                    "Price": random.normal(4.5, 0.3),
                    "Weather": str(random.choice(["Sunny", "Rainy", "Snowy"])) if random.random() > 0.1 else None,
                    "Promotion": promotion,
                    "Holiday": bool(random.random() < 0.15),
                    "IsWeekend": 8 / start.days_in_month,
                    "TotalSales": float(round(level * np.exp(log + random.normal(0, noise)))),
                }
            )
    return pd.DataFrame(rows)
