"""Expressions resolve as Azure ML resolves them."""

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amlspec import bindings
from amlspec.bindings import FromJob, FromParent


@pytest.mark.parametrize(
    ("command", "inputs", "rendered"),
    [
        ("run --x ${{inputs.x}}", {"x": 3}, "run --x 3"),
        ("run --x ${{ inputs.x }}", {"x": "a b"}, "run --x a b"),
        ("run $[[--x ${{inputs.x}}]] end", {"x": None}, "run  end"),
        ("run $[[--x ${{inputs.x}}]] end", {"x": False}, "run --x False end"),
        ("run $[[--x ${{inputs.x}} --y ${{inputs.y}}]]", {"x": 1, "y": None}, "run "),
        ("run ${{inputs.x}}", {"x": Path("/a b/c")}, "run '/a b/c'"),
        ("run '${{inputs.x}}'", {"x": Path("/a b/c")}, "run '/a b/c'"),
        ("run ${{outputs.o}}", {}, "run /out"),
        ("echo $HOME ${HOME}", {}, "echo $HOME ${HOME}"),
    ],
)
def test_a_command_is_rendered_with_the_values_of_its_bindings(command, inputs, rendered):
    assert bindings.render(command, inputs, {"o": Path("/out")}) == rendered


@pytest.mark.parametrize("command", ["${{inputs.no}}", "${{outputs.no}}", "${{search_space.x}}", "${{inputs.absent}}"])
def test_an_expression_that_names_nothing_is_an_error(command):
    with pytest.raises(ValueError, match="names nothing"):
        bindings.render(command, {"absent": None}, {})


def test_a_binding_is_recognised_and_a_literal_is_not():
    assert bindings.binding_of("${{parent.inputs.a}}") == FromParent("inputs", "a")
    assert bindings.binding_of("${{ parent.jobs.a.outputs.b }}") == FromJob("a", "b")
    assert bindings.binding_of("text") is None
    assert bindings.binding_of(3) is None
    with pytest.raises(ValueError, match="is not a binding"):
        bindings.binding_of("${{parent.jobs.a.inputs.b}}")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_any_local_path_reaches_the_shell_as_one_word(name):
    rendered = bindings.render("run ${{inputs.x}}", {"x": Path("/data") / name}, {})
    assert shlex.split(rendered)[1:] == [str(Path("/data") / name)]
