"""The report stands alone and shows what the verdict says."""

import re
from typing import Any

import pandas as pd
import pytest

from forecasting.report import render
from forecasting.verdict import Verdict

ENTRY = {
    "one_step": {"wape": 0.0312, "mae": 4.0, "rmse": 5.0, "r2": 0.9},
    "multi_step": {"wape": 0.0467, "mae": 4.0, "rmse": 5.0, "r2": None},
    "coverage_p10_p90": None,
}


def rows(months: list[str], sales: float) -> pd.DataFrame:
    return pd.DataFrame({"MonthYear": months, "TotalSales": sales})


def page(**changes: Any) -> str:
    verdict = {
        "promoted": True,
        "reasons": ["beats <all>"],
        "selected": "his<tory",
        "candidates": {"his<tory": ENTRY},
        "baselines": {"last_month": ENTRY},
        "champion": None,
        "rows": {"read": 7},
        "by_country": {"Canada": {"his<tory": {"one_step": {"wape": 0.5}}}},
        "importance": {"Lag1": 0.25},
    } | changes
    held = ["2024-03", "2024-04"]
    ahead = {"MonthYear": held * 2, "Horizon": [1, 1, 6, 6], "Forecast": [9.0, 8.0, 7.0, 6.0]}
    sales = pd.concat([rows(["2024-01", "2024-02"], 10.0), rows(held, 9.0)])
    return render(Verdict.of(verdict), sales, pd.DataFrame({"Model": "his<tory", **ahead}))


def test_the_report_is_one_file_without_links() -> None:
    assert not re.search(r"(src|href)=|<script|@import|url\(", page())


def test_names_and_reasons_are_escaped() -> None:
    assert "beats &lt;all&gt;" in page() and "his<tory" not in page()


@pytest.mark.parametrize(("promoted", "words"), [(True, "promoted"), (False, "not promoted")])
def test_the_report_states_the_decision(promoted: bool, words: str) -> None:
    assert f"his&lt;tory {words}<" in page(promoted=promoted)


def test_the_figures_are_shown_and_what_is_undefined_is_a_dash() -> None:
    text = page()
    assert text.count("<td>3.1%</td>") == 2 and text.count("<td>0.900</td><td>4.7%</td><td>-</td><td>-</td>") == 2
    assert "<td>Lag1</td><td>0.2500</td>" in text and "<td>Canada</td><td>50.0%</td>" in text


def test_a_champion_is_a_row_of_its_own() -> None:
    assert "<td>champion</td>" in page(champion=ENTRY) and "<td>champion</td>" not in page()


def test_the_chart_draws_sales_and_both_forecasts() -> None:
    svg = re.search(r"<svg.*</svg>", page(), re.DOTALL)
    assert svg
    lines = [points.split() for points in re.findall(r'<polyline[^>]* points="([^"]*)"', svg[0])]
    assert [len(points) for points in lines] == [4, 2, 2]
    heights = [float(points[-1].split(",")[1]) for points in lines]
    assert heights[0] < heights[1] < heights[2]  # 9, 8 and 6 units: less is lower on the page


def test_counts_are_a_sentence_and_a_tiny_loss_is_zero() -> None:
    shown = page(rows={"read": 218606, "quarantined": 2, "train": 2002, "holdout": 404}, importance={"City": -0.00001})
    assert "Rows: 218,606 read, 2 quarantined, 2,002 to train, 404 held out." in shown
    assert "-0.0000" not in shown


def test_warnings_of_the_steps_are_shown_and_a_run_without_any_has_no_such_heading() -> None:
    shown = page(warnings=[{"step": "aggregate", "message": "2024-02 is <incomplete>"}])
    assert "<h2>Warnings</h2><ul><li>aggregate: 2024-02 is &lt;incomplete&gt;</li></ul>" in shown
    assert "Warnings" not in page(warnings=[]) and "Warnings" not in page()
