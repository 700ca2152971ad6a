"""The contract is read from its file, and finds its columns whatever their case."""

from pathlib import Path

import pytest

from demand.contract import Contract, load_contract, match_columns
from demand.errors import StepError

REPO = Path(__file__).parents[2]


@pytest.fixture
def contract() -> Contract:
    return load_contract(REPO / "ml/data/sales.contract.yml")


def test_missing_required_columns_are_named_with_the_source(contract: Contract) -> None:
    with pytest.raises(StepError) as error:
        match_columns(contract, ["SALEID", "saledate", "Price"], "sales.csv")
    assert str(error.value).startswith("sales.csv: required column StoreID, Quantity is missing; present: SALEID, ")


def test_columns_match_whatever_their_case(contract: Contract) -> None:
    mapping = match_columns(contract, ["SALEID", "saledate", "StoreId", "QUANTITY"], "t")
    assert mapping["SaleID"] == "SALEID" and mapping["StoreID"] == "StoreId" and mapping["City"] is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "not YAML"),
        ("name: x", "list `columns`"),
        ("max_bad_fraction: 2\ncolumns: [{name: A, type: string}]", "max_bad_fraction is 2"),
        ("columns: [{name: A, type: money}]", "type 'money'"),
        ("columns: [{name: A, type: number, minimun: 0}]", "unknown field minimun"),
        ("columns: [A]", "each column needs"),
        (
            "frequency: hourly\ncolumns: [{name: A, type: string}]",
            "frequency is 'hourly', it must be",
        ),
        ("columns: [{name: A, type: number, future: false}]", "only a timestamp has it"),
        ("columns: [{name: A, type: timestamp, future: 0}]", "`future` is true or false"),
    ],
)
def test_broken_contract_is_a_user_error_that_names_the_file(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "c.yml"
    path.write_text(text)
    with pytest.raises(StepError, match=r"c\.yml") as error:
        load_contract(path)
    assert says in str(error.value)


def test_absent_contract_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(StepError, match="no such contract file"):
        load_contract(tmp_path / "none.yml")


def test_the_contract_of_this_repo_has_the_columns_of_the_design(contract: Contract) -> None:
    assert [c.name for c in contract.columns if c.required] == ["SaleID", "SaleDate", "StoreID", "Quantity"]
    assert contract.unique_columns() == ("SaleID",)
    assert contract.max_bad_fraction == 0.01
