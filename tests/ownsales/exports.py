"""Odd and broken exports, made by code."""

import gzip
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import openpyxl
import pandas as pd

Maker = Callable[[Path], Path]
DAYS = [date(2024, 1, 8) + timedelta(days=number) for number in range(60)]
HEAD = "Date,Store,Units"


def csv(
    *lines: str, name: str = "sales.csv", encoding: str = "utf-8", head: str | None = HEAD, ending: str = "\n"
) -> Maker:
    """A text file of these lines below a header."""

    def make(folder: Path) -> Path:
        text = ending.join([*([head] if head is not None else []), *lines]) + ending
        data = text.encode(encoding)
        path = folder / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return make


def daily(form: str, separator: str = ",", units: str = "{}") -> list[str]:
    """A line a day and store, the date in a format, the units in another."""
    return [
        separator.join([day.strftime(form), store, units.format(number % 40 + 1)])
        for number, day in enumerate(DAYS)
        for store in ("North", "South")
    ]


def workbook(*rows: list[object], **more: list[list[object]]) -> Maker:
    """A workbook with these rows on its first sheet, and further sheets by name."""

    def make(folder: Path) -> Path:
        book = openpyxl.Workbook()
        sheet = book.active
        sheet.title = "Data"
        for row in rows:
            sheet.append(row)
        for title, lines in more.items():
            extra = book.create_sheet(title)
            for row in lines:
                extra.append(row)
        book.save(folder / "sales.xlsx")
        return folder / "sales.xlsx"

    return make


def parquet(**columns: object) -> Maker:
    """A Parquet file of these columns."""

    def make(folder: Path) -> Path:
        pd.DataFrame(columns).to_parquet(folder / "sales.parquet")
        return folder / "sales.parquet"

    return make


def raw(content: bytes, name: str = "sales.csv") -> Maker:
    """A file of these bytes."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make
