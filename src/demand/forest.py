"""The forest as it serves: ONNX trees and the tables that make their input; no scikit-learn."""

import json
import os
from array import array
from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from demand.encoder import Encoder
from demand.quantiles import mean_p10_p90

FloatArray = npt.NDArray[np.float64]
# (texts, numbers) of one row, as `Encoder.encode` takes them.
Features = tuple[Sequence[str | None], Sequence[float]]
# Rows that are scored at once: a thousand rows of a hundred trees stay in the processor's cache.
CHUNK = 1000


class Forest:
    """Built from a model's folder `endpoint/`; see `forecasting.export`. For one thread: a server has processes."""

    def __init__(self, folder: Path) -> None:
        import onnxruntime  # noqa: PLC0415  slow to import, and not needed by the steps that import this package

        options = onnxruntime.SessionOptions()
        # Threads cost more than they give for one row; a server has a worker per core instead.
        options.intra_op_num_threads = options.inter_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or 1)
        providers = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(folder / "forest.onnx"), options, providers=providers)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.encoder = Encoder(json.loads((folder / "encoder.json").read_text(encoding="utf-8")))
        self._bind_one_row()

    def summary(self, rows: Sequence[Features]) -> list[list[float]]:
        """Mean, P10 and P90 of the trees, in units, for each row."""
        if len(rows) > 1:
            several: list[list[float]] = mean_p10_p90(np.sort(self.trees(rows), axis=1)).tolist()
            return several
        self._one.fill(0.0)
        factor = self.encoder.fill(self._its_row, *rows[0])
        self._session.run_with_iobinding(self._binding)
        self._its_trees.sort(axis=1)
        return [[figure * factor for figure in mean_p10_p90(self._its_trees)[0].tolist()]]

    def trees(self, rows: Sequence[Features]) -> FloatArray:
        """What each tree forecasts, in units, shape (rows, trees)."""
        encoded = [self.encoder.encode(texts, numbers) for texts, numbers in rows]
        if len(encoded) == 1:
            vector, factor = encoded[0]
            return self._run([vector]) * factor
        vectors, factors = [vector for vector, _ in encoded], np.array([factor for _, factor in encoded])
        parts = [self._run(vectors[at : at + CHUNK]) for at in range(0, len(vectors), CHUNK)]
        return np.asarray(np.concatenate(parts) * factors[:, None])

    def _run(self, vectors: list[list[float]]) -> FloatArray:
        flat = array("f", chain.from_iterable(vectors)) if len(vectors) > 1 else array("f", vectors[0])
        encoded = np.frombuffer(flat, dtype=np.float32).reshape(len(vectors), -1)
        trees: npt.NDArray[np.float32] = self._session.run(self._outputs, {"x": encoded})[0]
        return trees.astype(np.float64)

    def _bind_one_row(self) -> None:
        """Room for one row and its trees that every such request uses: half the time of handing arrays over."""
        output = self._session.get_outputs()[0]
        self._one = np.zeros((1, self.encoder.width), np.float32)
        self._its_row: Any = self._one.reshape(-1).data  # Python sets an item of a view faster than one of an array
        self._its_trees = np.zeros((1, output.shape[1]), np.float32)
        self._binding = self._session.io_binding()
        self._binding.bind_input("x", "cpu", 0, np.float32, self._one.shape, self._one.ctypes.data)
        self._binding.bind_output(output.name, "cpu", 0, np.float32, self._its_trees.shape, self._its_trees.ctypes.data)

    def of_frame(self, frame: Any) -> FloatArray:
        """The same for a data frame of features as the scikit-learn model takes it."""
        texts = frame[self.encoder.texts].astype(object)
        texts = texts.where(texts.notna(), None).to_numpy().tolist()
        numbers = frame[self.encoder.numbers].to_numpy(dtype=np.float64).tolist()
        return self.trees(list(zip(texts, numbers, strict=True)))
