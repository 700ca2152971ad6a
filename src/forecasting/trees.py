"""Trees of a fitted ensemble as arrays, and as ONNX with an output per tree.

A converter makes one output of all trees: too little for an interval, and its sum is in single precision.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
OPSETS = (("", 21), ("ai.onnx.ml", 3))
IR_VERSION = 10


class Trees(NamedTuple):
    """Nodes of all trees one after the other, each array of shape (nodes,); of leaves only the value counts.

    A row goes left where its `feature` is at most `threshold`, and where it is unknown and `missing_left` says so.
    """

    tree: IntArray
    feature: IntArray
    threshold: FloatArray
    left: IntArray
    right: IntArray
    missing_left: npt.NDArray[np.bool_]
    is_leaf: npt.NDArray[np.bool_]
    value: FloatArray


def tree_numbers(counts: list[int]) -> IntArray:
    """The tree of each node, from how many nodes each tree has."""
    return np.repeat(np.arange(len(counts)), counts)


def as_onnx(trees: Trees, features: int, properties: Mapping[str, str] | None = None) -> bytes:
    """One TreeEnsembleRegressor, input `x` (rows, features) and output `trees` (rows, trees), both float32.

    Thresholds become the nearest float32 below: for inputs in float32 that splits exactly as the double threshold.
    """
    from onnx import TensorProto, helper  # noqa: PLC0415  importing it takes a second

    count = int(trees.tree[-1]) + 1
    node = helper.make_node("TreeEnsembleRegressor", ["x"], ["trees"], domain="ai.onnx.ml", n_targets=count)
    # One list at a time: of a large forest each takes more memory than all arrays together.
    for name, values in sorted(_attributes(trees).items()):
        node.attribute.append(helper.make_attribute(name, values.tolist()))
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, features])
    y = helper.make_tensor_value_info("trees", TensorProto.FLOAT, [None, count])
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS]
    graph = helper.make_graph([node], "ensemble", [x], [y])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    helper.set_model_props(model, dict(properties or {}))
    return bytes(model.SerializeToString(deterministic=True))


def _attributes(trees: Trees) -> dict[str, npt.NDArray[Any]]:
    """Attributes of the operator (ONNX documentation, ai.onnx.ml, TreeEnsembleRegressor)."""
    leaf, tree = trees.is_leaf, trees.tree
    first = np.concatenate([[0], np.flatnonzero(np.diff(tree)) + 1])
    number = np.arange(len(tree)) - first[tree]
    return {
        "nodes_treeids": tree,
        "nodes_nodeids": number,
        "nodes_featureids": np.where(leaf, 0, trees.feature),
        "nodes_values": np.where(leaf, np.float32(0), _float32_below(trees.threshold)),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ"),
        "nodes_truenodeids": np.where(leaf, 0, trees.left),
        "nodes_falsenodeids": np.where(leaf, 0, trees.right),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, trees.missing_left).astype(np.int64),
        "target_treeids": tree[leaf],
        "target_nodeids": number[leaf],
        "target_ids": tree[leaf],
        "target_weights": trees.value[leaf].astype(np.float32),
    }


def _float32_below(values: FloatArray) -> npt.NDArray[np.float32]:
    """The largest float32 that is not above each value."""
    near = values.astype(np.float32)
    return np.where(near > values, np.nextafter(near, np.float32(-np.inf)), near)
