"""YAML with the line of every key, and what is said of a file that is not a spec."""

from pathlib import Path

import pytest

from amlspec.document import NotYamlError, parse, read_document
from amlspec.errors import UserError

TEXT = """name: a
jobs:
  first:
    command: >-
      python a.py
      --x 1
  second:
    inputs:
      - 1
      - 2
"""


def test_every_key_and_item_has_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "spec.yml").write_text(TEXT)
    monkeypatch.chdir(tmp_path)
    document = read_document(Path("spec.yml"))
    assert document.where("jobs", "second", "inputs", 1) == "spec.yml:10"
    assert document.where("jobs", "first", "no", "such") == "spec.yml:3", "the nearest parent that the file has"
    assert document.find_text("wrong", "--x", "jobs", "first", "command").line == 6


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1\nb: 2\n", "spec.yml:2: not valid YAML: "),
        (b"- 1\n", "spec.yml:1: not a spec: the file must hold one mapping of keys to values"),
        (b"", "spec.yml:1: not a spec"),
        (b"a: \xff\n", "spec.yml: not UTF-8 text (byte 3)"),
        (b"a: 2024-99-99\n", "spec.yml:1: not valid YAML: "),
    ],
)
def test_a_file_that_is_not_a_spec_is_one_line_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, message: str
) -> None:
    (tmp_path / "spec.yml").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        read_document(Path("spec.yml"))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_get_different_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"no\.yml: no such file"):
        read_document(Path("no.yml"))
    with pytest.raises(UserError, match="a folder, not a YAML file"):
        read_document(tmp_path)


def test_a_text_may_stand_in_for_the_file() -> None:
    assert parse(Path("x.yml"), "x.yml", "a: 1").get("a") == 1
    with pytest.raises(NotYamlError):
        parse(Path("x.yml"), "x.yml", "a: [")
