"""Content hashes: equal for equal content, whatever its place, and read once where a file is large."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from host import hashing
from host.state import home

LARGE = hashing._CACHED_FROM_BYTES


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path / "home"))


def test_data_has_one_hash_whatever_the_order_of_its_keys() -> None:
    assert hashing.of_data({"a": 1, "b": [1, 2]}) == hashing.of_data({"b": [1, 2], "a": 1})
    assert hashing.of_data({"a": [1, 2]}) != hashing.of_data({"a": [2, 1]})


def test_a_folder_is_its_relative_names_and_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "inner" / "x").write_text("x")
    assert hashing.of_path(tmp_path / "one") == hashing.of_path(tmp_path / "two")
    (tmp_path / "two" / "inner" / "x").rename(tmp_path / "two" / "inner" / "y")
    assert hashing.of_path(tmp_path / "one") != hashing.of_path(tmp_path / "two")


def test_a_large_file_is_read_once_and_again_when_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"a" * LARGE)
    first = hashing.of_file(path)
    (kept,) = (home() / "cache" / "hashes").iterdir()
    assert "sha256" in kept.read_text()
    stat = path.stat()
    path.write_bytes(b"b" * LARGE)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert hashing.of_file(path) == first, "same size, time and inode: not read"
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert hashing.of_file(path) != first


def test_a_small_file_is_always_read(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"a")
    first, stat = hashing.of_file(path), path.stat()
    path.write_bytes(b"b")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert hashing.of_file(path) != first
