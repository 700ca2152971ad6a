"""What serving needs beside the scikit-learn model, in the model's folder `endpoint/`.

- forest.onnx, encoder.json: a fitted forest, written by the train step.
- parts.json, panel.npz, <part>.onnx: a direct model, written by the steps direct and blend.
- history.npz, sales.contract.yml: what was sold until now and what a request must be, added by the evaluate step.
- ahead.*, everyone.json: what a direct model forecasts the next months from (`demand.ahead`), added by it, too.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from demand import booster_inputs
from demand.direct import DirectForecaster
from demand.direct_model import DirectModel
from demand.ensemble import Ensemble
from demand.errors import StepError
from demand.known import Known
from demand.model import RelativeForest, min_level, tree_predictions
from demand.parts import FILE, PANEL, Intervals, Part, Parts
from demand.served_model import serving_folder
from demand.state import State
from forecasting import boosting
from forecasting.trees import Trees, as_onnx, tree_numbers

FOREST, TABLES, HISTORY, CONTRACT = "forest.onnx", "encoder.json", "history.npz", "sales.contract.yml"
# Leaf values are float32 in ONNX.
MAX_RELATIVE_ERROR = 1e-6
# Series by which an exported booster is held to the fitted one.
EXAMPLES = 2000


def write_model(model: Any, features: list[str], example: pd.DataFrame, folder: Path) -> None:
    """Write forest and tables below the model folder `folder`, and prove on `example` that they forecast as `model`.

    Raises:
        StepError: they do not.
    """
    target = serving_folder(folder)
    target.mkdir(exist_ok=True)
    (target / FOREST).write_bytes(forest_as_onnx(_pipeline(model)["forest"]))
    (target / TABLES).write_text(json.dumps(tables(model, features), ensure_ascii=False, indent=1), encoding="utf-8")
    _prove(model, example, target)


def write_state(state: State, contract: Path, folder: Path) -> None:
    """Add the sales known until now, the contract, and of a direct model the months ahead to the folder `folder`."""
    target = serving_folder(folder)
    target.mkdir(exist_ok=True)
    state.save(target / HISTORY)
    shutil.copy(contract, target / CONTRACT)
    if (target / FILE).is_file():
        months = range(state.last_month + 1, state.last_month + booster_inputs.MAX_HORIZON + 1)
        # With a state that is given, what may lie there from before is not read.
        DirectForecaster(folder, {}, state).ahead(months).write(target)


def write_direct(model: DirectModel, interval: Intervals, folder: Path) -> None:
    """Write parts, panel and boosters below the model folder, and prove on the months to come that the boosters agree.

    Raises:
        StepError: they do not.
    """
    target = serving_folder(folder)
    target.mkdir(exist_ok=True)
    Parts(tuple(part for part, _ in model.parts), interval).write(target)
    model.panel.save(target / PANEL)
    for part, booster in model.parts:
        if part.file:
            (target / part.file).write_bytes(boosting.as_onnx(booster))
            x = _months_ahead(model, part)
            _compare(Ensemble(target / part.file).predict(x), booster.predict(x.astype(np.float64)))


def _months_ahead(model: DirectModel, part: Part) -> npt.NDArray[np.float32]:
    """Inputs of a booster for the half year after the last known month, of some series."""
    known, last = Known(model.panel.of_series(np.arange(min(len(model.panel.keys), EXAMPLES)))), model.panel.last_month
    ahead = range(last + 1, last + booster_inputs.MAX_HORIZON + 1)
    return np.concatenate([booster_inputs.inputs(known, month, str(part.base), part.profile).x for month in ahead])


def _pipeline(model: Any) -> Any:
    return model.pipeline_ if isinstance(model, RelativeForest) else model


def forest_as_onnx(forest: Any) -> bytes:
    """A fitted RandomForestRegressor as ONNX (`forecasting.trees`); its inputs are never unknown."""
    each = [one.tree_ for one in forest.estimators_]
    left = np.concatenate([one.children_left for one in each])
    made = Trees(
        tree_numbers([one.node_count for one in each]),
        np.concatenate([one.feature for one in each]),
        np.concatenate([one.threshold for one in each]),
        left,
        np.concatenate([one.children_right for one in each]),
        np.zeros(len(left), dtype=bool),
        left < 0,
        np.concatenate([one.value[:, 0, 0] for one in each]),
    )
    return as_onnx(made, forest.n_features_in_)


def tables(model: Any, features: list[str]) -> dict[str, Any]:
    """What `Encoder` is built from, as JSON: the fitted transformer of `model` and the level it divides by."""
    columns = _pipeline(model)["columns"]
    unknown = pd.DataFrame({name: [np.nan] for name in features})
    content: dict[str, Any] = {"width": columns.transform(_typed(unknown, columns)).shape[1]}
    content |= {"one_hot": [], "encoded": [], "numbers": [], "level": None}
    relative: set[str] = set()
    if isinstance(model, RelativeForest):
        relative = set(model.relative)
        content["level"] = {"name": model.level, "usual": model.usual_level_, "smallest": min_level(model)}
    for kind, transformer, names in columns.transformers_:
        place = columns.output_indices_[kind].start
        if len(names):
            _ADD[kind](content, transformer, list(names), place, relative)
    return content


def _typed(unknown: pd.DataFrame, columns: Any) -> pd.DataFrame:
    """Texts as objects, so that the imputers take them."""
    texts = [name for kind, _, names in columns.transformers_ if kind in ("one_hot", "target") for name in names]
    return unknown.astype(dict.fromkeys(texts, object))


def _usual(imputer: Any, names: list[str], texts: bool) -> list[Any]:
    """What each missing value becomes."""
    unknown = pd.DataFrame({name: [np.nan] for name in names}, dtype=object if texts else float)
    return list(imputer.transform(unknown)[0])


def _add_one_hot(content: dict[str, Any], fitted: Any, names: list[str], place: int, _: set[str]) -> None:
    imputer, encoder = fitted[0], fitted[1]
    for name, usual, categories in zip(names, _usual(imputer, names, True), encoder.categories_, strict=True):
        at = {str(category): place + number for number, category in enumerate(categories)}
        content["one_hot"].append({"name": name, "columns": at, "missing": at.get(str(usual), -1)})
        place += len(at)


def _add_encoded(content: dict[str, Any], fitted: Any, names: list[str], place: int, _: set[str]) -> None:
    imputer, encoder = fitted[0], fitted[1]
    usual, unseen = _usual(imputer, names, True), float(encoder.target_mean_)
    for number, name in enumerate(names):
        keys, means = encoder.categories_[number], encoder.encodings_[number]
        values = {str(key): float(mean) for key, mean in zip(keys, means, strict=True)}
        entry = {"name": name, "column": place + number, "values": values, "unseen": unseen}
        content["encoded"].append({**entry, "missing": values.get(str(usual[number]), unseen)})


def _add_flags(content: dict[str, Any], fitted: Any, names: list[str], place: int, _: set[str]) -> None:
    for number, (name, usual) in enumerate(zip(names, _usual(fitted, names, False), strict=True)):
        entry = {"name": name, "column": place + number, "missing": float(usual), "mean": 0.0, "scale": 1.0}
        content["numbers"].append({**entry, "relative": False})


def _add_numbers(content: dict[str, Any], fitted: Any, names: list[str], place: int, relative: set[str]) -> None:
    imputer, scaler = fitted[0], fitted[1]
    for number, (name, usual) in enumerate(zip(names, _usual(imputer, names, False), strict=True)):
        entry = {"name": name, "column": place + number, "missing": float(usual), "relative": name in relative}
        content["numbers"].append({**entry, "mean": float(scaler.mean_[number]), "scale": float(scaler.scale_[number])})


_ADD = {"one_hot": _add_one_hot, "target": _add_encoded, "flags": _add_flags, "numbers": _add_numbers}


def _prove(model: Any, example: pd.DataFrame, folder: Path) -> None:
    from demand.forest import Forest  # noqa: PLC0415  onnxruntime is needed here only

    wanted = tree_predictions(model, example).mean(axis=0)
    served = Forest(folder).of_frame(example).mean(axis=1)
    _compare(served, wanted)


def _compare(served: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64]) -> None:
    far = np.abs(served - wanted) > MAX_RELATIVE_ERROR * np.maximum(np.abs(wanted), 1e-9)
    if far.any():
        row = int(np.flatnonzero(far)[0])
        raise StepError(
            f"row {row} of the training rows: ONNX forecasts {served[row]!r}, scikit-learn {wanted[row]!r}; "
            "scikit-learn and onnxruntime must be the pinned versions"
        )
