"""Which column of an export is meant by which of the contract, by its name (columns.yml)."""

import re
import unicodedata
from pathlib import Path

import yaml

NAMES: dict[str, list[str]] = {
    column: words.split()
    for column, words in yaml.safe_load(Path(__file__).with_name("columns.yml").read_text(encoding="utf-8")).items()
}


def plain(name: str) -> str:
    """Letters and digits alone, small, without accents."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ß", "ss"))
    return re.sub(r"[^a-z0-9]", "", letters)


def match(columns: tuple[str, ...]) -> dict[str, str]:
    """Column of the contract -> column of the export; the likeliest name wins, each column serves once."""
    known = {plain(column): column for column in reversed(columns)}
    chosen: dict[str, str] = {}
    for wanted, names in NAMES.items():
        fitting = [known[name] for name in names if name in known and known[name] not in chosen.values()]
        if fitting:
            chosen[wanted] = fitting[0]
    return chosen
