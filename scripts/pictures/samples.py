"""Sample outputs in Markdown: a block behind `<!-- sample: NAME -->` is what the code printed last."""

import re
from collections.abc import Mapping
from pathlib import Path

SAMPLE = re.compile(r"(<!-- sample: ([\w-]+) -->\n```\w*\n)(.*?)(```)", re.DOTALL)


def names(text: str) -> list[str]:
    """Of the samples in a page."""
    return [match[2] for match in SAMPLE.finditer(text)]


def replaced(text: str, outputs: Mapping[str, str]) -> str:
    """The page with the samples that are known put in."""

    def put(match: re.Match[str]) -> str:
        output = outputs.get(match[2])
        return match[0] if output is None else f"{match[1]}{output.rstrip()}\n{match[4]}"

    return SAMPLE.sub(put, text)


def write(paths: list[Path], outputs: Mapping[str, str]) -> list[Path]:
    """Put the samples into these pages; those that changed."""
    changed = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        if (new := replaced(text, outputs)) != text:
            path.write_text(new, encoding="utf-8")
            changed.append(path)
    return changed
