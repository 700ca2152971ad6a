"""The page stands alone, escapes what it shows, and says what the verdict says."""

import json
import re

import pytest

import helpers_report
from judging.report import render
from judging.report.page import MAX_DATA_BYTES


def page(**changes):
    return render(helpers_report.verdict(**changes), helpers_report.series())


def data_of(text):
    (text_of_data,) = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.DOTALL)
    return json.loads(text_of_data)


def cells(text, row):
    """Texts of the table row whose head begins with `row`."""
    for each in re.findall(r"<tr.*?</tr>", text, re.DOTALL):
        plain = [
            re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", each, re.DOTALL)
        ]
        if plain and plain[0].startswith(row):
            return plain
    raise AssertionError(row)


def test_the_page_refers_to_nothing_outside():
    text = re.sub(r"/\*!.*?\*/", "", page(), flags=re.DOTALL)
    assert not re.search(r"""(src|href)=|@import|url\(|fetch\(|XMLHttpRequest|https?://""", text)


def test_names_and_reasons_are_escaped_in_text_and_data():
    text = render(*helpers_report.hostile())
    assert "<img src=x" not in text and "<script>window" not in text
    assert data_of(text)["series"][-1]["name"].startswith("</script><script>window.broken=1")


@pytest.mark.parametrize(("promoted", "words"), [(True, "history is promoted."), (False, "history is not promoted.")])
def test_the_verdict_is_the_title(promoted, words):
    assert f">{words}</h1>" in page(promoted=promoted)


def test_every_model_has_a_row_with_one_decimal_and_what_is_undefined_is_a_dash():
    text = page(champion=helpers_report.ENTRY | {"version": "3"})
    assert cells(text, "history") == [
        "history selected candidate",
        "",
        "3.1%",
        "4.7%",
        "2.0%",
        "-1.2%",
        "0.46",
        "79.1%",
    ]
    assert cells(text, "version 3")[0] == "version 3 champion"
    assert cells(text, "last_month") == ["last_month baseline", "", "10.0%", "4.7%", "-", "-1.2%", "0.46", "-"]


def test_intermittent_series_have_a_column_where_there_are_any():
    assert "intermittent" not in page()
    further = {**helpers_report.FURTHER, "rmsse_intermittent": 0.876}
    text = page(candidates={"history": {**helpers_report.ENTRY, "further": further}})
    assert "RMSSE of intermittent series" in text and "0.88" in cells(text, "history selected candidate")


def test_further_figures_of_the_selected_candidate_stand_with_their_range_over_months():
    assert "with the range over months" not in page()
    ranges = {"bias": [-0.03, 0.01], "mase": [0.4, 0.51], "rmsse": [0.45, 0.55]}
    further = {**helpers_report.FURTHER, "ranges": ranges}
    text = page(candidates={"history": {**helpers_report.ENTRY, "further": further}})
    assert "bias -1.2% (-3.0% to +1.0%), MASE 0.46 (0.40 to 0.51), RMSSE 0.50 (0.45 to 0.55)." in text


def test_the_interval_over_months_is_drawn_on_one_scale():
    (first, *_) = re.findall(r'<i style="left:([\d.]+)%;width:([\d.]+)%"></i><b style="left:([\d.]+)%"', page())
    assert first == ("25.0", "14.0", "31.2")  # 2.5% to 3.9% around 3.12%, on a scale that ends at 10%


def test_a_model_without_an_interval_has_a_dot_alone():
    entry = {key: value for key, value in helpers_report.ENTRY.items() if key != "further"}
    text = page(candidates={"history": entry}, baselines={})
    assert re.search(r'<span class="bar" aria-hidden="true"><b style="left:100.0%"></b></span>', text)


def test_a_feature_that_does_nothing_is_left_out():
    text = page()
    assert cells(text, "Lag1")[:2] == ["Lag1", "25.0%"] and ">City<" not in text


def test_segments_take_the_place_of_countries():
    assert "WAPE by country" in page()
    text = page(by_segment={"new stores": {"history": {"one_step": {"wape": 0.2}}, "last_month": {}}})
    assert cells(text, "new stores") == ["new stores", "20.0%", "-"]


def test_the_data_are_described_with_rules_months_and_warnings():
    text = re.sub(r"\s+", " ", page())
    assert "218,606 rows read, 2 quarantined. Price &gt;= 0: 2.</li>" in text
    assert "2,002 store-months to train, 404 held out, 2024-07 to 2024-12.</li>" in text
    assert "Incomplete months, not learned from: 2025-01.</li>" in text
    assert "<li>aggregate: 2025-01 is &lt;incomplete&gt;</li>" in text


def test_a_verdict_of_an_earlier_release_makes_a_page():
    older = {"p_values": {}, "effects": {}, "changes": [], "quality": {}, "warnings": [], "by_country": {}}
    text = page(**older, importance={}, rows={})
    assert "Since the champion" not in text and "Warnings" not in text and "back-tests would" not in text
    assert "No feature alone moves the WAPE." in text


def test_an_empty_hold_out_makes_a_page_that_says_what_is_unknown():
    unknown = {"one_step": {}, "multi_step": {}}
    text = render(helpers_report.verdict(promoted=False, candidates={"history": unknown}), helpers_report.nothing())
    assert "Its error is unknown." in text and "No store has an error." in text


def test_data_hold_every_store_and_the_forecasts_of_its_last_months():
    data = data_of(page())
    assert [each["name"] for each in data["series"][:4]] == ["All stores", "Canada", "Mexico", "United States"]
    assert len(data["series"]) == 4 + 6 and len(data["months"]) == 36
    for each in data["series"]:
        assert len(each["actual"]) == 36 and each["first"] == 30 and len(each["forecast"]) == len(each["low"]) == 6


def test_ten_thousand_stores_stay_below_a_megabyte_and_the_page_says_whom_it_leaves_out():
    series = helpers_report.many(10_000)
    text = render(helpers_report.verdict(), series)
    shown = len(data_of(text)["series"]) - len(series.totals)
    assert 1000 < shown < 10_000 and len(text.encode()) < 1_000_000 and MAX_DATA_BYTES < 1_000_000
    assert f"The list holds the {shown:,} stores with the greatest errors of\n10,000" in text
