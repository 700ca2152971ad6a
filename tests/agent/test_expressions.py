"""The expression language: Microsoft's examples of each function, conversions, paths, and what it says of a mistake.

Source of every row: https://learn.microsoft.com/azure/devops/pipelines/process/expressions
"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import expressions, functions
from amlspec.errors import UserError

VALUES: dict[str, Any] = {
    "variables": {"letters": "ABC", "numbers": "123", "Build.SourceBranch": "refs/heads/main", "empty": ""},
    "parameters": {"list": ["a", "b"], "yes": True, "no": False, "one": 1, "object": {"x": {"id": 1}, "y": {"id": 2}}},
    "foo": [{"id": 1, "a": "avalue1"}, {"id": 2, "a": "avalue2"}, {"id": 3, "a": "avalue3"}],
}
CASES: list[tuple[str, Any]] = [
    # literals
    ("true", True), ("FALSE", False), ("null", None), ("-1.2", -1.2), ("5", 5), ("'a b c'", "a b c"),
    ("'It''s OK'", "It's OK"), ("1.2.3", "1.2.3"),
    # logic
    ("and(eq(variables.letters, 'ABC'), eq(variables.numbers, 123))", True),
    ("and(True, False, True)", False), ("or(eq(1, 1), eq(2, 3))", True), ("or(false, '')", False),
    ("xor(True, False)", True), ("xor(True, True)", False), ("not(eq(1, 2))", True), ("not('x')", False),
    ("iif(eq('value', 'Value'), 'yes', 'no')", "yes"),
    # comparison: the right one takes the type of the left one; texts without case
    ("eq(variables.letters, 'abc')", True), ("eq(1, '1')", True), ("eq(1, 'x')", False), ("eq(true, 'true')", True),
    ("eq('', null)", True), ("eq(null, '')", True), ("ne(1, 2)", True), ("ne(1, 'x')", True),
    ("ge(5, 5)", True), ("gt(5, 2)", True), ("le(2, 2)", True), ("lt(2, 5)", True), ("gt('b', 'A')", True),
    ("gt(1.10.0, '1.9.0')", True), ("eq(1.2.3, '1.2.3')", True),
    ("in('B', 'A', 'B', 'C')", True), ("in('D', 'A', 'B', 'C')", False), ("notIn('D', 'A', 'B', 'C')", True),
    # texts
    ("contains('ABCDE', 'bcd')", True), ("startsWith('ABCDE', 'ab')", True), ("endsWith('ABCDE', 'DE')", True),
    ("format('Hello {0} {1}', 'John', 'Doe')", "Hello John Doe"),
    ("format('literal left brace {{ and literal right brace }}')", "literal left brace { and literal right brace }"),
    ("join(';', parameters.list)", "a;b"), ("join(';', 'x')", "x"), ("lower('FOO')", "foo"), ("upper('bah')", "BAH"),
    ("trim('  variable  ')", "variable"), ("replace('https://www.x', 'www', 'server')", "https://server.x"),
    ("split('A,B,C', ',')", ["A", "B", "C"]), ("length('fabrikam')", 8), ("length(parameters.list)", 2),
    # the rest
    ("coalesce(variables.noSuch, variables.empty, 'literal')", "literal"), ("coalesce('', '')", None),
    ("containsValue(parameters.list, 'B')", True), ("containsValue(parameters.object, 'z')", False),
    ("convertToJson(parameters.list)", '[\n  "a",\n  "b"\n]'),
    # paths
    ("variables['Build.SourceBranch']", "refs/heads/main"), ("variables['noSuch']", None),
    ("variables.LETTERS", "ABC"), ("parameters.list[1]", "b"), ("parameters.list[7]", None),
    ("foo.*.id", [1, 2, 3]), ("parameters.object.*.id", [1, 2]), ("parameters.noSuch.deeper", None),
    ("eq(variables['Build.SourceBranch'], 'refs/heads/main')", True),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), CASES, ids=[text for text, _ in CASES])
def test_documented_examples(text: str, value: Any) -> None:
    assert expressions.evaluate(text, VALUES) == value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("counter('a', 1)", "the function counter is not known here"),
        ("pipeline.startTime", "pipeline is not a value that can be had here"),
        ("eq(1)", "eq takes 2 parameters, not 1"),
        ("and(true)", "and takes 2 or more parameters, not 1"),
        ("gt(5, 'x')", "the second value is not one of the first's type"),
        ("eq(1, 2", "the expression ends too early"),
        ("eq(1 2)", ", was expected, not 2"),
        ("eq(1, 2) and", "not understood from 'and' on"),
        ("a # b", "not an expression at '# b'"),
        ("format('{0:yyyy}', 'x')", "has a format that is not known here"),
        ("format('{3}', 'x')", "{3} names no value"),
    ],
)
def test_a_mistake_is_named(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        expressions.evaluate(text, VALUES)
    assert message in str(error.value)


def test_and_or_iif_leave_out_what_they_do_not_need() -> None:
    for text in ("and(false, gt(5, 'x'))", "or(true, gt(5, 'x'))", "iif(true, 1, gt(5, 'x'))"):
        expressions.evaluate(text, VALUES)


def test_booleans_and_numbers_as_text() -> None:
    assert [functions.text(each) for each in (True, False, None, 1.0, 2.5, [1])] == [
        "True",
        "False",
        "",
        "1",
        "2.5",
        "",
    ]


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)


@given(TEXT, TEXT)
def test_a_text_is_what_was_quoted_and_equality_is_symmetric(left: str, right: str) -> None:
    def quoted(text: str) -> str:
        return "'" + text.replace("'", "''") + "'"

    assert expressions.evaluate(quoted(left), {}) == left
    same = expressions.evaluate(f"eq({quoted(left)}, {quoted(right)})", {})
    assert same == expressions.evaluate(f"eq({quoted(right)}, {quoted(left)})", {}) == (left.lower() == right.lower())
    assert expressions.evaluate(f"contains({quoted(left + right)}, {quoted(right)})", {})


@given(st.text(max_size=30))
def test_any_text_gives_a_value_or_one_error(text: str) -> None:
    try:
        expressions.evaluate(text, VALUES)
    except UserError as error:
        assert "\n" not in str(error) or "\n" in text
