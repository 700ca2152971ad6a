"""`make results` measures with the pipeline's own back-test and gate, and fills every figure of the page."""

import re
from datetime import date
from pathlib import Path

import pytest

from forecasting.thresholds import Gate
from helpers_sales import daily_sales
from results import __main__ as command
from results import ablations, measure, page, pruning, sets
from results.pruning import Pruned

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two years of four stores."""
    path = tmp_path_factory.mktemp("sales") / "small.parquet"
    daily_sales(stores=4, first="2022-01-01", last="2023-12-31").to_parquet(path)
    return path


def test_the_page_has_every_candidate_baseline_and_the_gates_decision(small: Path) -> None:
    sales = sets.of_file(small)
    results = {"small": [measure.result(sales, seed, Gate()) for seed in (7, 8)]}
    rows = {("as it is", "profile"): {"small": (0.1, 0.2, 0.3)}}
    left_out = {"small": Pruned(("Trend", "Size"), (0.1, 0.2, 0.3), (0.11, 0.2, 0.3))}
    text = page.render(results, {"small": sales.size()}, rows, left_out, [7, 8], date(2026, 11, 25))
    assert "`small` (4 stores, 24 months)" in text and "on 2026-11-25" in text
    for name in (*measure.CANDIDATES, "seasonal naive", "last month", "mean of 12 months"):
        assert re.search(rf"^\| {name} \| \d", text, re.MULTILINE), name
    assert "| profile | as it is | 10.0 / 20.0 / 30.0 |" in text
    assert re.search(r"- `small`: \w+ \(", text)
    assert "| small | Trend, Size | 10.0 / 20.0 / 30.0 | 11.0 / 20.0 / 30.0 |" in text


def test_equal_seeds_of_what_has_no_chance_in_it_give_one_figure(small: Path) -> None:
    sales = sets.of_file(small)
    first, second = (measure.result(sales, seed, Gate()).figures["profile"] for seed in (7, 8))
    assert first == second


def test_a_part_left_out_changes_the_error_and_all_of_them_can_be_measured(small: Path) -> None:
    sales = sets.of_file(small)
    errors = {(row.change, row.candidate): row.measure(sales) for row in ablations.rows() if row.candidate == "profile"}
    assert errors["as it is", "profile"] < errors["no month of the year", "profile"]
    assert len(list(ablations.rows())) > 20


def test_an_input_is_not_needed_where_every_other_set_is_better_without_it() -> None:
    inputs = {("as it is", "booster"): {"a": (0.1, 0.1, 0.1), "b": (0.1, 0.1, 0.1)}}
    inputs |= {(ablations.without(each), "booster"): {"a": (0.2,) * 3, "b": (0.2,) * 3} for each in ablations.inputs()}
    inputs["without Trend", "booster"] = {"a": (0.09, 0.1, 0.1), "b": (0.1, 0.1, 0.09)}
    inputs["without Size", "booster"] = {"a": (0.09, 0.1, 0.1), "b": (0.1, 0.1, 0.11)}
    assert pruning.not_needed(inputs, ["a", "b"]) == ("Trend",)
    assert pruning.not_needed(inputs, ["a"]) == ("Trend", "Size")


def test_sales_that_are_not_there_end_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--sales", f"mine={tmp_path / 'none.parquet'}", "--output", str(tmp_path / "page.md")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert not (tmp_path / "page.md").exists()
