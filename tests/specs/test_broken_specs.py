"""The corpus: each file of broken/ is one mistake and the one finding that it must give.

First line: where the file stands in a copy of good/. Second line: the line and message of its finding.
"""

import re
from pathlib import Path

import pytest

from speccheck.check import run_checks

CORPUS = sorted((Path(__file__).parent / "broken").glob("*.yml"))
HEADER = re.compile(r"# file: (\S+)\n# expect: (\d+): (.+)\n")


def test_the_corpus_has_at_least_sixty_mistakes() -> None:
    assert len(CORPUS) >= 60


@pytest.mark.parametrize("broken", CORPUS, ids=lambda path: path.stem)
def test_a_broken_spec_gives_its_one_finding(broken: Path, repo: Path) -> None:
    text = broken.read_text(encoding="utf-8")
    header = HEADER.match(text)
    assert header is not None, f"{broken.name} has no header"
    place, line, message = header.groups()
    (repo / place).write_text(text, encoding="utf-8")

    # Our checks over the whole repo, so that nothing else is found; Azure's loaders, which are slow, over this file.
    findings = {*run_checks(repo, [repo / "ml"], loaders=False), *run_checks(repo, [repo / place])}

    assert [str(finding) for finding in sorted(findings)] == [f"{place}:{line}: {message}"]
