"""make bump changes the characters of a version, and of what pins it, and not one byte more."""

import pytest
import yaml
from fixture_repo import Repo
from hypothesis import given, settings
from hypothesis import strategies as st

from amlspec.errors import UserError
from review.__main__ import main
from review.bump import bump
from review.edit import replace_scalar

TRAIN = "ml/components/train.yml"
WORDS = st.text("abc é😀-_:#'\"{}", max_size=10)
VERSIONS = st.sampled_from(["1", "9", "1.9", "v3", "2026.02", "1.0-rc1"])


@st.composite
def texts(draw: st.DrawFn) -> tuple[str, list[str | int], str]:
    """(before the version, key path, behind it): comments, other keys, nesting and line ends of every sort."""
    newline, mark = draw(st.sampled_from(["\n", "\r\n"])), draw(st.sampled_from(["", "\ufeff"]))
    keys: list[str | int] = draw(st.sampled_from([["version"], ["environment", "version"], ["jobs", 1, "version"]]))
    above = {"version": "", "environment": "environment:\n", "jobs": "jobs:\n  - name: a\n  - name: b\n"}[str(keys[0])]
    indent = {1: "", 2: "  ", 3: "    "}[len(keys)]
    other = yaml.safe_dump({"description": draw(WORDS), "tags": {"a": draw(WORDS)}}, allow_unicode=True)
    comment = draw(st.sampled_from(["", "  # why", "\n\n# é😀 below"]))
    front = f"{mark}# {draw(st.text('é😀x ', max_size=5))}\n{other}{above}{indent}version: "
    back = f"{comment}\nlast: [1,   2]{draw(st.sampled_from(['', newline, '  ']))}"
    return front.replace("\n", newline), keys, back.replace("\r\n", "\n").replace("\n", newline)


@settings(max_examples=200, deadline=None)
@given(texts(), VERSIONS, VERSIONS, st.sampled_from(["", "'", '"', "&v '", '!!str "']))
def test_only_the_scalar_changes_and_reads_as_the_new_value(
    text: tuple[str, list[str | int], str], old: str, new: str, quote: str
) -> None:
    front, keys, back = text
    edited = replace_scalar(f"{front}{quote}{old}{quote[-1:]}{back}", keys, new)
    assert edited.startswith(front + quote[:-1])
    assert edited.endswith(back)
    middle = edited[len(front + quote[:-1]) : len(edited) - len(back)]
    assert middle.strip("'\"") == new
    value = yaml.safe_load(edited)
    for key in keys:
        value = value[key]
    assert str(value) == new


@pytest.mark.parametrize(
    "text",
    [
        "a: &v '1'\nversion: *v\n",
        "base: &b\n  version: '1'\nspec: 1\n<<: *b\n",
        "version: [1]\n",
        "version: &v 1\na: *v\n",
    ],
)
def test_a_version_that_another_key_shares_is_left(text: str) -> None:
    with pytest.raises(UserError, match="version shares its value"):
        replace_scalar(text, ["version"], "2")


def test_a_block_scalar_keeps_its_line_breaks() -> None:
    assert replace_scalar("version: >-\n  1\n\ntype: command\n", ["version"], "2") == "version: 2\n\ntype: command\n"


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_stay(repo: Repo, mark: str) -> None:
    file = repo.root / TRAIN
    crlf = (mark + file.read_text()).replace("\n", "\r\n").encode()
    file.write_bytes(crlf)
    repo.commit("from Windows")
    repo.git("checkout", "--quiet", "-B", "main")
    file.write_bytes(crlf.replace(b"default: 0.5", b"default: 0.7"))
    bump(repo.root, "main")
    assert file.read_bytes() == crlf.replace(b"default: 0.5", b"default: 0.7").replace(b'"1"', b'"2"')


def test_a_round_that_fails_changes_no_file(repo: Repo) -> None:
    repo.edit("ml/components/register.yml", 'version: "1"', "version: &v '1'\ntags: {release: *v}")
    repo.commit("shared")
    repo.git("checkout", "--quiet", "-B", "main")
    repo.edit("ml/components/register.yml", "description: ", "description: New. ")
    repo.edit(TRAIN, "default: 0.5", "default: 0.7")
    before = repo.git("diff")
    with pytest.raises(UserError, match=r"^ml/components/register.yml: version shares its value"):
        bump(repo.root, "main")
    assert repo.git("diff") == before


def test_what_bump_cannot_mend_is_said_and_fails(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    repo.edit(TRAIN, "name: train_forest", "name: train_woods")
    arguments = ["bump", "--root", str(repo.root), "--base", "main"]
    assert main(arguments) == 1
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 1
    assert said[0].startswith(f"{TRAIN}:2: component train_forest is now called 'train_woods'")
    repo.git("checkout", "--quiet", TRAIN)
    assert main(arguments) == 0
    assert capsys.readouterr().out == "nothing to bump: every changed asset has a higher version\n"
