"""Outputs are mounts on Azure ML: their folder stays, what was in it goes, and no file is renamed into place."""

import ctypes
import os
import struct
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from demand import outputs
from demand.contract import load_contract
from demand.errors import StepError
from helpers_sales import CONTRACT, MONTHLY_SQL, daily_sales
from sales.aggregate import aggregate

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="inotify is a part of Linux")
MOVED, DELETE_SELF = 0x40 | 0x80, 0x400


@contextmanager
def watched(*folders: Path) -> Iterator[Callable[[], list[str]]]:
    """Yields what tells the names that were renamed in the folders, and `removed` for a folder that went."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK)
    for folder in folders:
        assert libc.inotify_add_watch(handle, os.fsencode(folder), MOVED | DELETE_SELF) >= 0

    def events() -> list[str]:
        try:
            data = os.read(handle, 1 << 16)
        except BlockingIOError:
            return []
        names, at = [], 0
        while at < len(data):
            _, mask, _, length = struct.unpack_from("iIII", data, at)
            name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
            if mask & (MOVED | DELETE_SELF):
                names.append("removed" if mask & DELETE_SELF else name)
            at += 16 + length
        return names

    try:
        yield events
    finally:
        os.close(handle)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """An output that exists already, with something in it."""
    folder = tmp_path / "output"
    (folder / "old").mkdir(parents=True)
    (folder / "old" / "file").write_text("old")
    return folder


def test_the_test_harness_sees_a_rename_and_a_removal_in_an_output(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with watched(folder) as events:
        (folder / "tmp_x").write_text("")
        (folder / "tmp_x").rename(folder / "x")
        (folder / "x").unlink()
        folder.rmdir()
        assert events() == ["tmp_x", "x", "removed"]


def test_publish_takes_the_place_of_the_content_and_not_of_the_folder(output: Path, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "a" / "b").mkdir(parents=True)
    (source / "a" / "b" / "file").write_text("new")
    with watched(output) as events:
        outputs.publish(source, output)
        assert events() == []
    assert [str(path.relative_to(output)) for path in sorted(output.rglob("*"))] == ["a", "a/b", "a/b/file"]


def test_what_was_staged_is_not_published_where_the_block_fails(output: Path) -> None:
    with pytest.raises(ValueError, match="broke off"), outputs.staged(output) as folder:
        (folder / "half").write_text("")
        raise ValueError("broke off")
    assert (output / "old" / "file").is_file() and not (output / "half").exists()


def _sales(folder: Path, **changes: object) -> Path:
    folder.mkdir()
    daily_sales().assign(**changes).to_parquet(folder / "part-0.parquet")
    return folder


def test_aggregate_renames_nothing_in_its_outputs(tmp_path: Path) -> None:
    monthly, quarantine = tmp_path / "monthly", tmp_path / "quarantine"
    monthly.mkdir()
    quarantine.mkdir()
    with watched(monthly, quarantine) as events:
        sql = MONTHLY_SQL.read_text(encoding="utf-8")
        aggregate(_sales(tmp_path / "sales"), load_contract(CONTRACT), sql, "store", monthly, quarantine)
        assert events() == []
    assert (monthly / "monthly.parquet").is_file() and (quarantine / "quarantine.csv").is_file()


def test_the_quarantine_is_kept_where_too_many_rows_are_bad(tmp_path: Path) -> None:
    monthly, quarantine = tmp_path / "monthly", tmp_path / "quarantine"
    with pytest.raises(StepError, match="break the contract"):
        sql = MONTHLY_SQL.read_text(encoding="utf-8")
        sales = _sales(tmp_path / "sales", Price=-1.0)
        aggregate(sales, load_contract(CONTRACT), sql, "store", monthly, quarantine)
    assert "Price" in (quarantine / "quarantine.csv").read_text(encoding="utf-8")
