"""The mapping as a query for Snowflake: the same columns, for ml/data/sales.import.yml."""

from ownsales import dates, flags
from ownsales.mapping import FLAGS, NUMBERS, Mapping
from ownsales.synonyms import NAMES

_FORMATS = {
    **{"%Y": "YYYY", "%y": "YY", "%m": "MM", "%d": "DD", "%B": "MMMM", "%b": "MON"},
    **{"%H": "HH24", "%I": "HH12", "%M": "MI", "%S": "SS", "%p": "AM"},
}
ORDER = ("SaleID", *(name for name in NAMES if name != "SaleID"))


def render(mapping: Mapping, table: str) -> str:
    """A select in Snowflake's dialect. Its columns may be typed there already: each is cast from its text."""
    lines = ",\n  ".join(f"{_value(mapping, name)} as {name}" for name in ORDER)
    return f"select\n  {lines}\nfrom {table}\n"


def _value(mapping: Mapping, name: str) -> str:
    if name in mapping.constants:
        return _text(mapping.constants[name])
    if name not in mapping.columns:
        return _made_id(mapping) if name == "SaleID" else "null"
    column = '"' + mapping.columns[name].replace('"', '""') + '"'
    if name in FLAGS:
        return flags.expression(f"{column}::varchar", other_is_true=name == "Holiday")
    if name in NUMBERS:
        return _number(column, mapping.decimals.get(name, "."))
    return _date(column, mapping.date_format) if name == "SaleDate" else column


def _made_id(mapping: Mapping) -> str:
    parts = [each for each in ("StoreID", "SaleDate", "Product") if each in {*mapping.columns, *mapping.constants}]
    keys = ", ".join(_value(mapping, each) for each in parts)
    return f"concat_ws('-', {keys}, row_number() over (partition by {keys} order by {keys}))"


def _date(column: str, form: str) -> str:
    if form == dates.ISO:
        return f"{column}::timestamp_ntz"
    if form == dates.SERIAL:
        return f"dateadd('day', {column}::integer, '1899-12-30'::timestamp_ntz)"
    for code, word in _FORMATS.items():
        form = form.replace(code, word)
    return f"to_timestamp_ntz({column}::varchar, {_text(form)})"


def _number(column: str, decimal: str) -> str:
    thousands = "," if decimal == "." else "."
    digits = f"regexp_replace({column}::varchar, '[^0-9{decimal}{thousands}-]', '')"
    return f"replace(replace({digits}, '{thousands}', ''), '{decimal}', '.')::double"


def _text(value: str) -> str:
    # Unlike DuckDB, Snowflake reads a backslash in a text as an escape.
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
