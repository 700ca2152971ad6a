"""A stranger's walk with an export of other column names: from make start to what-if, with things broken on the way."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from exports import workbook

from e2e.checkout import Checkout
from pictures import browser

ROOT = Path(__file__).parents[2]
LINKED = ("Makefile", "demand", "scripts", "infra", "src", "docs", "requirements.lock", "requirements-uv.txt", ".venv")
pytestmark = pytest.mark.slow
# Words, exit code, and what is said of them.
BROKEN: list[tuple[list[str], int, str]] = [
    (["deploi"], 2, "Did you mean 'deploy'"),
    (["start", "--file", "nowhere.xlsx"], 2, "nowhere.xlsx: no such file"),
    (["forecast", "--horizon", "61"], 2, "HORIZON=61: give 1 to 60 months"),
    (["predict", "--store", "norte", "--month", "2024-09"], 0, 'did you mean STORE="Norte"?'),
    (["predict", "--store", "Norte", "--month", "2024-13"], 1, "MonthYear"),
    (["run-pipeline", "--set", "inputs.holdout_month=3"], 2, "no input holdout_month: did you mean holdout_months?"),
    (["run-pipeline", "--set", "jobs.prepar.inputs.x=3"], 2, "no job prepar: did you mean prepare?"),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Checkout]:
    """A checkout of its own, whose specs may be edited."""
    tree = tmp_path / "tree"
    shutil.copytree(ROOT / "ml", tree / "ml")
    for name in (*LINKED, "pyproject.toml", ".venv-score"):
        if (ROOT / name).exists():
            (tree / name).symlink_to(ROOT / name)
    made = Checkout(tmp_path / "home", tree)
    # As a person's: answers with the paths of this machine.
    made.variables["LOCALML_STRICT"] = "0"
    yield made
    made.make("stop")


def export(folder: Path) -> Path:
    """80 weeks of three stores, in a workbook with a heading and an empty line above the table."""
    weeks = [date(2023, 1, 2) + timedelta(days=7 * number) for number in range(80)]
    rows = [
        [datetime(day.year, day.month, day.day), store, 20 + number % 7 + 5 * place]
        for number, day in enumerate(weeks)
        for place, store in enumerate(("Norte", "Sur", "Centro"))
    ]
    return workbook(["Informe"], [], ["Fecha", "Tienda", "Cantidad"], *rows)(folder)


def test_a_stranger_walks_from_an_export_to_what_if(checkout: Checkout, tmp_path: Path) -> None:
    from_export_to_model(checkout, export(tmp_path))
    from_model_to_pages(checkout, tmp_path)
    commands_of_the_docs_work_as_they_are_pasted(checkout, tmp_path)
    what_is_broken_is_said_in_one_line(checkout)


def from_export_to_model(checkout: Checkout, file: Path) -> None:
    """Mapping and frequency become diffs of YAML."""
    refused = checkout.make("start", f"FILE={file}", code=2)
    assert "error: is that right? YES=1 accepts it" in refused
    assert "`make run-pipeline` makes one" in checkout.demand("deploy", code=2)
    said = checkout.make("start", f"FILE={file}", "YES=1")
    assert "Fecha" in said and "WAPE" in said
    kept = yaml.safe_load((checkout.root / "ml/data/sales.mapping.yml").read_text())
    assert kept["columns"] == {"SaleDate": "Fecha", "StoreID": "Tienda", "Quantity": "Cantidad"}
    assert "\nfrequency: weekly" in (checkout.root / "ml/data/sales.contract.yml").read_text()
    assert '"Cantidad"' in checkout.make("sales-query", "TABLE=SHOP.PUBLIC.RAW")


def from_model_to_pages(checkout: Checkout, folder: Path) -> None:
    """What is deployed is asked, every store is forecast, and another plan changes the forecast in the page."""
    assert "is live on blue" in checkout.demand("deploy")
    asked = checkout.demand("predict")
    assert "STORE=Centro MONTH=2024-07, since none was given" in asked and "Store Centro, 2024-07: " in asked
    assert "Page: `make open`" in checkout.demand("forecast", "--force")
    facts = json.loads(checkout.demand("status", "-o", "json"))
    assert facts["endpoint"]["deployments"][0]["traffic"] == 100
    assert facts["forecast"]["job"].startswith("forecast-")
    assert len(checkout.demand("status").splitlines()) < 26
    page = Path(checkout.demand("open").strip().splitlines()[-1])
    assert page.is_file()
    if browser.executable() is not None:
        what_if(page, folder)


def what_if(page: Path, folder: Path) -> None:
    """In the browser."""
    with browser.page(folder / "profile") as tab:
        tab.open(page)
        assert tab.run("explorer.data.series.map((each) => each.key[0])") == ["Centro", "Norte", "Sur"]
        choice = "document.getElementById('promotion-all')"
        tab.run(f"{choice}.value = '1'; {choice}.dispatchEvent(new Event('change'))")
        assert tab.run("explorer.csv().split('\\n').length") > 2
        assert tab.faults() == []
        links = tab.run("[...document.querySelectorAll('nav a')].map((each) => each.getAttribute('href'))")
        assert all((page.parent / link).is_file() for link in links) and len(links) == 5


def commands_of_the_docs_work_as_they_are_pasted(checkout: Checkout, folder: Path) -> None:
    """Those of the API and of the quarantine."""
    text = (ROOT / "docs/api.md").read_text(encoding="utf-8")
    setup, ask = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)[:2]
    code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert code
    (folder / "ask.py").write_text(code[1])
    script = f"{setup}\n{ask}\necho\n.venv/bin/python {folder / 'ask.py'}"
    answer, line = pasted(checkout, script, folder).strip().splitlines()
    assert json.loads(answer)["predictions"][0]["flags"] == ["unknown_store"]
    assert line.startswith("S001 2026-12 ")
    contract = (ROOT / "docs/data-contract.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```sh\n(job=.*?)```", contract, re.DOTALL)
    pasted(checkout, block.replace("--download-path .", f"--download-path {folder / 'kept'}"), folder)
    assert list((folder / "kept").rglob("quarantine.csv"))


def pasted(checkout: Checkout, script: str, folder: Path) -> str:
    """stdout of a script in the checkout."""
    (folder / "pasted.sh").write_text(f"set -eu\n{script}\n")
    command = ["bash", str(folder / "pasted.sh")]
    done = subprocess.run(
        command, cwd=checkout.root, env=checkout.variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def what_is_broken_is_said_in_one_line(checkout: Checkout) -> None:
    """Six mistakes, each with its exit code and what to do."""
    for words, code, said in BROKEN:
        text = checkout.demand(*words, code=code)
        assert said in text, text
        assert "Traceback" not in text
        assert len([line for line in text.splitlines() if line.startswith("error: ")]) == int(code != 0)
