"""docs/data-contract.md says what the contract says."""

from demand.contract import Column, load_contract
from helpers_sales import CONTRACT, REPO


def _rule(column: Column) -> str:
    if column.unique:
        return "unique"
    if not column.future:
        return "not in the future"
    return f">= {column.minimum:g}" if column.minimum is not None else ""


def test_the_table_of_the_docs_is_the_contract():
    contract = load_contract(CONTRACT)
    text = (REPO / "docs/data-contract.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| ")]
    expected = [
        [
            column.name,
            column.type,
            "yes" if column.required else "no",
            _rule(column),
        ]
        for column in contract.columns
    ]
    assert rows[2:] == expected
    assert f"`frequency: {contract.frequency}`" in text
    assert f"more than {contract.max_bad_fraction:.0%} of the rows" in text.replace(" %", "%")
