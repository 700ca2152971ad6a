"""How the dates of a column are written. Where day and month could change places, a person says which is which."""

import re
from dataclasses import dataclass

import duckdb

from amlspec.errors import UserError
from ownsales.export import TABLE, Export
from sales.contract_sql import literal, quoted

ISO, SERIAL = "iso", "excel"
_DAYS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    *("%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%b %d, %Y", "%d %B %Y", "%B %d, %Y"),
)
_MONTHS = ("%Y-%m", "%m/%Y", "%m.%Y", "%m-%Y", "%Y/%m", "%Y%m", "%b %Y", "%b-%Y", "%b-%y", "%B %Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
FORMATS = (ISO, *(day + time for day in _DAYS for time in _TIMES), *_MONTHS)
# What people write for what strptime knows.
_WORDS = (
    *(("yyyy", "%Y"), ("yy", "%y"), ("mmmm", "%B"), ("mmm", "%b"), ("mm", "%m"), ("dd", "%d")),
    *(("hh:ii:ss", "%H:%M:%S"), ("hh:mi:ss", "%H:%M:%S"), ("hh:mi", "%H:%M"), ("hh", "%H"), ("ss", "%S")),
)
# Excel's days of 1954 to 2064.
_FIRST_SERIAL, _LAST_SERIAL = 20_000, 60_000
MIN_SHARE = 0.95


@dataclass(frozen=True)
class Dates:
    """A format, and how many values it reads of how many."""

    format: str
    read: int
    of: int

    @property
    def share(self) -> float:
        """Of the values that are there."""
        return self.read / self.of if self.of else 0.0


def expression(column: str, form: str) -> str:
    """SQL that makes a timestamp of a column's texts, null where they are none."""
    name = quoted(column)
    if form == ISO:
        return f"try_cast({name} as timestamp)"
    if form == SERIAL:
        return f"timestamp '1899-12-30' + to_seconds(cast(round(try_cast({name} as double) * 86400) as bigint))"
    return f"try_strptime({name}, {literal(form)})"


def spelled(form: str) -> str:
    """A format as people write it: %d.%m.%Y is dd.mm.yyyy."""
    text = form.replace("%H:%M:%S", "hh:mi:ss").replace("%H:%M", "hh:mi")
    for word, code in _WORDS[:6]:
        text = text.replace(code, word)
    return {"iso": "yyyy-mm-dd", "excel": "a day number of Excel"}.get(form, text)


def parsed(text: str) -> str:
    """The format that a person gave, as strptime's: dd.mm.yyyy is %d.%m.%Y.

    Raises:
        UserError: it names no day, month or year.
    """
    if text.lower() in (ISO, SERIAL):
        return text.lower()
    form = text
    if "%" not in text:
        form = text.lower()
        for word, code in _WORDS:
            form = form.replace(word, code)
    if not re.search(r"%[mbB]", form) or not re.search(r"%[yY]", form):
        raise UserError(f"DATE_FORMAT={text}: names no month and year: write it such as dd.mm.yyyy or mm/dd/yyyy")
    return form


def fit(export: Export, column: str) -> list[Dates]:
    """The formats that read a column best, all equally good."""
    total = export.count(f"{quoted(column)} is not null")
    counts = ", ".join(f"count({_test(column, form)})" for form in (*FORMATS, SERIAL))
    (read,) = export.rows(f"select {counts} from {TABLE}")
    fits = [Dates(form, int(count), total) for form, count in zip((*FORMATS, SERIAL), read, strict=True)]
    best = max(each.read for each in fits)
    return [each for each in fits if each.read == best and best]


def _test(column: str, form: str) -> str:
    """As `expression`, null where the text is not of the kind that the format means."""
    name = quoted(column)
    value = expression(column, form)
    if form == SERIAL:
        return f"case when try_cast({name} as double) between {_FIRST_SERIAL} and {_LAST_SERIAL} then {value} end"
    if form == ISO:  # a lone number or year is no date
        return f"case when {name} like '____-__-__%' then {value} end"
    if "%Y%m" in form:
        return f"case when regexp_matches({name}, '^(19|20)[0-9]{{4,6}}( .*)?$') then {value} end"
    if "%Y" in form:  # strptime takes 26 for a year of four digits
        return f"case when year({value}) between 1900 and 2200 then {value} end"
    return value


def chosen(export: Export, column: str, given: str | None = None) -> Dates:
    """The format of a column.

    Raises:
        UserError: the values fit day first and month first alike, or nothing that is known.
    """
    if given is not None:
        form = parsed(given)
        try:
            read = export.count(f"{expression(column, form)} is not null")
        except duckdb.Error as error:
            raise UserError(f"DATE_FORMAT={given}: {str(error).splitlines()[0]}") from error
        return Dates(form, read, export.count(f"{quoted(column)} is not null"))
    best = fit(export, column)
    if not best or best[0].share < MIN_SHARE:
        shown = ", ".join(f'"{value}"' for value in export.values(column))
        raise UserError(
            f"{export.path.name}: {column}: {shown} are not dates that are known here: say how they are written, such "
            "as DATE_FORMAT=dd.mm.yyyy"
        )
    if len(best) > 1 and best[0].format != ISO:
        _ask(export, column, best)
    return best[0]


def _ask(export: Export, column: str, best: list[Dates]) -> None:
    shown = " and ".join(f'"{value}"' for value in export.values(column, 2))
    first, second, *_ = (spelled(each.format) for each in best)
    raise UserError(
        f"{export.path.name}: {column}: {shown} fit {first} and {second} alike, and nothing in the column tells which: "
        f"give DATE_FORMAT={first} or DATE_FORMAT={second}"
    )
