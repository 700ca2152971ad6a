"""Which files an input names."""

from pathlib import Path

import pytest

from demand.errors import StepError
from sales.files import find_parquet


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.parquet", "a.parquet", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def test_folder_gives_its_parquet_files_in_order(folder: Path) -> None:
    assert names(find_parquet(folder)) == ["a.parquet", "b.parquet"]


def test_a_file_in_the_place_of_a_folder_is_read_alone(folder: Path) -> None:
    assert names(find_parquet(folder / "b.parquet")) == ["b.parquet"]


@pytest.mark.parametrize("entry", ["pattern: ./*.parquet", "folder: ./", "file: ./a.parquet\n  - file: b.parquet"])
def test_mltable_paths_are_followed(folder: Path, entry: str) -> None:
    (folder / "MLTable").write_text(f"paths:\n  - {entry}\ntransformations:\n  - read_parquet\n")
    assert names(find_parquet(folder)) == ["a.parquet", "b.parquet"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("paths:\n  - file: ./gone.parquet", "lists ./gone.parquet, which is not there"),
        ("paths:\n  - url: x", "is not one of file, folder, pattern"),
        ("transformations: []", "has no list `paths`"),
        ("paths: [", "not YAML"),
        ("paths:\n  - pattern: ./*.pq", "holds no Parquet file"),
    ],
)
def test_broken_mltable_is_a_user_error(folder: Path, text: str, says: str) -> None:
    (folder / "MLTable").write_text(text)
    with pytest.raises(StepError) as error:
        find_parquet(folder)
    assert says in str(error.value)


def test_empty_or_absent_folder_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="holds no Parquet file"):
        find_parquet(tmp_path)
    with pytest.raises(StepError, match="no such file or folder"):
        find_parquet(tmp_path / "gone")
