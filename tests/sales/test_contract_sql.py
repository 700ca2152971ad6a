"""The contract as SQL finds each kind of bad row and names the first rule it breaks."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from demand.contract import Contract, load_contract, match_columns
from sales.contract_sql import reason_sql, typed_sql

REPO = Path(__file__).parents[2]
TEXT_COLUMNS = ["SaleID", "SaleDate", "StoreID", "Price", "Quantity", "Promotion"]
GOOD = {
    "SaleID": "1",
    "SaleDate": "2024-01-05 10:00:00",
    "StoreID": "S1",
    "Price": "3.5",
    "Quantity": "-2",
    "Promotion": "true",
}


@pytest.fixture
def contract() -> Contract:
    return load_contract(REPO / "ml/data/sales.contract.yml")


def text_reason(contract: Contract, typed: bool, **changes: str | None) -> str | None:
    row = GOOD | changes
    con = duckdb.connect()
    con.execute(f"create table t ({', '.join(f'{name} varchar' for name in TEXT_COLUMNS)})")
    con.execute(f"insert into t values ({', '.join('?' * len(TEXT_COLUMNS))})", [row[name] for name in TEXT_COLUMNS])
    types = dict.fromkeys(TEXT_COLUMNS, "VARCHAR") if typed else None
    mapping = match_columns(contract, TEXT_COLUMNS, "t")
    result = con.execute(f"select {reason_sql(contract, mapping, types)} from t").fetchone()
    assert result is not None
    return result[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"SaleID": None}, "SaleID: missing"),
        ({"StoreID": ""}, "StoreID: missing"),
        ({"SaleDate": "32/13/2024"}, 'SaleDate: not a timestamp: "32/13/2024"'),
        ({"SaleDate": "infinity"}, "SaleDate: not finite: infinity"),
        ({"Price": "-3.5"}, "Price: -3.5 is below 0"),
        ({"Price": "cheap"}, 'Price: not a number: "cheap"'),
        ({"Price": ""}, None),
        ({"Price": "nan"}, "Price: out of range: nan"),
        ({"Quantity": None}, "Quantity: missing"),
        ({"Quantity": "inf"}, "Quantity: out of range: inf"),
        ({"Quantity": "1e12"}, "Quantity: out of range: 1e12"),
        ({"Promotion": "maybe"}, 'Promotion: not true or false: "maybe"'),
        ({"SaleDate": "soon", "Price": "-1"}, 'SaleDate: not a timestamp: "soon"'),
    ],
)
def test_reason_names_the_first_broken_rule(
    contract: Contract, typed: bool, changes: dict[str, str | None], reason: str | None
) -> None:
    assert text_reason(contract, typed, **changes) == reason


def test_typed_columns_are_checked_without_casts(contract: Contract) -> None:
    con = duckdb.connect()
    con.execute(
        "create table t as select 1::bigint SaleID, timestamp '2024-01-01' SaleDate, 'S' StoreID, -1.0 Price, 1 q"
    )
    con.execute("alter table t rename q to QUANTITY")
    types = {name: kind for name, kind, *_ in con.execute("describe t").fetchall()}
    mapping = match_columns(contract, list(types), "t")
    sql = reason_sql(contract, mapping, types)
    assert con.execute(f"select {sql} from t").fetchone() == ("Price: -1.0 is below 0",)
    assert "try_cast" not in reason_sql(contract, {"SaleDate": "SaleDate", "StoreID": "StoreID"}, types)


def test_typed_sql_gives_contract_names_and_types_and_null_for_absent_columns(contract: Contract) -> None:
    con = duckdb.connect()
    con.execute("create table t as select 7::bigint SALEID, '2024-01-01' SALEDATE, 12 STOREID, '2' QUANTITY")
    types = {name: kind for name, kind, *_ in con.execute("describe t").fetchall()}
    mapping = match_columns(contract, list(types), "t")
    typed = con.execute(f"select {typed_sql(contract, mapping, types)} from t").description
    kinds = {name: str(kind) for name, kind, *_ in typed}
    assert list(kinds) == [column.name for column in contract.columns]
    assert kinds["SaleID"] == "BIGINT"
    assert kinds["SaleDate"] == "TIMESTAMP" and kinds["StoreID"] == "VARCHAR" and kinds["Holiday"] == "BOOLEAN"
    row = con.execute(f"select StoreID, Quantity, Price from (select {typed_sql(contract, mapping, types)} from t)")
    assert row.fetchone() == ("12", 2.0, None)


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize(
    ("moment", "reason"),
    [
        ("2024-01-05 23:59:59", None),
        ("2024-01-06", "SaleDate: 2024-01-06 is in the future, after 2024-01-05"),
        ("infinity", "SaleDate: not finite: infinity"),
    ],
)
def test_a_sale_after_the_day_of_the_contract_is_in_the_future(
    contract: Contract, typed: bool, moment: str, reason: str | None
) -> None:
    assert text_reason(contract.as_of(date(2024, 1, 5)), typed, SaleDate=moment) == reason
    assert text_reason(contract, typed, SaleDate="2062-01-06") is None, "without a day nothing is in the future"
