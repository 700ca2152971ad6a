"""Recordings and samples of the docs: what a command printed, in the places that ask for it."""

import json
import os
from pathlib import Path

import pytest

from pictures import recording, samples

PAGE = (
    "# A\n\n<!-- sample: status -->\n```text\nold\n```\n\n```text\nkept\n```\n<!-- sample: other -->\n```text\nx\n```\n"
)


def test_a_sample_is_put_behind_its_mark_and_nothing_else_changes() -> None:
    text = samples.replaced(PAGE, {"status": "line 1\nline 2\n"})
    assert text == PAGE.replace("old", "line 1\nline 2")
    assert samples.replaced(text, {"status": "line 1\nline 2\n"}) == text
    assert samples.names(PAGE) == ["status", "other"]


def test_only_pages_that_changed_are_written(tmp_path: Path) -> None:
    for name in ("a.md", "b.md"):
        (tmp_path / name).write_text(PAGE if name == "a.md" else "# nothing\n")
    paths = [tmp_path / "a.md", tmp_path / "b.md"]
    assert samples.write(paths, {"status": "new"}) == [tmp_path / "a.md"]
    assert samples.write(paths, {"status": "new"}) == []


def test_a_recording_is_an_asciicast_of_what_was_printed(tmp_path: Path) -> None:
    printed = recording.record(
        ["sh", "-c", "printf 'one\\n'; sleep 0.7; printf 'two\\n'"], os.environ, tmp_path / "x.cast"
    )
    head, *events = map(json.loads, (tmp_path / "x.cast").read_text().splitlines())
    assert (head["version"], head["width"]) == (2, recording.COLUMNS)
    assert "".join(event[2] for event in events).endswith("one\r\ntwo\r\n")
    assert printed.split() == ["one", "two"]
    times = [event[0] for event in events]
    assert times == sorted(times) and events[0][2].startswith("$ sh -c")


def test_a_command_that_fails_is_not_recorded(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3"):
        recording.record(["sh", "-c", "exit 3"], os.environ, tmp_path / "x.cast")
    assert not (tmp_path / "x.cast").exists()
