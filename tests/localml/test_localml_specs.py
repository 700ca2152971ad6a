"""A verb's spec: from a file or from data, changed by the call, and handed to another process."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from localml import specs


def test_settings_are_put_in_before_the_flags_and_none_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_text("name: a\nversion: '1'\ntags: {x: y}\n")
    document = specs.load(path, ["name=b", "tags.x=z"], name="c", version=None)
    assert document.data == {"name": "c", "version": "1", "tags": {"x": "z"}}


def test_a_document_that_is_handed_in_stays_as_it_was(tmp_path: Path) -> None:
    given = specs.of_data({"tags": {"x": "y"}}, tmp_path, "request")
    changed = specs.load(given, ["tags.x=z"], name="a")
    assert (changed.data, given.data) == ({"tags": {"x": "z"}, "name": "a"}, {"tags": {"x": "y"}})
    assert given.where("tags") == f"{tmp_path}/request:1"


def test_another_process_gets_the_same_values_types_and_lines(tmp_path: Path) -> None:
    path = tmp_path / "spec.yml"
    path.write_text("a: [1, 1.5, true, '007', 2024-01-01]\nb:\n  c: ünï: x\n".replace("ünï: x", "ünï"))
    document = specs.load(path)
    specs.save(document, tmp_path / "kept.yml")
    restored = specs.restore(tmp_path / "kept.yml")
    assert restored.data == document.data
    assert restored.data["a"][-1] == dt.date(2024, 1, 1)
    assert restored.path == path
    assert restored.lines == document.lines
    assert restored.where("b", "c").endswith("spec.yml:3")
