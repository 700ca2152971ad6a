"""What an export's columns seem to be, as a mapping that a person accepts."""

from collections.abc import Mapping as Named
from dataclasses import dataclass, field

from amlspec.errors import UserError
from ownsales import dates, numbers
from ownsales.export import TABLE, Export
from ownsales.mapping import NUMBERS, REQUIRED, Mapping
from ownsales.synonyms import NAMES, match
from sales.contract_sql import quoted

MIN_MONTHS = 6
WANTED = {
    "SaleDate": "when something was sold",
    "StoreID": "which store sold it",
    "Quantity": "how many units",
}


@dataclass(frozen=True)
class Given:
    """What a person has said beforehand: MAP="Quantity=Pieces,StoreID='Main'", DATE_FORMAT, DECIMAL, FREQUENCY."""

    columns: Named[str, str] = field(default_factory=dict)
    constants: Named[str, str] = field(default_factory=dict)
    date_format: str | None = None
    decimal: str | None = None
    frequency: str | None = None

    @classmethod
    def of(cls, text: str, **others: str | None) -> "Given":
        """Of MAP's text.

        Raises:
            UserError: a part is not `name=column` or `name='value'`, or names no column of the contract.
        """
        columns, constants = {}, {}
        for part in filter(None, (each.strip() for each in text.split(","))):
            name, sign, value = (each.strip() for each in part.partition("="))
            if not sign or not value or name not in NAMES:
                raise UserError(f"MAP={part}: give {', '.join(NAMES)} = a column of the export, or = 'a value'")
            if value[0] == value[-1] == "'" and len(value) > 1 and name != "SaleDate":
                constants[name] = value[1:-1]
            else:
                columns[name] = value
        return cls(columns, constants, **{key: value or None for key, value in others.items()})


def with_rows_of_months(export: Export) -> Export | None:
    """A table with a column per month as one with a row per month; None where it is none."""
    months = [name for name in export.columns if _month(export, name)]
    if len(months) < MIN_MONTHS:
        return None
    kept = [name for name in export.columns if name not in months]
    listed = ", ".join(quoted(name) for name in months)
    export.connection.execute(
        f"create or replace table {TABLE} as from (unpivot {TABLE} on {listed} into name SaleDate value Quantity) "
        f"select * exclude (SaleDate, Quantity), SaleDate, Quantity"
    )
    note = f"{len(months)} columns are months, {months[0]} to {months[-1]}: each became a row"
    return Export(
        export.path,
        export.connection,
        (*kept, "SaleDate", "Quantity"),
        export.exact,
        (*export.notes, note),
        export.settings,
    )


def _month(export: Export, name: str) -> bool:
    (row,) = export.rows(
        "select "
        + ", ".join(
            f"try_strptime({_text(name)}, '{form}') is not null"
            for form in dates.FORMATS
            if "%d" not in form and form != dates.ISO
        )
        + f", try_cast({_text(name)} as timestamp) is not null and {_text(name)} like '____-__%'"
    )
    return any(row)


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"


def propose(export: Export, given: Given) -> Mapping:
    """The mapping that names and values suggest, with what was said beforehand.

    Raises:
        UserError: a column that was named is not there, a required one cannot be told, a format is ambiguous.
    """
    for name, column in given.columns.items():
        if column not in export.columns:
            raise UserError(
                f"MAP={name}={column}: {export.path.name} has no such column; it has {', '.join(export.columns)}"
            )
    taken = {*given.columns, *given.constants}
    named = {name: column for name, column in match(export.columns).items() if name not in taken}
    named = {name: column for name, column in named.items() if column not in given.columns.values()}
    columns = {**named, **given.columns}
    _complete(export, columns, given)
    columns = {name: columns[name] for name in NAMES if name in columns}
    form = dates.chosen(export, columns["SaleDate"], given.date_format).format
    decimals = {name: numbers.decimal_of(export, columns[name], given.decimal) for name in NUMBERS if name in columns}
    mapping = Mapping(columns, form, decimals, given.constants, settings=export.settings)
    frequency = given.frequency or frequency_of(export, mapping)
    return Mapping(columns, form, decimals, given.constants, frequency, settings=export.settings)


def _complete(export: Export, columns: dict[str, str], given: Given) -> None:
    """Find by their values the required columns that no name tells."""
    left = [name for name in export.columns if name not in columns.values()]
    if "SaleDate" not in columns:
        fitting = [name for name in left if (best := dates.fit(export, name)) and best[0].share >= dates.MIN_SHARE]
        if len(fitting) == 1:
            columns["SaleDate"] = fitting[0]
            left.remove(fitting[0])
    if "Quantity" not in columns:
        fitting = [name for name in left if numbers.is_numeric(export, name)]
        if len(fitting) == 1:
            columns["Quantity"] = fitting[0]
    for name in REQUIRED:
        if name not in columns and name not in given.constants:
            hint = ", or of one store MAP=\"StoreID='Main'\"" if name == "StoreID" else ""
            raise UserError(
                f"{export.path.name}: no column seems to say {WANTED[name]} ({name}); "
                f'it has {", ".join(export.columns)}: say which: MAP="{name}=<column>"{hint}'
            )


def frequency_of(export: Export, mapping: Mapping) -> str:
    """How often a store reports, from the usual days between its dates."""
    date = dates.expression(mapping.columns["SaleDate"], mapping.date_format)
    store = quoted(mapping.columns["StoreID"]) if "StoreID" in mapping.columns else "''"
    ((gap, first),) = export.rows(
        f"""with days as (select distinct {store} as store, cast({date} as date) as sold from {TABLE})
        select median(gap), min(day(sold)) = 1 and max(day(sold)) = 1
        from (select sold, date_diff('day', lag(sold) over (partition by store order by sold), sold) as gap from days)
        where sold is not null"""
    )
    days = float(gap) if gap is not None else 1.0
    if first and days > 20:
        return "monthly"
    return "monthly" if 26 < days < 35 else "weekly" if 6 <= days <= 8 else "daily"
