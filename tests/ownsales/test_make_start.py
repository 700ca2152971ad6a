"""An export of other column names, from make start to a verdict, in a checkout of its own."""

import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from exports import workbook

from e2e.checkout import Checkout

ROOT = Path(__file__).parents[2]
LINKED = (
    "Makefile",
    "demand",
    "scripts",
    "infra",
    "src",
    "requirements.lock",
    "requirements-uv.txt",
    "pyproject.toml",
    ".venv",
)


@pytest.mark.slow
def test_an_export_becomes_a_verdict_and_its_mapping_and_frequency_are_diffs_of_yaml(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "ml", tree / "ml")
    for name in LINKED:
        (tree / name).symlink_to(ROOT / name)
    weeks = [date(2023, 1, 2) + timedelta(days=7 * number) for number in range(80)]
    rows = [
        [datetime(day.year, day.month, day.day), store, 20 + number % 7 + 5 * place]
        for number, day in enumerate(weeks)
        for place, store in enumerate(("Norte", "Sur", "Centro"))
    ]
    export = workbook(["Informe"], [], ["Fecha", "Tienda", "Cantidad"], *rows)(tmp_path)
    checkout = Checkout(tmp_path / "home", tree)
    try:
        refused = checkout.make("start", f"FILE={export}", code=2)
        assert "error: is that right? YES=1 accepts it" in refused
        said = checkout.make("start", f"FILE={export}", "YES=1", "HOLDOUT_MONTHS=4")
        assert "Fecha" in said and "WAPE" in said
        kept = yaml.safe_load((tree / "ml/data/sales.mapping.yml").read_text())
        assert kept["columns"] == {"SaleDate": "Fecha", "StoreID": "Tienda", "Quantity": "Cantidad"}
        assert "\nfrequency: weekly" in (tree / "ml/data/sales.contract.yml").read_text()
        assert '"Cantidad"' in checkout.make("sales-query", "TABLE=SHOP.PUBLIC.RAW")
    finally:
        checkout.make("stop")
