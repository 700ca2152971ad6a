"""Literals in the declared type: what azure-ai-ml sends as text is read as text."""

import pytest

from amlspec.types import accepts, literal_problem, read_literal


@pytest.mark.parametrize(
    ("value", "kind", "read"),
    [
        (6, "integer", 6),
        ("6", "integer", 6),
        ("-6", "integer", -6),
        (1, "number", 1.0),
        ("1e-3", "number", 0.001),
        (3, "string", "3"),
        ("True", "boolean", True),
        (False, "boolean", False),
    ],
)
def test_how_a_literal_is_quoted_does_not_count(value: object, kind: str, read: object) -> None:
    assert read_literal(value, kind) == read
    assert literal_problem(value, {"type": kind}) is None


@pytest.mark.parametrize(
    ("value", "kind", "problem"),
    [
        ("six", "integer", "'six' is not an integer: give an integer"),
        (2.5, "integer", "2.5 is not an integer: give an integer"),
        (True, "integer", "true is not an integer: give an integer"),
        ("1_0", "integer", "'1_0' is not an integer: give an integer"),
        ("nan", "number", "'nan' is not a number: give a number"),
        (1, "boolean", "1 is not a boolean: give a boolean"),
        (None, "string", "an empty value is not a string: give a string"),
        ("x", "uri_file", "a uri_file takes a mapping with type and path, not a literal"),
    ],
)
def test_a_value_that_does_not_fit_its_type_is_an_error_that_says_so(value: object, kind: str, problem: str) -> None:
    assert literal_problem(value, {"type": kind}) == problem


def test_bounds_and_enum_hold_for_text_as_for_numbers() -> None:
    assert literal_problem("25", {"type": "integer", "max": 24}) == "25 is above the maximum 24: give 24 or less"
    assert literal_problem(0, {"type": "integer", "min": 1}) == "0 is below the minimum 1: give 1 or more"
    assert literal_problem("c", {"type": "string", "enum": ["a", "b"]}) == "'c' is not in its enum: use one of a, b"


def test_a_model_is_bound_to_a_folder_and_a_folder_not_to_a_model() -> None:
    assert accepts("uri_folder", "mlflow_model")
    assert not accepts("mlflow_model", "uri_folder")
