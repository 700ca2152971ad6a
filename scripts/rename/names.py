"""Names in every form in which they stand in the files."""

import re
import unicodedata
from dataclasses import dataclass

from amlspec.errors import UserError

# As infra/names/variables.tf has them.
SHORT_COMPANY, SHORT_PROJECT = re.compile(r"[a-z][a-z0-9]{1,5}"), re.compile(r"[a-z][a-z0-9]{1,7}")
SHORT = 3


@dataclass(frozen=True)
class Names:
    """A company and its project, in full and as resources are named after them."""

    company: str
    project: str
    short_company: str
    short_project: str

    @property
    def plain(self) -> str:
        """The company in lower case, letters and digits alone: for addresses and schemas."""
        return _letters(self.company)


OURS = Names("GloboJava", "demand forecast", "gbj", "dmd")


def of(company: str, project: str, short_company: str | None, short_project: str | None) -> Names:
    """The new names. Raises UserError for one that cannot be a name."""
    for word, name in ((company, "COMPANY"), (project, "PROJECT")):
        if not _letters(word) or not word.isprintable() or set(word) & set("\"'`\\<>{}$"):
            raise UserError(f"{name}={word}: give letters, digits and blanks, such as {name}='Casa Verde'")
    made = Names(company, project, short_company or _short(company), short_project or _short(project))
    for word, pattern, name in (
        (made.short_company, SHORT_COMPANY, "SHORT_COMPANY"),
        (made.short_project, SHORT_PROJECT, "SHORT_PROJECT"),
    ):
        if not pattern.fullmatch(word):
            raise UserError(f"{name}={word}: give 2 to 6 lower-case letters or digits that begin with a letter")
    return made


def replaced(text: str, old: Names, new: Names) -> str:
    """A text with the new names in the place of the old ones."""
    pairs = {
        f"{old.company} {old.project}": f"{new.company} {new.project}",
        old.company: new.company,
        old.plain.upper(): new.plain.upper(),
        old.plain: new.plain,
        f"{old.short_company}-{old.short_project}": f"{new.short_company}-{new.short_project}",
        f"{old.short_company}{old.short_project}": f"{new.short_company}{new.short_project}",
    }
    pattern = re.compile("|".join(re.escape(each) for each in sorted(pairs, key=len, reverse=True)))
    text = pattern.sub(lambda match: pairs[match[0]], text)
    # Where they stand alone: values of Terraform, and what is said of them.
    shorts = {old.short_company: new.short_company, old.short_project: new.short_project,
              old.short_company.upper(): new.short_company.upper()}  # fmt: skip
    alone = re.compile(r"(?<![\w-])(" + "|".join(map(re.escape, shorts)) + r")(?![\w-])")
    return alone.sub(lambda match: shorts[match[0]], text)


def _letters(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.lower())


def _short(word: str) -> str:
    """The first letters: of two words some of each, as `cav` of Casa Verde."""
    words = [part for part in map(_letters, word.split()) if part]
    first = words[0] if len(words) == 1 else words[0][: SHORT - 1] + words[1]
    return first[:SHORT]
