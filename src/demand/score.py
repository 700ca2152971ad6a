"""Scoring script of the endpoint: months to forecast in, forecasts with their interval out."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from demand.features import model_frame, season
from demand.intervals import interval
from demand.packing import PICKLE

_loaded: dict[str, Any] = {}


def init() -> None:
    """Load the model of AZUREML_MODEL_DIR, <...>/<name>/<version>/<folder>."""
    root = Path(os.environ["AZUREML_MODEL_DIR"])
    folder = next(root.glob("*/MLmodel")).parent
    _loaded["model"] = pickle.loads((folder / PICKLE).read_bytes())  # noqa: S301 - our own registered model
    _loaded["metadata"] = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))["metadata"]
    _loaded["about"] = {"name": root.parent.name, "version": root.name}


def run(raw_data: str) -> dict[str, Any]:
    """Answer {"input_data": [{"StoreID", "MonthYear", ...}]}."""
    rows = pd.DataFrame(json.loads(raw_data)["input_data"])
    rows["Season"] = [season(int(month[5:7])) for month in rows["MonthYear"]]
    frame = model_frame(rows, _loaded["metadata"]["features"])
    sales = np.asarray(_loaded["model"].predict(frame), dtype=np.float64)
    low, high = interval(_loaded["model"], frame, _loaded["metadata"]["interval"])
    columns = zip(rows["StoreID"], rows["MonthYear"], sales, low, high, strict=True)
    names = ("StoreID", "MonthYear", "TotalSales", "P10", "P90")
    return {"predictions": [dict(zip(names, each, strict=True)) for each in columns], "model": _loaded["about"]}
