"""Docs that a test holds: pages of the site, links that lead somewhere, verbs and options that exist, error texts."""

import re
import shlex
from pathlib import Path

import pytest
import yaml

from frontdoor import app, given
from pictures import samples

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), ROOT / "infra/README.md"]
app.load()
VERBS = app.commands()
# Of make itself, or of the user's shell.
MAKES_OWN = frozenset({"PYTHON", "VENV", "ENV", "UV", "LOCALML_HOME", "VAULT_URI"})


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, which names functions."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda *_: None)


def site() -> dict:
    return yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader)  # noqa: S506 - knows one tag more


def listed(nav: list) -> list[str]:
    """Files of a navigation."""
    names = []
    for entry in nav:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        names += listed(value) if isinstance(value, list) else [value]
    return names


def test_every_page_is_in_the_site_once() -> None:
    assert sorted(listed(site()["nav"])) == sorted(path.name for path in DOCS.glob("*.md"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    links = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|data-cast)="([^"]+)"', text)
    for link in links:
        if link.startswith(("http:", "https:", "mailto:")) or link == "openapi.json":  # made with the site
            continue
        name, _, anchor = link.partition("#")
        target = path.parent / name if name else path
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


def anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands(prefix: str) -> list[tuple[str, str]]:
    """(page, words after `prefix`) of the commands in code blocks and spans."""
    kept = []
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        lines = [
            line.strip() for block in re.findall(r"```\w*\n(.*?)```", text, re.DOTALL) for line in block.splitlines()
        ]
        lines += [line.strip() for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]
        lines += re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
        kept += [(path.name, line.removeprefix(prefix)) for line in lines if line.startswith(prefix)]
    return kept


def words_of(line: str) -> list[str]:
    return shlex.split(re.split(r"\s+#|;|\||&&|\\$|>", line)[0].replace("[", "").replace("]", ""))


@pytest.mark.parametrize(("page", "line"), commands("make "))
def test_every_make_command_names_verbs_and_variables_that_exist(page: str, line: str) -> None:
    words = [word for word in words_of(line) if word not in ("...", "-s")]
    goals = [word for word in words if "=" not in word]
    assert not [goal for goal in goals if goal not in VERBS and goal not in ("VERB",)], page
    known = {name for goal in goals if goal in VERBS for name in given.of(VERBS[goal])}
    names = [word.partition("=")[0] for word in words if "=" in word]
    if "VERB" not in goals:
        assert not [name for name in names if name not in known | MAKES_OWN and not given.is_of_machine(name)], page


@pytest.mark.parametrize(("page", "line"), commands("./demand "))
def test_every_command_of_the_program_has_a_verb_and_options_that_exist(page: str, line: str) -> None:
    words = words_of(line)
    if words[0] in ("VERB", "ml") or words[0].startswith("--"):
        return
    assert words[0] in VERBS, page
    known = {opt for option in given.of(VERBS[words[0]]).values() for opt in option.opts} | {"--env", "--help"}
    assert not [word for word in words[1:] if word.startswith("-") and word.partition("=")[0] not in known], page


def test_every_visible_verb_is_named_somewhere_in_the_docs() -> None:
    text = " ".join(path.read_text(encoding="utf-8") for path in PAGES)
    visible = [name for name, command in VERBS.items() if not command.hidden]
    assert not [name for name in visible if f"make {name}" not in text and f"./demand {name}" not in text]


def test_error_texts_of_troubleshooting_are_the_codes_own() -> None:
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)
    assert len(quoted) > 15
    files = [*(ROOT / "scripts").rglob("*.py"), *(ROOT / "src").rglob("*.py"), ROOT / "demand"]
    # Texts that are broken over lines of code, and values in them.
    code = " ".join(re.sub(r'"\s*\n\s*f?"', "", path.read_text(encoding="utf-8")) for path in files)
    assert not [text for text in quoted if text not in code and text.removeprefix("is ") not in code]


def test_every_sample_has_an_output_and_is_one_that_is_made() -> None:
    made = (ROOT / "scripts/pictures/__main__.py").read_text(encoding="utf-8")
    count = 0
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for name in samples.names(text):
            count += 1
            assert f'outputs["{name}"]' in made or f'"{name}":' in made, name
            block = re.search(rf"<!-- sample: {name} -->\n```\w*\n(.*?)```", text, re.DOTALL)
            assert block and block[1].strip(), f"{path.name}: {name}: make pictures fills it"
    assert count >= 4


def test_the_glossary_is_in_order_and_has_the_words_that_people_ask_for() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    words = re.findall(r"^\*\*([^*]+?)\.\*\*", text, re.MULTILINE)
    assert words == sorted(words, key=str.lower)
    for word in ("WAPE", "Hold-out", "Champion", "Grain", "Horizon", "Gate"):
        assert word in words


def test_the_site_loads_nothing_from_other_hosts() -> None:
    spec = site()
    assert spec["theme"]["font"] is False
    for name in [*spec["extra_css"], *spec["extra_javascript"]]:
        assert (DOCS / name).is_file(), name
