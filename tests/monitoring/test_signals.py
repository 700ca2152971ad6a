"""What is planted is seen in its month and quiet months are quiet; the words, limits and page of every signal."""

import html
import json
from collections.abc import Callable
from dataclasses import fields
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from helpers_models import direct_models
from helpers_sales import monthly_sales
from monitoring import accuracy, sales, watch
from monitoring.limits import Limits
from monitoring.page import render
from monitoring.signals import BREACHED, OK, UNKNOWN, Signal, breached, of_json
from monitoring.words import WORDS
from results import sets

ROOT = Path(__file__).parents[2]
Change = Callable[[pd.DataFrame, pd.Series], pd.DataFrame]
AS_OF = date(2026, 11, 30)
COUNTS = {"read": 1000, "quarantined": 0}


@pytest.fixture(scope="module")
def quiet() -> pd.DataFrame:
    """Generated sales: 72 stores, three years."""
    return sets.generated(7).rows


def seen(rows: pd.DataFrame, counts: dict[str, int] | None = None, as_of: date = AS_OF) -> dict[str, Signal]:
    """Signals of the last months, by name."""
    return {each.name: each for each in sales.signals(rows, counts or COUNTS, as_of, Limits(), 12)}


def alarms(rows: pd.DataFrame) -> set[str]:
    return {name for name, each in seen(rows).items() if any(v is not None and v > each.limit for v in each.values)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7, 8, 9])
def test_a_quiet_year_of_generated_sales_has_no_alarm(seed: int) -> None:
    assert alarms(sets.generated(seed).rows) == set()


@pytest.mark.slow
@pytest.mark.skipif(not sets.SHARED.is_dir(), reason=f"NOT RUN: real sales, {sets.SHARED} is not there")
@pytest.mark.parametrize("name", ["rossmann100", "demand_forecasting"])
def test_a_year_of_real_sales_has_no_alarm_but_that_it_is_long_ago(name: str) -> None:
    assert alarms(sets.of_file(dict(sets.shared())[name]).rows) == {"months_missing"}


def price_shock(rows: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    return rows.assign(Price=rows["Price"].where(~at, rows["Price"] * 1.4))


def new_country(rows: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    opened = rows[at].head(12)
    return pd.concat([rows, opened.assign(StoreID="N" + opened["StoreID"], Country="Brazil")], ignore_index=True)


def closed_region(rows: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    return rows[~(at & (rows["Country"] == "Mexico"))].reset_index(drop=True)


def changed_unit(rows: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    return rows.assign(TotalSales=rows["TotalSales"].where(~at, rows["TotalSales"] * 12))


def always_on_sale(rows: pd.DataFrame, at: pd.Series) -> pd.DataFrame:
    return rows.assign(Promotion=rows["Promotion"].astype(object).where(~at, True).astype(bool))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (price_shock, {"price_level"}),
        (new_country, {"stores_new"}),
        (closed_region, {"stores_silent"}),
        (changed_unit, {"sales_level"}),
    ],
)
def test_an_event_of_the_last_month_is_seen_in_that_month(
    quiet: pd.DataFrame, change: Change, expected: set[str]
) -> None:
    last = quiet["MonthYear"].max()
    known = seen(change(quiet, quiet["MonthYear"] == last))
    breached_now = {name for name, each in known.items() if each.state == BREACHED}
    assert expected <= breached_now
    assert {known[name].since for name in expected} == {last}


@pytest.mark.slow
def test_promotions_without_end_are_seen_once_they_fill_the_window(quiet: pd.DataFrame) -> None:
    months = sorted(quiet["MonthYear"].unique())[-3:]
    known = seen(always_on_sale(quiet, quiet["MonthYear"].isin(months)))
    assert known["promotion_mix"].state == BREACHED


def test_late_data_and_a_broken_feed_are_seen_from_the_import() -> None:
    rows = prepared_sales()
    known = seen(rows, {"read": 1000, "quarantined": 50}, date(2025, 4, 1))
    assert known["quarantined"].value == 0.05 and known["quarantined"].state == BREACHED
    assert known["months_missing"].state == BREACHED


@pytest.mark.parametrize(
    ("as_of", "missing"), [((2024, 1, 31), 0), ((2024, 2, 1), 0), ((2024, 2, 2), 1), ((2024, 4, 2), 3)]
)
def test_a_month_is_missing_from_the_second_of_the_next_on(as_of: tuple[int, int, int], missing: int) -> None:
    assert seen(prepared_sales(), as_of=date(*as_of))["months_missing"].value == missing


def prepared_sales() -> pd.DataFrame:
    rows = monthly_sales(stores=12, months=24)
    return rows.assign(MonthStart=pd.to_datetime(rows["MonthStart"])) if "MonthStart" in rows else rows


def test_a_signal_says_since_when_it_is_breached_without_a_break() -> None:
    months = ["2026-01", "2026-02", "2026-03", "2026-04"]
    assert Signal("bias", "all", 0.2, "retrain", months, [0.3, 0.1, 0.3, 0.4]).since == "2026-03"
    assert Signal("bias", "all", 0.2, "retrain", months, [0.3, 0.3, 0.3, 0.1]).state == OK
    assert Signal("bias", "all", 0.2, "retrain", months, [0.3, 0.3, 0.3, None]).state == UNKNOWN
    signal = Signal("bias", "all", 0.2, "retrain", months, [None, None, 0.3, 0.4])
    assert of_json(json.loads(json.dumps(signal.as_json()))) == signal
    assert breached([signal, Signal("bias", "all", 1.0, "look", months, [0.0] * 4)]) == [signal]


def test_every_signal_has_words_and_every_limit_a_signal_in_the_yaml() -> None:
    names = {each.name for each in sales.signals(prepared_sales(), COUNTS, AS_OF, Limits(), 2)}
    names |= {name for name, *_ in accuracy._measures(Limits())}
    names |= {
        "endpoint_errors",
        "endpoint_p95_ms",
        "endpoint_flagged",
    }  # pipeline/endpoint_signals.py adds them beside the job
    assert names == set(WORDS)
    assert {f"max_{name}" for name in names} == {each.name for each in fields(Limits)}
    assert Limits.read(ROOT / "ml/monitor.yml") == Limits()


@pytest.mark.parametrize(
    ("text", "said"), [("max_bais: 1\n", "a monitor has the thresholds"), ("max_bias: -1\n", "from 0 on")]
)
def test_a_limit_that_is_none_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "monitor.yml").write_text(text)
    with pytest.raises(StepError, match=said):
        Limits.read(tmp_path / "monitor.yml")


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model and the output of the aggregate step, whose sales go on for three months."""
    root = tmp_path_factory.mktemp("monitor")
    direct_models(root)
    monthly = root / "monthly"
    monthly.mkdir()
    monthly_sales(stores=14, months=29).to_parquet(monthly / "monthly.parquet")
    (monthly / "rows.json").write_text(json.dumps({"read": 100, "quarantined": 0, "warnings": []}))
    return root


def run_step(root: Path, out: Path, **changes: str) -> dict:
    given = {
        "model": str(root / "blend"),
        "model-name": "demand-forecast",
        "model-version": "3",
        "as-of": "2024-06-20Z",
    }
    given |= {"monthly": str(root / "monthly"), "limits": str(ROOT / "ml/monitor.yml"), "signals": str(out), **changes}
    assert watch.main([f"--{name}={value}" for name, value in given.items()]) == 0
    return json.loads((out / "signals.json").read_text())


@pytest.mark.slow
def test_of_many_series_a_sample_is_watched_and_the_page_says_so(
    step: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    every = run_step(step, tmp_path / "every")
    known = every["series"]["known"]
    assert every["series"] == {"watched": known, "known": known}
    some = run_step(step, tmp_path / "some", **{"max-series": "5"})
    assert some["series"]["known"] == known > some["series"]["watched"] >= 5
    pages = {name: (tmp_path / name / "monitor.html").read_text() for name in ("every", "some")}
    assert f"{some['series']['watched']} of {known} series are watched" in pages["some"]
    assert "series are watched" not in pages["every"]


@pytest.mark.slow
def test_the_step_writes_signals_and_a_page(step: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    report = run_step(step, tmp_path / "out")
    assert report["model"] == {
        "name": "demand-forecast",
        "version": "3",
        "trained_until": report["model"]["trained_until"],
    }
    assert {each["name"] for each in report["signals"]} == set(WORDS) - {
        "endpoint_errors",
        "endpoint_p95_ms",
        "endpoint_flagged",
    }
    assert report["is_healthy"] is not any(each["state"] == "breached" for each in report["signals"])
    assert len(report["worst"]) == 10
    text = html.unescape((tmp_path / "out/monitor.html").read_text())
    assert "demand-forecast version 3" in text
    for each in report["signals"]:
        assert WORDS[each["name"]].title in text


@pytest.mark.slow
def test_a_model_that_does_not_fit_is_an_alarm_that_calls_for_another(
    step: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monthly = tmp_path / "monthly"
    monthly.mkdir()
    rows = pd.read_parquet(step / "monthly/monthly.parquet")
    recent = pd.to_datetime(rows["MonthStart"]) >= pd.Timestamp(f"{rows['MonthStart'].max()}") - pd.DateOffset(months=2)
    flipped = np.where(rows["StoreID"].rank(method="dense") % 2 == 0, 3.0, 0.3)
    rows.assign(TotalSales=np.where(recent, rows["TotalSales"] * flipped, rows["TotalSales"])).to_parquet(
        monthly / "monthly.parquet"
    )
    (monthly / "rows.json").write_text(json.dumps({"read": 100, "quarantined": 0}))
    report = run_step(step, tmp_path / "out", monthly=str(monthly))
    names = {each["name"] for each in report["signals"] if each["state"] == "breached"}
    assert {"wape_rise", "outside_interval"} <= names
    assert report["calls_for_retraining"] is True
    text = html.unescape(render(report))
    assert '<h1 class="no">' in text and "above 2.00 x since" in text
    assert f"To do: {WORDS['wape_rise'].todo}." in text


@pytest.mark.slow
def test_less_than_thirteen_months_are_refused_in_one_line(step: Path, tmp_path: Path) -> None:
    monthly = tmp_path / "monthly"
    monthly.mkdir()
    monthly_sales(stores=4, months=12).to_parquet(monthly / "monthly.parquet")
    with pytest.raises(StepError, match="13 months of sales"):
        watch.watch(step / "blend", monthly, 10_000, Limits(), {}, AS_OF)
