"""Odds, percentages and effects as people read them."""

import pytest

import helpers_report
from judging.report import sentences


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.0125, "1 of 80"),
        (0.00003, "1 of 33,333"),
        (0.34, "34 of 100"),
        (1.0, "100 of 100"),
        (0.0, "less than 1 of 1,000,000"),
    ],
)
def test_odds_are_counted_not_written_as_p(p, text):
    assert sentences.odds(p) == text


def test_percentages_have_one_decimal_and_no_minus_zero():
    assert [sentences.percent(value) for value in (0.0312, -0.0001, None, float("nan"))] == ["3.1%", "0.0%", "-", "-"]
    assert [sentences.signed(value) for value in (0.02, -0.0312, 0.0001, -0.0001)] == ["+2.0%", "-3.1%", "0.0%", "0.0%"]
    assert [sentences.units(value) for value in (1234.5, 12.34, None)] == ["1,234", "12.3", "-"]


def test_the_headline_names_the_best_naive_forecast_and_the_least_certain_comparison():
    entry = {"one_step": {"wape": 0.2}, "multi_step": {}}
    changes = {
        "baselines": {"seasonal_naive": entry, "last_month": {**entry, "one_step": {"wape": 0.1}}},
        "p_values": {"seasonal_naive": 0.04, "last_month": 0.001},
    }
    assert sentences.headline(helpers_report.verdict(**changes)) == [
        "history is promoted.",
        "One month ahead it is off by 3.1% of what is sold; the best naive forecast, last_month, by 10.0%.",
        "Were it no better than seasonal_naive, 1 of 25 back-tests would show such a lead all the same.",
    ]


def test_too_few_months_are_said():
    text = sentences.headline(helpers_report.verdict(promoted=False, p_values={"last_month": None}))
    assert text[0] == "history is not promoted." and text[-1] == "There are too few months to tell its lead from luck."


def test_effects_are_sentences():
    assert sentences.effects(helpers_report.verdict(effects={"promotion": 0.083, "price_up_10_percent": -0.0211})) == [
        "A promotion, where there was none, raises the forecast by 8.3%.",
        "A price that is 10% higher lowers the forecast by 2.1%.",
    ]
    assert sentences.effects(helpers_report.verdict(effects={"promotion": 0.0001})) == [
        "A promotion, where there was none, does not move the forecast."
    ]
