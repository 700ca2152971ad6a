"""How the numbers of a column are written: decimal comma or point, thousands, currency, minus behind or in brackets."""

from amlspec.errors import UserError
from ownsales.export import TABLE, Export
from sales.contract_sql import quoted

POINT, COMMA = ".", ","
# Blanks of any width, apostrophes between thousands, currencies.
_CURRENCY = r"[\s\x{00a0}\x{202f}\x{0027}\x{2019}$€£¥]|USD|CAD|MXN|EUR|GBP|CHF|US|CA|MX"
_MINUS = "\u2212"


def bare(column: str) -> str:
    """SQL of the text without currency, blanks and brackets, its minus in front."""
    text = f"replace(regexp_replace(upper({quoted(column)}), '{_CURRENCY}', '', 'g'), '{_MINUS}', '-')"
    return f"regexp_replace(regexp_replace({text}, '^\\((.*)\\)$', '-\\1'), '^([^-].*)-$', '-\\1')"


def expression(column: str, decimal: str) -> str:
    """SQL that makes a number of a column's texts, null where they are none."""
    thousands = COMMA if decimal == POINT else POINT
    text, at = bare(column), "\\" + decimal
    by = "\\" + thousands
    well = f"'^-?([0-9]+|[0-9]{{1,3}}({by}[0-9]{{3}})+)?({at}[0-9]*)?(E[+-]?[0-9]+)?$'"
    plain = f"replace(replace({text}, '{thousands}', ''), '{decimal}', '.')"
    return f"case when regexp_matches({text}, {well}) then try_cast({plain} as double) end"


def decimal_of(export: Export, column: str, given: str | None = None) -> str:
    """The decimal sign of a column.

    Raises:
        UserError: every value with a sign has three digits behind it, so that it may be either.
    """
    if given is not None:
        if given not in (POINT, COMMA):
            raise UserError(f"DECIMAL={given}: give DECIMAL=. or DECIMAL=,")
        return given
    if column in export.exact:
        return POINT
    readable = {sign: export.count(f"{expression(column, sign)} is not null") for sign in (POINT, COMMA)}
    if readable[POINT] != readable[COMMA]:
        return max(readable, key=lambda sign: readable[sign])
    signs = export.count(f"regexp_matches({bare(column)}, '[.,]')")
    if signs:
        _check_telling(export, column)
    return POINT


def _check_telling(export: Export, column: str) -> None:
    """Both readings fit every value: 1.234 is one and a bit, or one thousand and more."""
    query = f"select {quoted(column)} from {TABLE} where regexp_matches({bare(column)}, '[.,]') order by _row limit 1"
    ((value,),) = export.rows(query)
    raise UserError(
        f'{export.path.name}: {column}: "{value}" may have thousands or three decimals, and nothing in the column '
        "tells which: give DECIMAL=. or DECIMAL=, (the sign before the decimals)"
    )


def is_numeric(export: Export, column: str) -> bool:
    """Whether nearly all values of a column are numbers."""
    known = export.count(f"{quoted(column)} is not null")
    read = max(export.count(f"{expression(column, sign)} is not null") for sign in (POINT, COMMA))
    return bool(known) and read >= 0.95 * known
