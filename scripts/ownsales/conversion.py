"""Makes rows of the contract from an export by its mapping, and names the values that it cannot read."""

from dataclasses import dataclass
from pathlib import Path

from amlspec.errors import UserError
from ownsales import dates, flags, numbers
from ownsales.export import ROW, TABLE, Export
from ownsales.mapping import FLAGS, NUMBERS, Mapping
from sales.contract_sql import literal, quoted

CHECKED = ("SaleDate", *NUMBERS, *FLAGS)
TEXTS = ("StoreID", "Country", "City", "Category", "Product", "Weather")
TOTALS = ("total", "totals", "grand total", "sum", "summe", "gesamt", "suma", "total general", "somme", "totaux")


@dataclass(frozen=True)
class Converted:
    """The rows that were written, those that were left out, and what a person should know, one sentence each."""

    rows: int
    bad: int
    notes: tuple[str, ...]
    is_id_made: bool


def convert(export: Export, mapping: Mapping, target: Path, bad_rows: Path, max_bad: float) -> Converted:
    """Write `target`, a Parquet file in the contract's columns, and the rows that cannot be read to `bad_rows`.

    Raises:
        UserError: more than `max_bad` of the rows, a fraction, hold a value that cannot be read; names the first.
    """
    notes = _leave_totals_out(export, mapping)
    values = _values(mapping)
    values["SaleID"], made = _sale_id(export, mapping, values)
    reasons = [_unread(mapping, name, values[name]) for name in CHECKED if name in mapping.columns]
    export.connection.execute(
        f"create or replace view checked as select *, coalesce({', '.join(reasons)}, null) as _reason from {TABLE}"
    )
    total, bad = export.count(), int(export.rows("select count(_reason) from checked")[0][0])
    if bad:
        notes += _set_aside(export, mapping, bad_rows, (bad, total), max_bad)
    target.parent.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f"{value} as {name}" for name, value in values.items())
    export.connection.execute(
        f"copy (select {listed} from checked where _reason is null) to {literal(str(target))} (format parquet)"
    )
    return Converted(total - bad, bad, (*notes, *made), is_id_made=bool(made))


def _set_aside(export: Export, mapping: Mapping, bad_rows: Path, counts: tuple[int, int], max_bad: float) -> list[str]:
    """Write the rows that cannot be read to `bad_rows`; what to say of them. Raises UserError for too many."""
    bad, total = counts
    bad_rows.parent.mkdir(parents=True, exist_ok=True)
    query = f"select {ROW} as row, _reason as reason, * exclude ({ROW}, _reason) from checked where _reason is not null"
    export.connection.execute(f"copy ({query} order by {ROW}) to {literal(str(bad_rows))} (header)")
    ((row, reason),) = export.rows(f"select {ROW}, _reason from checked where _reason is not null order by 1 limit 1")
    first = f"{export.path.name} row {row}: {reason}{_expected(str(reason), mapping)}"
    if bad > max_bad * total:
        raise UserError(
            f"{first}; {bad} of {total} rows hold a value that cannot be read, at most {max_bad:.0%} may, so nothing "
            f"was loaded; all of them: {bad_rows}"
        )
    return [f"{bad} of {total} rows are left out, the first is {first}; all of them: {bad_rows}"]


def _values(mapping: Mapping) -> dict[str, str]:
    """Column of the contract -> SQL of its value; SaleID comes first, as in the contract."""
    values = {"SaleID": "null"}
    for name in ("SaleDate", *TEXTS, *NUMBERS, *FLAGS):
        if name in mapping.constants:
            values[name] = literal(mapping.constants[name])
        elif name not in mapping.columns:
            continue
        elif name == "SaleDate":
            values[name] = dates.expression(mapping.columns[name], mapping.date_format)
        elif name in NUMBERS:
            values[name] = numbers.expression(mapping.columns[name], mapping.decimals.get(name, "."))
        elif name in FLAGS:
            values[name] = flags.expression(quoted(mapping.columns[name]), other_is_true=name == "Holiday")
        else:
            values[name] = quoted(mapping.columns[name])
    if "Quantity" in mapping.constants:
        values["Quantity"] = f"cast({values['Quantity']} as double)"
    return values


def _sale_id(export: Export, mapping: Mapping, values: dict[str, str]) -> tuple[str, list[str]]:
    """(SQL of SaleID, what to say of it): the export's own where it has one that does not repeat."""
    column = mapping.columns.get("SaleID")
    if column:
        name = quoted(column)
        if not export.count(f"{name} is null") and export.count() == int(
            str(export.rows(f"select count(distinct {name}) from {TABLE}")[0][0])
        ):
            return name, []
    parts = ["StoreID", "SaleDate", *(["Product"] if "Product" in values else [])]
    shown = {"SaleDate": f"strftime({values['SaleDate']}, '%Y%m%d')"}
    texts = [f"coalesce(cast({shown.get(name, values[name])} as varchar), '')" for name in parts]
    key = " || '-' || ".join(texts)
    made = f"{key} || '-' || row_number() over (partition by {', '.join(texts)} order by {ROW})"
    why = f"{column} repeats or is missing in some rows" if column else "No column names a sale"
    return made, [f"{why}: SaleID is made from {', '.join(parts)} and the row's number among equal ones"]


def _unread(mapping: Mapping, name: str, value: str) -> str:
    """SQL of the reason why a row's value cannot be read, null where it can."""
    column = quoted(mapping.columns[name])
    missing = f"when {column} is null then '{name} is missing'" if name in ("SaleDate", "Quantity") else ""
    reason = f"'{name}: \"' || {column} || '\" in column {mapping.columns[name].replace(chr(39), chr(39) * 2)}'"
    return f"case {missing} when {column} is not null and {value} is null then {reason} end"


def _expected(reason: str, mapping: Mapping) -> str:
    """What was expected, and the setting that helps."""
    name = reason.partition(":")[0]
    if name == "SaleDate":
        spelled = dates.spelled(mapping.date_format)
        return f" is not a date written {spelled} (DATE_FORMAT= says another)"
    if name in NUMBERS:
        sign = {".": "point", ",": "comma"}[mapping.decimals.get(name, ".")]
        return f" is not a number with a decimal {sign} (DECIMAL= says another)"
    if name in FLAGS:
        return " is neither yes nor no, such as true, 1, false, 0"
    return ""


def _leave_totals_out(export: Export, mapping: Mapping) -> list[str]:
    """Remove rows of sums, as spreadsheets have at their end."""
    date = quoted(mapping.columns["SaleDate"])
    words = ", ".join(literal(word) for word in TOTALS)
    texts = [name for name in export.columns if name != mapping.columns.get("Quantity")]
    is_total = " or ".join(f"rtrim(lower({quoted(name)}), ' :') in ({words})" for name in texts)
    unread = f"{dates.expression(mapping.columns['SaleDate'], mapping.date_format)} is null"
    condition = f"({date} is null or {unread}) and ({is_total})"
    count = export.count(condition)
    if not count:
        return []
    export.connection.execute(f"delete from {TABLE} where {condition}")
    return [f"{count} row{'s' if count > 1 else ''} of totals left out"]
