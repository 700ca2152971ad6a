"""What was sold until now, packed with a model: the history features of months to come are made from it.

A series is a store (plus Category or Product at a finer grain). Months are counted as year * 12 + month - 1.
"""

import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
# What a request may leave out, since a store keeps it from month to month.
KEPT_TEXTS, KEPT_NUMBERS = ("Country", "City"), ("Price",)
SEPARATOR = "\x1f"
# Of a file's header in a ZIP archive (APPNOTE.TXT 4.3.7): its size, and where the lengths of name and extra stand.
_LOCAL_HEADER, _NAME_LENGTH = 30, 26


@dataclass(frozen=True)
class State:
    """Sales and last known attributes of every series.

    Attributes:
        key_columns: StoreID and what the grain adds.
        keys: one text per series.
        first_month: index of the month of `sales[:, 0]`.
        sales: units, shape (series, months), NaN where nothing is recorded.
        texts: column -> last known text of each series, "" where none is known.
        numbers: column -> last known number of each series, NaN where none is known.
    """

    key_columns: tuple[str, ...]
    keys: npt.NDArray[np.str_]
    first_month: int
    sales: FloatArray
    texts: dict[str, npt.NDArray[np.str_]]
    numbers: dict[str, FloatArray]

    @property
    def last_month(self) -> int:
        """Index of the last month with sales."""
        return self.first_month + int(self.sales.shape[1]) - 1

    def key_values(self, number: int) -> dict[str, str]:
        """StoreID, and Category or Product, of a series."""
        key = str(self.keys[number])
        parts = key.split(SEPARATOR) if len(self.key_columns) > 1 else [key]
        return dict(zip(self.key_columns, parts, strict=True))

    def save(self, path: Path) -> None:
        """Write one NumPy archive; equal states give equal bytes."""
        parts: dict[str, Any] = {f"text_{name}": values for name, values in self.texts.items()}
        parts |= {f"number_{name}": values for name, values in self.numbers.items()}
        columns, first = np.array(self.key_columns), np.array(self.first_month)
        # A file that is mapped must not shrink below its readers.
        written = path.with_name(f"{path.name}.part")
        with written.open("wb") as stream:
            np.savez(stream, key_columns=columns, keys=self.keys, first_month=first, sales=self.sales, **parts)
        written.replace(path)

    @classmethod
    def load(cls, path: Path) -> "State":
        """Read what `save` wrote; the sales are mapped, so that the workers of a server share them."""
        with np.load(path, allow_pickle=False) as parts:
            return cls(
                tuple(map(str, parts["key_columns"])),
                parts["keys"],
                int(parts["first_month"]),
                _mapped(path, "sales", parts),
                {name: parts[f"text_{name}"] for name in KEPT_TEXTS},
                {name: parts[f"number_{name}"] for name in KEPT_NUMBERS},
            )


def _mapped(path: Path, name: str, read: Mapping[str, Any]) -> FloatArray:
    """An array of an archive, which NumPy's `savez` does not compress, on the file's own pages; or that of `read`."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        start = archive.getinfo(member.name).header_offset
        np.lib.format.read_magic(member)
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(member)
        header = member.tell()
    with path.open("rb") as stream:
        stream.seek(start + _NAME_LENGTH)
        start += _LOCAL_HEADER + sum(struct.unpack("<HH", stream.read(4)))
    try:
        mapped = np.memmap(path, dtype, "r", start + header, shape, "F" if by_column else "C")
    except OSError:  # not every mount lets its files be mapped
        return np.asarray(read[name])
    return np.asarray(mapped)  # an item of a memmap takes ten times as long


def series_key(values: Sequence[str | None]) -> str:
    """The text that names a series, from the values of `State.key_columns`."""
    return values[0] or "" if len(values) == 1 else SEPARATOR.join(value or "" for value in values)
