"""Variables of make become the words of the program; both know the same verbs."""

import re
from pathlib import Path

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from amlspec.errors import UserError
from frontdoor import app, given

ROOT = Path(__file__).parents[2]
app.load()
VERBS = app.commands()


def words(verb: str, **variables: str) -> list[str]:
    return given.words(VERBS[verb], [VERBS[verb]], variables)


def test_make_and_the_program_have_the_same_verbs() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")
    listed = re.findall(
        r"^(?:MAIN_JOB|SERVING|DATA|PAGES|CHECKS|AUTOMATION|INFRASTRUCTURE|SET_UP) := (.*)$", text, re.MULTILINE
    )
    assert sorted(" ".join(listed).split()) == sorted(VERBS)


def test_every_verb_says_what_it_does_and_every_option_too() -> None:
    for name, command in VERBS.items():
        assert command.short_help and command.short_help.endswith("."), name
        assert all(getattr(option, "help", None) for option in given.of(command).values()), name


@pytest.mark.parametrize(
    ("verb", "variables", "expected"),
    [
        ("run-pipeline", {"SALES": "my sales.csv", "STRICT": "1"}, ["--sales=my sales.csv", "--strict"]),
        ("run-pipeline", {"STRICT": "0"}, []),
        ("run-pipeline", {"SET": "inputs.a=1 inputs.b='x y'"}, ["--set=inputs.a=1", "--set=inputs.b=x y"]),
        ("forecast", {"HORIZON": ""}, []),
        ("forecast", {"HORIZON": "--force"}, ["--horizon=--force"]),
        ("start", {"MAP": "Quantity=Pieces,StoreID='Main'"}, ["--map=Quantity=Pieces,StoreID='Main'"]),
        ("status", {"ENV": "dev", "LOCALML_HOME": "/x", "VAULT_URI": "https://v"}, []),
    ],
)
def test_variables_become_words(verb: str, variables: dict[str, str], expected: list[str]) -> None:
    assert words(verb, **variables) == expected


def test_a_flag_takes_yes_or_no_alone() -> None:
    with pytest.raises(UserError, match="STRICT=maybe: give 1, or leave it out"):
        words("run-pipeline", STRICT="maybe")


def test_what_another_verb_of_the_call_takes_is_let_pass_and_else_refused() -> None:
    variables = {"FILE": "a.csv", "STRICT": "1"}
    assert given.words(VERBS["seed-sales"], [VERBS["run-pipeline"]], variables) == ["--file=a.csv"]
    with pytest.raises(UserError, match="STRICT is not a variable of make seed-sales"):
        given.words(VERBS["seed-sales"], [VERBS["seed-sales"]], variables)


@examples(st.text(st.characters(blacklist_characters="\0"), min_size=1))
def test_no_value_can_become_another_option(value: str) -> None:
    (word,) = words("predict", STORE=value)
    assert word == f"--store={value}"
