"""The mapping as YAML: what is written is read again, and a mistake in it is named."""

from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp

from amlspec.errors import UserError
from demand.contract import load_contract
from ownsales import mapping, query
from ownsales.mapping import Mapping
from ownsales.start import CONTRACT
from ownsales.synonyms import NAMES, match

COLUMNS = {"SaleDate": "Datum", "StoreID": "Filiale", "Quantity": "Menge", "Price": "Preis", "Holiday": "Feiertag"}
FULL = Mapping(
    COLUMNS, "%d.%m.%Y", {"Quantity": ",", "Price": ","}, {"Country": "Canada"}, "weekly", {"encoding": "cp1252"}
)


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    for each in (FULL, Mapping({"SaleDate": "d", "Quantity": "q"}, constants={"StoreID": "Main"})):
        mapping.write(each, tmp_path / "m.yml")
        assert mapping.read(tmp_path / "m.yml") == each


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: [", "not YAML"),
        ("x: 1", "a mapping needs `columns`"),
        ("columns: {SaleDate: a, StoreID: b, Quantity: c}\ncolour: red", "colour: not a field of a mapping"),
        ("columns: {Sale: a}", "Sale is not a column of the contract"),
        ("columns: {SaleDate: a, StoreID: b}", "columns lacks Quantity"),
        ("columns: {SaleDate: a, StoreID: b, Quantity: c}\nfrequency: hourly", "frequency is 'hourly'"),
    ],
)
def test_a_mistake_in_it_is_one_line_that_names_the_file(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "m.yml").write_text(text)
    with pytest.raises(UserError) as error:
        mapping.read(tmp_path / "m.yml")
    assert words in str(error.value) and "m.yml" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UserError, match="no such mapping; make start FILE= writes one"):
        mapping.read(tmp_path / "none.yml")


def test_columns_that_have_names_are_those_of_the_contract_and_each_name_is_plain_and_once() -> None:
    contract = {column.name for column in load_contract(CONTRACT).columns}
    assert set(NAMES) == contract
    names = [name for words in NAMES.values() for name in words]
    assert len(names) == len(set(names)) and all(name.isalnum() and name == name.lower() for name in names)


def test_the_likeliest_name_wins_and_no_column_serves_twice() -> None:
    assert match(("Sales", "Quantity", "Date"))["Quantity"] == "Quantity"
    assert match(("Verkäufe", "Straße", "DATUM")) == {"Quantity": "Verkäufe", "SaleDate": "DATUM"}
    for columns in (("store",), ("date", "day"), ("id", "product", "item")):
        assert len(set(match(columns).values())) == len(match(columns))


@pytest.mark.parametrize("form", ["iso", "excel", "%d.%m.%Y", "%m/%d/%y %I:%M %p", "%d-%b-%Y"])
def test_the_query_is_snowflakes_and_has_every_column_of_the_contract(form: str) -> None:
    text = query.render(Mapping(COLUMNS, form, FULL.decimals, FULL.constants), "SHOP.PUBLIC.RAW")
    (parsed,) = sqlglot.parse(text, dialect="snowflake")
    assert isinstance(parsed, exp.Select)
    assert {each.alias for each in parsed.expressions} == {column.name for column in load_contract(CONTRACT).columns}
    assert "%" not in text and '"Datum"' in text


def test_a_quote_in_a_name_or_a_constant_stays_a_name_or_a_constant() -> None:
    odd = Mapping({**COLUMNS, "Product": 'a"; drop table x; --'}, constants={"City": "L'Aquila'; --"})
    text = query.render(odd, "RAW")
    assert len(sqlglot.parse(text, dialect="snowflake")) == 1
    assert '"a""; drop table x; --"' in text and "'L''Aquila''; --'" in text
