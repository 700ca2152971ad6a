"""The formatter: the same data, every comment, nothing left to change."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from specfmt.__main__ import main
from specfmt.fmt import format_text, problems
from specfmt.order import PORT, SPEC

GOOD = Path(__file__).parent / "good"
COMPONENT_KEYS = ["name", "version", "display_name", "description", "type", "tags", "code", "environment"]
WORDS = st.text("abc-_:#'\"{}$[] é", min_size=0, max_size=12)
SCALARS = st.one_of(WORDS, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False, allow_infinity=False))
PORTS = st.dictionaries(st.sampled_from([*PORT, "extra"]), SCALARS, min_size=1)
FLAGS = st.lists(st.sampled_from(["--a ${{inputs.a}}", "$[[--b ${{inputs.b}}]]", "--switch", "-x 1"]), max_size=4)
COMMANDS = st.builds(lambda flags: " ".join(["python -m demand.step", *flags]), FLAGS) | WORDS
JOBS = st.dictionaries(st.sampled_from([key for key in SPEC if key not in ("$schema", "jobs")]), SCALARS, min_size=1)


@st.composite
def specs(draw: st.DrawFn) -> str:
    """A spec in any key order and style, with a comment here and there."""
    data = draw(st.dictionaries(st.sampled_from(COMPONENT_KEYS), SCALARS))
    data |= {"$schema": "x", "command": draw(COMMANDS)}
    data["inputs"] = draw(st.dictionaries(st.sampled_from(["a", "b", "c"]), PORTS))
    data["jobs"] = draw(st.dictionaries(st.sampled_from(["one", "two"]), JOBS))
    keys = draw(st.permutations(sorted(data)))
    width = draw(st.sampled_from([20, 80, 1000]))
    style = draw(st.sampled_from([None, '"', "'"]))
    text = yaml.safe_dump({key: data[key] for key in keys}, sort_keys=False, width=width, default_style=style)
    return draw(_commented(text))


@st.composite
def _commented(draw: st.DrawFn, text: str) -> str:
    """Comments of their own lines, at the column of the key that they stand above."""
    lines = []
    root = yaml.compose(text)
    starts = {key.start_mark.line for key, _ in root.value} | {
        inner.start_mark.line
        for _, value in root.value
        if isinstance(value, yaml.MappingNode)
        for inner, _ in value.value
    }
    for number, line in enumerate(text.splitlines()):
        if number in starts and draw(st.booleans()):
            lines.append(f"{' ' * (len(line) - len(line.lstrip()))}# about line {number}")
        lines.append(line)
    return "\n".join(lines) + "\n"


def comments(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("# about line"))


@settings(max_examples=120, deadline=None)
@given(specs())
def test_formatting_keeps_data_and_comments_and_happens_once(text: str) -> None:
    formatted = format_text(text)
    assert yaml.safe_load(formatted) == yaml.safe_load(text)
    assert comments(formatted) == comments(text)
    assert format_text(formatted) == formatted
    assert problems(formatted) == []
    assert (problems(text) == []) == (formatted == text)


@settings(max_examples=60, deadline=None)
@given(specs())
def test_formatted_keys_are_in_the_order_of_the_design(text: str) -> None:
    keys = [key for key in yaml.safe_load(format_text(text)) if key in SPEC]
    assert keys == sorted(keys, key=SPEC.index)


def test_a_comment_goes_with_its_key_and_the_opening_one_stays() -> None:
    text = (
        "# The file.\nname: a  # short\n# why this schema\n$schema: x\n\n"
        "# how it runs\ncommand: run --a 1 --b 2  # note\n"
    )
    assert format_text(text) == (
        "# The file.\n# why this schema\n$schema: x\nname: a  # short\n\n# how it runs\n"
        "command: >-  # note\n  run\n  --a 1\n  --b 2\n"
    )


@pytest.mark.parametrize(
    "command",
    ["|\n  python -m a --x 1\n  python -m b --y 2", '"a --x 1 && b --y 2"', "\"a --x 'two  words'\"", "echo hello"],
)
def test_a_command_whose_lines_carry_meaning_stays_as_it_is(command: str) -> None:
    text = f"$schema: x\ncommand: {command}\n"
    assert format_text(text) == text


def test_a_file_that_is_not_a_spec_stays_as_it_is() -> None:
    for text in ("version: 1\nname: a\n", "- a\n- b\n", "name: [\n$schema: x\n", ""):
        assert format_text(text) == text


def test_an_anchor_keeps_its_place_before_its_alias() -> None:
    text = "$schema: x\ncommand: &a run\nname: *a\n"
    assert format_text(text) == text
    assert problems(text) == []


def test_the_command_line_checks_without_writing_and_formats_in_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "spec.yml"
    spec.write_text("name: a\n$schema: x\n")
    assert main(["--check", str(tmp_path)]) == 1
    assert capsys.readouterr().out == f"{spec}:2: key order: '$schema' comes before 'name': run make fmt\n"
    assert spec.read_text() == "name: a\n$schema: x\n"
    assert main([str(tmp_path)]) == 0
    assert spec.read_text() == "$schema: x\nname: a\n"
    assert main(["--check", str(tmp_path)]) == 0
    assert main([str(tmp_path / "nowhere")]) == 2


def test_the_good_specs_are_formatted() -> None:
    assert main(["--check", str(GOOD)]) == 0


@settings(max_examples=80, deadline=None)
@given(specs(), st.sampled_from(["", "\ufeff"]), st.sampled_from(["\n", "\r\n"]))
def test_line_ends_and_a_byte_order_mark_are_not_the_formatters(text: str, mark: str, newline: str) -> None:
    theirs = mark + text.replace("\n", newline)
    assert format_text(theirs) == mark + format_text(text).replace("\n", newline)
    assert problems(theirs) == problems(text)


def test_the_command_line_keeps_line_ends(tmp_path: Path) -> None:
    spec = tmp_path / "spec.yml"
    spec.write_bytes(b"\xef\xbb\xbfname: \xc3\xa9\r\n$schema: x\r\ncommand: run --a 1\r\n")
    assert main([str(tmp_path)]) == 0
    assert spec.read_bytes() == b"\xef\xbb\xbf$schema: x\r\nname: \xc3\xa9\r\ncommand: >-\r\n  run\r\n  --a 1\r\n"


def test_a_file_that_is_not_utf8_is_named_and_the_others_are_formatted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yml").write_bytes(b"name: \xe9\n$schema: x\n")
    (tmp_path / "b.yml").write_text("name: a\n$schema: x\n")
    assert main([str(tmp_path)]) == 2
    assert "a.yml is not UTF-8 text" in capsys.readouterr().err
    assert (tmp_path / "b.yml").read_text() == "$schema: x\nname: a\n"
