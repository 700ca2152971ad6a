"""Lines that a step says to its agent: `##vso[area.action key=value;...]text`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from amlspec.errors import UserError

LINE = re.compile(r"^\s*##(?:vso)?\[(?P<name>[a-z]+\.[a-z]+)(?:\s+(?P<fields>[^\]]*))?\](?P<text>.*)$", re.IGNORECASE)
KNOWN = ("task.setvariable", "task.prependpath", "task.complete", "task.logissue", "task.uploadsummary",
         "task.setprogress", "build.addbuildtag", "build.updatebuildnumber")  # fmt: skip


@dataclass(frozen=True)
class Command:
    """One of KNOWN, with its fields by lower-case names."""

    name: str
    fields: Mapping[str, str]
    text: str

    def is_set(self, field: str) -> bool:
        """Whether a field is true."""
        return self.fields.get(field, "").lower() == "true"


def read(line: str) -> Command | None:
    """The command of a line of output; None where the line is none. Raises UserError for one not known here."""
    match = LINE.match(line.rstrip("\n"))
    if match is None:
        return None
    name = match["name"].lower()
    if name not in KNOWN:
        raise UserError(f"the logging command {name} is not known here", 1)
    pairs = (each.partition("=") for each in (match["fields"] or "").split(";") if each.strip())
    return Command(name, {key.strip().lower(): value.strip() for key, _, value in pairs}, match["text"])
