"""A gallery of odd and broken exports: what each becomes, or the one sentence that says what to do."""

import shutil
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import exports as make
import pytest
from exports import DAYS, csv, daily, parquet, raw, workbook

from amlspec.errors import UserError
from ownsales.mapping import read
from ownsales.proposal import Given
from ownsales.start import CONTRACT, Places, prepare

DATES = [datetime(day.year, day.month, day.day) for day in DAYS]
EXCEL = [[day, store, number + 1] for number, day in enumerate(DATES) for store in ("North", "South")]
MONTHS = [f"2024-{month:02d}" for month in range(1, 13)]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    contract = tmp_path / "sales.contract.yml"
    shutil.copy(CONTRACT, contract)
    return Places(tmp_path / "home", contract, tmp_path / "sales.mapping.yml")


def start(path: Path, places: Places, text: str = "", **settings: Any) -> tuple[list[dict[str, Any]], str]:
    """(rows that were made, all that was said); the proposal is accepted."""
    said: list[str] = []
    sheet = settings.pop("sheet", None)
    made = prepare(path, Given.of(text, **settings), places, sheet=sheet, accept=lambda: True, say=said.append)
    relation = duckdb.sql(f"select * from '{made}' order by SaleDate, StoreID, SaleID")
    rows = [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]
    return rows, "\n".join(said)


READ = {
    "UTF-8 with a mark": (csv(*daily("%Y-%m-%d"), encoding="utf-8-sig"), "Read as UTF-8, columns separated by commas"),
    "UTF-16": (csv(*daily("%Y-%m-%d"), encoding="utf-16"), "Read as UTF-16"),
    "UTF-16 without a mark": (csv(*daily("%Y-%m-%d"), encoding="utf-16-le"), "Read as UTF-16-LE"),
    "Latin-1": (
        csv(*daily("%Y-%m-%d"), "2024-03-08,Café Würzburg,3", encoding="latin-1"),
        "Read as Windows-1252 (Latin-1)",
    ),
    "semicolons": (csv(*daily("%d.%m.%Y", ";"), head="Datum;Filiale;Menge"), "semicolons"),
    "tabs": (csv(*daily("%Y-%m-%d", "\t"), head="Date\tStore\tUnits", name="sales.tsv"), "tabs"),
    "bars": (csv(*daily("%Y-%m-%d", "|"), head="Date|Store|Units"), "bars"),
    "Windows line ends": (csv(*daily("%Y-%m-%d"), ending="\r\n"), "120 rows"),
    "compressed": (csv(*daily("%Y-%m-%d"), name="sales.csv.gz"), "120 rows"),
    "a title above the header": (
        csv("Sales report", "", make.HEAD, *daily("%Y-%m-%d"), head=None),
        "The header is line 3; the 2 above it are left out",
    ),
    "German dates": (csv(*daily("%d.%m.%Y")), "dd.mm.yyyy"),
    "US dates that a 13th tells": (csv(*daily("%m/%d/%Y")), "mm/dd/yyyy"),
    "European dates that a 13th tells": (csv(*daily("%d/%m/%Y")), "dd/mm/yyyy"),
    "dates with times": (csv(*daily("%m/%d/%Y 09:30 PM")), "mm/dd/yyyy"),
    "months by name": (csv(*daily("%d-%b-%Y")), "dd-mmm-yyyy"),
    "dates without separators": (csv(*daily("%Y%m%d")), "yyyymmdd"),
    "day numbers of Excel": (
        csv(*(f"{(day - date(1899, 12, 30)).days},North,{day.day}" for day in DAYS)),
        "a day number of Excel",
    ),
    "thousands and a currency": (
        csv(*daily("%Y-%m-%d", units='{},"$1,234.50"'), head="Date,Store,Units,Price"),
        "decimal point",
    ),
    "a total below": (csv(*daily("%Y-%m-%d"), "Total,,9999"), "1 row of totals left out"),
    "a workbook": (workbook(["Date", "Store", "Units"], *EXCEL), 'Read sheet "Data"'),
    "a workbook with a title": (
        workbook(["Sales 2024"], [], ["Fecha", "Tienda", "Cantidad"], *EXCEL),
        "The header is row 3; the 2 above it are left out",
    ),
    "Parquet": (
        parquet(day=DATES * 2, shop=["North"] * 60 + ["South"] * 60, qty=[float(n) for n in range(120)]),
        "120 rows",
    ),
    "no header name for the date": (csv(*daily("%Y-%m-%d"), head="when it was,Store,Units"), "when it was"),
    "a column without a name": (
        csv(*(f"x,{line}" for line in daily("%Y-%m-%d")), head=",Date,Store,Units"),
        "Not used: column 1",
    ),
}


@pytest.mark.parametrize("name", READ)
def test_it_is_read_and_how_is_said(name: str, tmp_path: Path, places: Places) -> None:
    maker, words = READ[name]
    rows, said = start(maker(tmp_path), places)
    assert words in said
    assert len(rows) >= 60 and {row["SaleDate"].date() for row in rows} >= set(DAYS)
    assert {"North"} <= {row["StoreID"] for row in rows} and all(row["Quantity"] >= 0 for row in rows)
    assert len({row["SaleID"] for row in rows}) == len(rows)


AMBIGUOUS_DAYS = [f"{day:02d}/{month:02d}/2024,North,3" for month in (1, 2, 3) for day in range(1, 13)]
REFUSED = {
    "dates that fit both": (
        csv(*AMBIGUOUS_DAYS),
        'sales.csv: Date: "01/01/2024" and "02/01/2024" fit dd/mm/yyyy and mm/dd/yyyy alike, and nothing in the column '
        "tells which: give DATE_FORMAT=dd/mm/yyyy or DATE_FORMAT=mm/dd/yyyy",
    ),
    "numbers that fit both": (
        csv(*daily("%Y-%m-%d", units='"1,0{:02}"')),
        'sales.csv: Units: "1,001" may have thousands or three decimals, and nothing in the column tells which: give '
        "DECIMAL=. or DECIMAL=,",
    ),
    "no store": (
        csv(*(f"{day},{day.day}" for day in DAYS), head="Date,Units"),
        'no column seems to say which store sold it (StoreID); it has Date, Units: say which: MAP="StoreID=<column>", '
        "or of one store MAP=\"StoreID='Main'\"",
    ),
    "no quantity": (
        csv(*(f"{day},North,{day.day},{day.day}" for day in DAYS), head="Date,Store,foo,bar"),
        'it has Date, Store, foo, bar: say which: MAP="Quantity=<column>"',
    ),
    "no dates": (
        csv(*("spring,North,3" for _ in DAYS)),
        'sales.csv: Date: "spring" are not dates that are known here: say how they are written, such as '
        "DATE_FORMAT=dd.mm.yyyy",
    ),
    "a day that is none": (
        csv(*daily("%Y-%m-%d")[:50], "2024-02-31,North,4"),
        'sales.csv row 52: SaleDate: "2024-02-31" in column Date is not a date written yyyy-mm-dd (DATE_FORMAT= says '
        "another); 1 of 51 rows hold a value that cannot be read, at most 1% may, so nothing was loaded",
    ),
    "text for a number": (
        csv(*daily("%Y-%m-%d")[:50], "2024-03-01,North,many"),
        'sales.csv row 52: Quantity: "many" in column Units is not a number with a decimal point',
    ),
    "neither yes nor no": (
        csv(*(f"{line},perhaps" for line in daily("%Y-%m-%d")), head="Date,Store,Units,Promo"),
        'row 2: Promotion: "perhaps" in column Promo is neither yes nor no, such as true, 1, false, 0',
    ),
    "missing quantities": (
        csv(*daily("%Y-%m-%d")[:50], "2024-03-01,North,"),
        "sales.csv row 52: Quantity is missing; 1 of 51 rows",
    ),
    "an empty file": (raw(b""), "sales.csv: the file is empty; it needs a header and rows"),
    "blank lines alone": (raw(b"\n\n \n"), "sales.csv: the file is empty; it needs a header and rows"),
    "a header alone": (raw(b"Date,Store,Units\n"), "sales.csv: the file has a header and no rows"),
    "no header": (csv(*daily("%Y-%m-%d"), head=None), "none of the first 20 rows is a header"),
    "one column": (raw(b"Date\n2024-01-01\n"), "none of the first 20 rows is a header"),
    "two sheets": (
        workbook(["Date", "Store", "Units"], *EXCEL, Other=[["Date", "Store", "Units"], *EXCEL]),
        "2 sheets have rows, Data, Other: say which: SHEET='Data'",
    ),
    "an empty workbook": (workbook(), "no sheet has a header and rows"),
    "a workbook that is none": (raw(b"not a zip", "sales.xlsx"), "cannot be read as a workbook: "),
    "Parquet that is none": (raw(b"not parquet at all", "sales.parquet"), "cannot be read as Parquet: "),
    "another kind of file": (raw(b"%PDF", "sales.pdf"), "its name must end in .xlsx, "),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_what_to_do_and_nothing_is_kept(name: str, tmp_path: Path, places: Places) -> None:
    maker, words = REFUSED[name]
    with pytest.raises(UserError) as error:
        start(maker(tmp_path), places)
    assert words in str(error.value) and "\n" not in str(error.value)
    assert not places.mapping.exists() and not list(places.home.rglob("*.parquet"))


def test_what_was_asked_can_be_answered(tmp_path: Path, places: Places) -> None:
    path = csv(*AMBIGUOUS_DAYS)(tmp_path)
    for form, first in (("dd/mm/yyyy", date(2024, 1, 12)), ("mm/dd/yyyy", date(2024, 12, 1))):
        rows, _ = start(path, places, date_format=form)
        assert first in {row["SaleDate"].date() for row in rows}
    path = csv(*daily("%Y-%m-%d", units='"1,0{:02}"'))(tmp_path)
    assert start(path, places, decimal=",")[0][0]["Quantity"] == 1.001
    assert start(path, places, decimal=".")[0][0]["Quantity"] == 1001.0
    path = csv(*(f"{day},{day.day}" for day in DAYS), head="Date,Units")(tmp_path)
    assert {row["StoreID"] for row in start(path, places, "StoreID='Main'")[0]} == {"Main"}
    path = workbook(["Date", "Store", "Units"], *EXCEL, Other=[["Date", "Store", "Units"], *EXCEL[:60]])(tmp_path)
    assert len(start(path, places, sheet="Other")[0]) == 60


def test_a_column_for_each_month_becomes_rows(tmp_path: Path, places: Places) -> None:
    lines = [
        f"{store}," + ",".join(str(10 * number + month) for month in range(12)) for number, store in enumerate("AB")
    ]
    rows, said = start(csv(*lines, head="Store," + ",".join(MONTHS))(tmp_path), places)
    assert "12 columns are months, 2024-01 to 2024-12: each became a row" in said
    assert len(rows) == 24 and rows[1]["Quantity"] == 10 and rows[-1]["SaleDate"].date() == date(2024, 12, 1)
    assert "frequency: monthly" in places.contract.read_text()


@pytest.mark.parametrize(("step", "frequency"), [(1, "daily"), (7, "weekly")])
def test_how_often_stores_report_is_written_into_the_contract(
    step: int, frequency: str, tmp_path: Path, places: Places
) -> None:
    rows, said = start(csv(*(f"{day},North,5" for day in DAYS[::step]))(tmp_path), places)
    assert len(rows) == len(DAYS[::step]) and f"Reported {frequency}" in said
    assert f"frequency: {frequency}" in places.contract.read_text()
    assert ("it was daily" in said) == (frequency != "daily")


def test_sale_ids_are_made_from_store_date_product_and_occurrence_and_said(tmp_path: Path, places: Places) -> None:
    lines = [f"{day},North,Tea,1" for day in DAYS for _ in range(2)]
    rows, said = start(csv(*lines, head="Date,Store,Item,Units")(tmp_path), places)
    assert [row["SaleID"] for row in rows[:2]] == ["North-20240108-Tea-1", "North-20240108-Tea-2"]
    assert "No column names a sale: SaleID is made from StoreID, SaleDate, Product" in said


def test_an_order_number_that_repeats_is_no_sale_id(tmp_path: Path, places: Places) -> None:
    lines = [f"{number // 2},{day},North,1" for number, day in enumerate(DAYS)]
    rows, said = start(csv(*lines, head="OrderID,Date,Store,Units")(tmp_path), places)
    assert "OrderID repeats or is missing in some rows" in said and len({row["SaleID"] for row in rows}) == len(rows)
    assert "SaleID" not in read(places.mapping).columns  # nor is it in the query for Snowflake
    places.mapping.unlink()
    unique = csv(*(f"B{number},{day},North,1" for number, day in enumerate(DAYS)), head="OrderID,Date,Store,Units")
    assert start(unique(tmp_path), places)[0][0]["SaleID"] == "B0"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('"1.234,50"', 1234.5), ('"3,5"', 3.5), ("(12)", -12.0), ("12-", -12.0), ("\u221212", -12.0),
        ("1\u00a0234", 1234.0), ("1'234", 1234.0), ("€ 12", 12.0), ("12 CAD", 12.0), ("1.2e3", 1200.0),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, value: float, tmp_path: Path, places: Places) -> None:
    rows, _ = start(csv(*(f"{day},North,{text}" for day in DAYS))(tmp_path), places)
    assert {row["Quantity"] for row in rows} == {value}


@pytest.mark.parametrize(
    ("text", "value"), [("ja", True), ("Nein", False), ("sí", True), ("X", True), ("0", False), ("Christmas", True)]
)
def test_flags_as_people_write_them(text: str, value: bool, tmp_path: Path, places: Places) -> None:
    lines = [f"{day},North,1,{text}" for day in DAYS]
    rows, _ = start(csv(*lines, head="Date,Store,Units,Holiday")(tmp_path), places)
    assert {row["Holiday"] for row in rows} == {value}


def test_a_few_bad_rows_are_left_out_listed_and_said(tmp_path: Path, places: Places) -> None:
    rows, said = start(csv(*daily("%Y-%m-%d"), "2024-03-01,North,many")(tmp_path), places)
    assert len(rows) == 120
    assert '1 of 121 rows are left out, the first is sales.csv row 122: Quantity: "many" in column Units' in said
    listed = (places.folder / "sales-not-read.csv").read_text()
    assert listed.splitlines()[1].startswith("122,") and "many" in listed


def test_an_accepted_mapping_is_used_again_without_asking_and_another_export_is_proposed_anew(
    tmp_path: Path, places: Places
) -> None:
    first = csv(*daily("%d.%m.%Y", ";"), head="Datum;Filiale;Menge")(tmp_path)
    start(first, places)
    said: list[str] = []
    prepare(first, Given(), places, accept=None, say=said.append)
    assert any("which was accepted before" in line for line in said)
    other = csv(*daily("%Y-%m-%d"), name="other.csv")(tmp_path)
    with pytest.raises(UserError, match="is that right\\? YES=1 accepts it"):
        prepare(other, Given(), places, accept=None, say=said.append)


def test_what_is_not_accepted_leaves_nothing(tmp_path: Path, places: Places) -> None:
    with pytest.raises(UserError, match="not accepted, so nothing was loaded"):
        prepare(csv(*daily("%Y-%m-%d"))(tmp_path), Given(), places, accept=lambda: False, say=lambda _: None)
    assert not places.mapping.exists() and not places.folder.exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Quantity", "MAP=Quantity: give SaleDate, StoreID"),
        ("SaleDate='2024-01-01'", "MAP=SaleDate='2024-01-01': sales.csv has no such column"),
        ("Pieces=Units", "MAP=Pieces=Units: give SaleDate, StoreID"),
        ("Quantity=Pieces", "MAP=Quantity=Pieces: sales.csv has no such column; it has Date, Store, Units"),
    ],
)
def test_a_wrong_map_is_said(text: str, words: str, tmp_path: Path, places: Places) -> None:
    with pytest.raises(UserError) as error:
        start(make.csv(*daily("%Y-%m-%d"))(tmp_path), places, text)
    assert words in str(error.value)
