"""The table of a replay: errors on the same rows, alarms with and without a reason, events that were seen."""

from pathlib import Path

import pandas as pd
import pytest

from demand.months import month_of
from helpers_sales import daily_sales
from replay.events import planted
from replay.play import Played
from replay.table import HEAD, Summary, summary

MONTHS = ["2023-10", "2023-11", "2023-12"]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("truth") / "truth.parquet"
    daily_sales(stores=4, first="2022-01-01", last="2023-12-31").to_parquet(path)
    return path


def forecast(folder: Path, month: str, factor: float) -> str:
    """Forecasts of one month for each store: what the replay's jobs leave behind."""
    path = folder / f"{month}-{factor}.parquet"
    stores = pd.read_parquet(folder / "stores.parquet")["StoreID"].unique()
    rows = [{"StoreID": store, "MonthYear": each, "TotalSales": 100.0 * factor} for store in stores
            for each in (month, "2024-01")]  # fmt: skip
    pd.DataFrame(rows).to_parquet(path)
    return str(path)


@pytest.fixture
def done(truth: Path, tmp_path: Path) -> Summary:
    """No model in the first month; one in the second; another, rolled out, in the third, with an event."""
    pd.read_parquet(truth, columns=["StoreID"]).to_parquet(tmp_path / "stores.parquet")
    first = month_of("2023-10") or 0
    one, two = forecast(tmp_path, "2023-11", 1.0), forecast(tmp_path, "2023-12", 2.0)
    played = [
        Played("2023-10", 900, version="", trained=1),
        Played("2023-11", 950, [["bias", "all", "2023-10"]], "retrain", 2, "1", "live", one, one),
        Played("2023-12", 990, [["quarantined", "all", "2023-11"]], "nothing", 1, "2", "taken back", two, one),
    ]
    return summary(played, planted(first, 12)[:1], truth)


def test_before_there_is_a_model_the_naive_forecast_is_what_one_has(done: Summary) -> None:
    first = done.errors["2023-10"]
    assert first.own == first.once == first.naive is not None


def test_errors_of_the_same_rows_stand_side_by_side(done: Summary) -> None:
    second, third = done.errors["2023-11"], done.errors["2023-12"]
    assert second.own == second.once
    assert third.own is None, "the first model has no forecast of this month, so that nothing can be compared"


def test_an_alarm_has_the_event_before_it_as_its_reason_or_none(done: Summary) -> None:
    assert [(each.signal, each.event) for each in done.alarms] == [
        ("bias", None), ("quarantined", "broken feed in 2023-11"),
    ]  # fmt: skip
    assert done.seen == {"broken feed in 2023-11": True}
    assert [each.signal for each in done.unexplained] == ["bias"]


def test_the_table_has_a_line_a_month_and_the_whole(done: Summary) -> None:
    rows = list(done.rows())
    assert [row[0] for row in rows] == [*MONTHS, "all"]
    models = [row[HEAD.index("model")] for row in rows]
    assert models == ["none yet", "version 1, new", "version 2, new", "4 trained, 2 promoted"]
    assert rows[-1][HEAD.index("rollout")] == "1 live, 1 taken back"
    assert rows[-1][HEAD.index("planted")] == "1 of 1 seen"
    assert done.text().splitlines()[0].split() == " ".join(HEAD).split()
    assert done.markdown().splitlines()[1] == "| --- | --- | --- | --- | --- | --- | --- | --- |"
    assert done.as_json()["months"][0]["model"] == "none yet"
