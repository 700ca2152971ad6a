"""A direct model as tables that a page can work with: inputs of every series and month, and the booster's trees.

The trees are read from the very ONNX file that serves, so that the page decides as the endpoint does. Arrays are in
base64, little-endian, which is half the size of numbers in text and exact.
"""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demand.direct import DirectForecaster
from demand.served_model import serving_folder

Rows = list[dict[str, Any]]


def model_of(folder: Path, forecaster: DirectForecaster) -> dict[str, Any]:
    """Weights, intervals and trees of a model; `folder` is its own."""
    made_of, serving = forecaster.made_of, serving_folder(folder)
    return {
        "kind": "direct",
        "parts": [
            {
                "weight": part.weight,
                "weightWithPlan": part.weight_with_plan,
                "trees": trees_of(serving / part.file) if part.file else None,
            }
            for part in made_of.parts
        ],
        "low": made_of.intervals.low,
        "high": made_of.intervals.high,
        "offset": made_of.intervals.offset,
    }


def series_of(forecaster: DirectForecaster, rows: Rows) -> dict[str, Any]:
    """What the page needs to forecast one series: `rows` are its months ahead."""
    each = [forecaster.composition(row) for row in rows]
    parts = range(len(forecaster.made_of.parts))
    stacked = [[one.inputs[part] for one in each] for part in parts]
    return {
        "units": [[one.units[part] for one in each] for part in parts],
        "inputs": [None if of_part[0] is None else encoded(np.array(of_part, np.float32)) for of_part in stacked],
        "factors": [[one.factors[part] for one in each] for part in parts],
        "prices": [[_finite(one.prices[part]) for one in each] for part in parts],
        "usual": [one.usual for one in each],
        "scale": each[0].scale,
    }


def trees_of(path: Path) -> dict[str, Any]:
    """The trees of an ONNX file that `forecasting.trees.as_onnx` made; leaves have their value as threshold.

    `first` is the place of each tree's first node; `left` and `right` count from there.
    """
    import onnx  # noqa: PLC0415  importing it takes a second

    loaded = onnx.load(path)
    (node,) = loaded.graph.node
    given = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
    trees = np.array(given["nodes_treeids"])
    first = np.concatenate([[0], np.flatnonzero(np.diff(trees)) + 1])
    leaf = np.array([mode == b"LEAF" for mode in given["nodes_modes"]])
    value = np.array(given["nodes_values"], np.float32)
    value[first[np.array(given["target_treeids"])] + np.array(given["target_nodeids"])] = given["target_weights"]
    base = {each.key: each.value for each in loaded.metadata_props}["base"]
    return {
        "base": float(base),
        "first": encoded(first.astype(np.int32)),
        "feature": encoded(np.where(leaf, -1, given["nodes_featureids"]).astype(np.int16)),
        "value": encoded(value),
        "left": encoded(np.array(given["nodes_truenodeids"], np.int16)),
        "right": encoded(np.array(given["nodes_falsenodeids"], np.int16)),
        "missingLeft": encoded(np.array(given["nodes_missing_value_tracks_true"], np.uint8)),
    }


def encoded(values: npt.NDArray[Any]) -> str:
    """The bytes of an array, little-endian, in base64."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode()


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
