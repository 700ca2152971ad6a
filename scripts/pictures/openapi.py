"""python -m pictures.openapi FILE: the endpoint's OpenAPI document for the docs' site, as the sales contract has it.

A deployed model knows its own months; here three years of sales and the five years after them stand for these.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from demand.contract import load_contract
from demand.openapi import document
from demand.requests import RequestRules

CONTRACT = Path("ml/data/sales.contract.yml")
SALES_MONTHS = 36


def main(path: str) -> int:
    """Write the document."""
    today = datetime.now(UTC)
    last = today.year * 12 + today.month - 2
    rules = RequestRules(load_contract(CONTRACT), ("StoreID",), last - SALES_MONTHS + 1, last)
    Path(path).write_text(json.dumps(document(rules, "example"), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
