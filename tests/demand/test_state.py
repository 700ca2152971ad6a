"""The archive of what was sold until now."""

import errno
from pathlib import Path

import numpy as np
import pytest

from demand.state import State


def state(sales: np.ndarray) -> State:
    n = len(sales)
    texts = {name: np.array(["x" * number for number in range(n)]) for name in ("Country", "City")}
    return State(
        ("StoreID",), np.array([f"Ströget {n}" for n in range(n)]), 24_000, sales, texts, {"Price": sales[:, 0]}
    )


@pytest.mark.parametrize("by_column", [False, True])
def test_sales_are_read_from_the_files_own_pages_and_are_those_that_were_written(
    tmp_path: Path, by_column: bool
) -> None:
    sales = np.arange(35.0).reshape(5, 7)
    sales[2, 3] = np.nan
    state(np.asfortranarray(sales) if by_column else sales).save(tmp_path / "history.npz")
    loaded = State.load(tmp_path / "history.npz")
    np.testing.assert_array_equal(loaded.sales, sales)
    assert not loaded.sales.flags.owndata and not loaded.sales.flags.writeable
    assert loaded.texts["City"].tolist() == ["", "x", "xx", "xxx", "xxxx"]


def test_where_a_mount_lets_no_file_be_mapped_the_sales_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = np.arange(35.0).reshape(5, 7)
    state(sales).save(tmp_path / "history.npz")
    monkeypatch.setattr(np, "memmap", mapped_by_no_mount)
    loaded = State.load(tmp_path / "history.npz")
    np.testing.assert_array_equal(loaded.sales, sales)
    assert loaded.sales.flags.writeable, "it is mapped all the same"


def mapped_by_no_mount(*_: object) -> None:
    raise OSError(errno.ENODEV, "No such device")


def test_who_has_an_archive_open_keeps_what_it_read_when_another_takes_its_place(tmp_path: Path) -> None:
    sales = np.arange(80_000.0).reshape(1000, 80)
    state(sales).save(tmp_path / "history.npz")
    loaded = State.load(tmp_path / "history.npz")
    state(sales[:2]).save(tmp_path / "history.npz")
    np.testing.assert_array_equal(loaded.sales, sales)
    assert [path.name for path in tmp_path.iterdir()] == ["history.npz"]
