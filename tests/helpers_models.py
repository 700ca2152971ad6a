"""Small models as the registry has them."""

from pathlib import Path

import numpy as np
import pandas as pd

from demand.months import month_name
from demand.panel import WEEKDAYS
from forecasting import blend, candidates, direct, export, packing
from forecasting.boosting import BoosterSettings
from forecasting.features import model_frame, state_of
from forecasting.forests import Settings
from forecasting.prepare import add_features
from forecasting.recipes import DirectRecipe
from forecasting.rolling import Rolling, backtest
from forecasting.train import fit_with_interval
from helpers_sales import CONTRACT, monthly_sales
from planning.explorer.page import Batch, Everything

MONTHS = 26
SHORT = Rolling(origins=3, warm_up=0)


def monthly() -> pd.DataFrame:
    """Store-months with weekdays, a closed month, a store without prices, and months without a plan."""
    random = np.random.default_rng(3)
    rows = add_features(monthly_sales(stores=14, months=MONTHS))
    share = random.dirichlet(np.full(7, 20.0), len(rows)) * rows["TotalSales"].to_numpy()[:, None]
    rows[list(WEEKDAYS)], rows["SaleDays"] = share, 30
    rows.loc[rows["StoreID"] == "S003", "Price"] = np.nan
    rows.loc[random.random(len(rows)) < 0.2, "Promotion"] = np.nan
    return rows[(rows["StoreID"] != "S005") | (rows["MonthYear"] != "2023-12")].reset_index(drop=True)


def direct_models(root: Path) -> pd.DataFrame:
    """Folders `profile`, `booster` and `blend` below `root`; the rows that they learned from."""
    rows = monthly()
    for name, settings in (("profile", None), ("booster", BoosterSettings(max_iter=40, min_samples_leaf=10))):
        recipe = DirectRecipe(name, settings)
        table = candidates.keyed(backtest(recipe, rows, SHORT))
        (root / name).mkdir()
        metadata = {"candidate": name, "recipe": recipe.settings()}
        direct.write(recipe.fit(rows).model, rows, metadata, table, root / name)
    parts = {name: candidates.load(root / name) for name in ("profile", "booster")}
    (root / "blend").mkdir()
    direct.write(
        blend.blended(parts), rows, {"candidate": "blend", "recipe": {}}, parts["booster"].table, root / "blend"
    )
    for name in ("profile", "booster", "blend"):
        export.write_state(state_of(rows), CONTRACT, root / name)
    return rows


def forest_model(folder: Path, name: str = "history") -> pd.DataFrame:
    """A forest in `folder`; the rows that it learned from."""
    rows = add_features(monthly_sales(stores=8, months=24))
    packed, _ = fit_with_interval(Settings(name, name, n_estimators=20), rows, Rolling(3))
    example = model_frame(rows.tail(5), packed.features)
    packing.save(packed.model, example, packed.metadata, folder)
    export.write_model(packed.model, packed.features, example, folder)
    export.write_state(state_of(rows), CONTRACT, folder)
    return rows


def everything_of(batch: Batch) -> Everything:
    """The sums of all series, where the page has all of them."""
    rows = [(month_name(row["Month"]), each.sales) for row, each in zip(batch.rows, batch.forecasts, strict=True)]
    table = pd.DataFrame(rows, columns=["MonthYear", "TotalSales"]).assign(Country=batch.countries)
    return Everything.of(table, batch.horizon)
