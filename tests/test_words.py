"""The words of the code are the field's: names say what a thing holds, messages say what a thing is not."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Words that say nothing of what a value is (not_found is the word of HTTP); limits are max_ and min_.
BANNED_NAME = re.compile(
    r"(^|(?<!not)_)(found|told)(_|$)|^_?around$|^_?figures_of$|^_?(most|fewest|narrowest|longest|shortest|least)_(?!(common|frequent)$)",
    re.IGNORECASE,
)
# "5 is no integer" reads as a quip; "5 is not an integer" as an error. "There is no model" is plain English.
BANNED_PHRASE = re.compile(
    r"(?<!there )\b(?:is|are|was|were) no (?!such|slower|longer|more|reason|matter|need|use|one\b)", re.IGNORECASE
)
FILES = [
    path
    for folder in ("scripts", "src", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    # A fixture is as a former release wrote it, and this file holds the words itself.
    if "fixtures" not in path.parts and path != Path(__file__)
]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of everything that a module names: functions, classes, arguments, variables, attributes."""
    for node in ast.walk(module):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield node.lineno, name


def texts(module: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string, docstrings and the fixed parts of f-strings included."""
    for node in ast.walk(module):
        if isinstance(node, ast.JoinedStr):
            parts = (part.value if isinstance(part, ast.Constant) else "X" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def test_a_name_says_what_it_holds() -> None:
    wrong = [f"{place(path, line)}: {name}" for path in FILES for line, name in names(tree(path)) if is_banned(name)]
    assert wrong == [], "name it after what it holds; a limit is max_ or min_"


def test_a_message_says_what_a_thing_is_not() -> None:
    wrong = [
        f"{place(path, line)}: {text!r}"
        for path in FILES
        for line, text in texts(tree(path))
        if BANNED_PHRASE.search(text)
    ]
    assert wrong == [], 'write "is not a ..."'


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT).as_posix()}:{line}"


def is_banned(name: str) -> bool:
    return bool(BANNED_NAME.search(name))


@pytest.mark.parametrize("name", ["found", "_told", "MOST_ROWS", "LEAST_SECONDS", "figures_of", "around", "found_rows"])
def test_the_guard_refuses_a_name_of_the_old_dialect(name: str) -> None:
    assert is_banned(name)


@pytest.mark.parametrize("name", ["most_common", "most_frequent", "founder", "MAX_ROWS", "not_found_error", "figures"])
def test_the_guard_lets_other_names_through(name: str) -> None:
    assert not is_banned(name)


@pytest.mark.parametrize(
    ("text", "is_refused"),
    [("5 is no integer", True), ("They are no files", True), ("there is no model", False), ("it is no slower", False)],
)
def test_the_guard_refuses_a_message_of_the_old_dialect(text: str, is_refused: bool) -> None:
    module = ast.parse(f"raise ValueError({text!r})")
    assert any(BANNED_PHRASE.search(each) for _, each in texts(module)) == is_refused


def test_no_two_test_modules_share_a_name() -> None:
    """Pytest collects only the first of them in one run, and the other alone seems to work."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name not in ("conftest.py", "__init__.py")]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []
