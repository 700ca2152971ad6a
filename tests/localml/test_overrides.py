"""--set changes a spec before it is checked."""

from pathlib import Path

import pytest

from amlspec.document import Document
from amlspec.errors import UserError
from localml import overrides


def applied(data, *settings):
    document = Document(Path("job.yml"), data, {})
    overrides.apply(document, list(settings))
    return document.data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6", 6),
        ("0.5", 0.5),
        ("true", True),
        ("[a, b]", ["a", "b"]),
        ("store", "store"),
        ("", ""),
        ("a=b", "a=b"),
        # These would be numbers or dates to YAML, and are hashes or versions to us.
        ("1e5", "1e5"),
        ("0012", "0012"),
        ("2024-01-01", "2024-01-01"),
        ("12345e67", "12345e67"),
        ("a: [", "a: ["),
    ],
)
def test_a_value_of_set_keeps_its_type(text, value):
    assert applied({}, f"inputs.x={text}") == {"inputs": {"x": value}}


def test_a_key_of_set_below_a_literal_replaces_the_literal():
    assert applied({"inputs": {"sales": "x"}}, "inputs.sales.path=azureml:sales:2") == {
        "inputs": {"sales": {"path": "azureml:sales:2"}}
    }


@pytest.mark.parametrize("setting", ["inputs.x", "=1"])
def test_a_setting_without_key_or_value_is_an_error(setting):
    with pytest.raises(UserError, match="write it as key=value"):
        applied({}, setting)
