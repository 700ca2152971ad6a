"""A gradient-boosted ensemble as ONNX, one output per tree: they are added in double precision, as in training."""

import os
from pathlib import Path

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# Rows that are scored at once: a thousand rows of some hundred trees stay in the processor's cache.
CHUNK = 1000


class Ensemble:
    """Built from the file that `forecasting.boosting.as_onnx` makes. For one thread: a server has processes."""

    def __init__(self, path: Path) -> None:
        import onnxruntime  # noqa: PLC0415  slow to import, and not needed by the steps that import this package

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._base = float(self._session.get_modelmeta().custom_metadata_map["base"])
        self._bind_one()

    def _bind_one(self) -> None:
        """Room for one row and its trees that every such request uses: half the time of handing arrays over."""
        output = self._session.get_outputs()[0]
        self.one = np.zeros((1, self._session.get_inputs()[0].shape[1]), np.float32)
        self._its_trees = np.zeros((1, output.shape[1]), np.float32)
        self._binding = self._session.io_binding()
        for bind, name, room in (
            (self._binding.bind_input, "x", self.one),
            (self._binding.bind_output, output.name, self._its_trees),
        ):
            bind(name, "cpu", 0, np.float32, room.shape, room.ctypes.data)

    def predict_one(self) -> float:
        """Sum of the trees for the row in `one`, shape (1, columns)."""
        self._session.run_with_iobinding(self._binding)
        return float(self._its_trees.sum(axis=1, dtype=np.float64)[0] + self._base)

    def predict(self, x: npt.NDArray[np.float32]) -> FloatArray:
        """Sum of the trees for inputs (rows, columns), shape (rows,)."""
        if len(x) <= CHUNK:
            return self._run(x)
        return np.concatenate([self._run(x[at : at + CHUNK]) for at in range(0, len(x), CHUNK)])

    def _run(self, x: npt.NDArray[np.float32]) -> FloatArray:
        (trees,) = self._session.run(None, {"x": x})
        return np.asarray(trees.sum(axis=1, dtype=np.float64) + self._base)
