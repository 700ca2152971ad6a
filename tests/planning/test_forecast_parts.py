"""A forecast in parts: its files are those of one step to the last byte, whatever the parts and the model."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from demand.errors import StepError
from demand.panel import WEEKDAYS
from helpers_models import direct_models, forest_model
from helpers_sales import CONTRACT
from planning import collect, forecast, part, split

pytestmark = pytest.mark.slow  # learns models
FILES = ("forecasts.parquet", "forecasts.csv", "totals.csv", "health.json", "warnings.json", "explorer.html")
PLAN = "StoreID,MonthYear,Price,Promotion,Holiday\nS001,2024-03,2.5,yes,no\nS009,2024-04,,no,\nnobody,2024-03,1,,\n"
MODEL = ("--model-name=demand-forecast", "--model-version=7", "--horizon=4")


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of every kind, and monthly sales: a store that has ended, one that is new, one that has just opened (its
    one month is partial), one that sells rarely (months without a sale are zero)."""
    root = tmp_path_factory.mktemp("inputs")
    direct_models(root)
    rows = forest_model(root / "history")
    rows = with_days(pd.concat([rows, more_stores(root)], ignore_index=True))
    rows.to_parquet(root / "monthly.parquet", index=False)
    (root / "rows.json").write_text(json.dumps({"warnings": [{"step": "aggregate", "message": "2024-02 is short"}]}))
    (root / "plan.csv").write_text(PLAN, encoding="utf-8")
    return root


def more_stores(root: Path) -> pd.DataFrame:
    """More stores than any model has learned from."""
    rows = pd.read_parquet(root / "booster/backtest.parquet")
    months = sorted(rows["Month"].unique())
    made = []
    for number in range(20, 45):
        for month in range(int(months[0]) - 12, int(months[-1]) + 1):
            if (number == 21 and month > months[-1] - 14) or (number == 22 and month < months[-1] - 1):
                continue
            if (number == 24 and month < months[-1]) or (number == 25 and month % 3):
                continue
            start = pd.Timestamp(year=month // 12, month=month % 12 + 1, day=1)
            units = (number * 37 + month * 11) % 97 + number - (150 if number == 23 and month == months[-1] - 3 else 0)
            made.append({"StoreID": f"S{number:03d}", "MonthStart": start, "TotalSales": float(units), "Price": 2.0})
    return pd.DataFrame(made).assign(Country="Canada", City="Toronto", IsWeekend=0.28)


def with_days(rows: pd.DataFrame) -> pd.DataFrame:
    """With what the aggregate step tells of a month's days."""
    start, stores = pd.to_datetime(rows["MonthStart"]), rows["StoreID"]
    rows = rows.assign(SaleDays=20, FirstDay=start, LastDay=start + pd.Timedelta(days=27))
    rows.loc[stores == "S024", "FirstDay"] += pd.Timedelta(days=20)
    rows.loc[stores == "S025", "SaleDays"] = 1
    shares = np.random.default_rng(3).dirichlet(np.full(7, 20.0), len(rows)) * rows["TotalSales"].to_numpy()[:, None]
    rows[list(WEEKDAYS)] = shares
    return rows.assign(FirstDay=rows["FirstDay"].dt.date, LastDay=rows["LastDay"].dt.date)


def flags(inputs: Path, model: str) -> list[str]:
    return [f"--model={inputs / model}", f"--contract={CONTRACT}", f"--plan={inputs / 'plan.csv'}", *MODEL]


def in_parts(inputs: Path, model: str, folder: Path, size: int, argv: pytest.MonkeyPatch) -> Path:
    """The output folder of the steps split, forecast_parts and collect."""
    names = ("parts", "everyone", "batches", "forecasts")
    paths = {name: f"--{name}={folder / name}" for name in names}
    given = [f"--monthly={inputs}", f"--series-per-part={size}", paths["parts"], paths["everyone"]]
    assert split.main(given) == 0
    argv.setattr(
        "sys.argv", ["forecast_part.py", *flags(inputs, model), paths["everyone"], paths["batches"], "--more=1"]
    )
    part.init()
    files = sorted(str(path) for path in (folder / "parts").iterdir())
    assert len(files) > 1
    done = [line for each in files for line in part.run([each])]
    assert [line.split()[0] for line in done] == [Path(each).name for each in files]
    assert collect.main([*flags(inputs, model), *paths.values()]) == 0
    return folder / "forecasts"


@pytest.mark.parametrize(
    ("model", "size"), [("blend", 1), ("blend", 7), ("booster", 16), ("profile", 7), ("history", 7)]
)
def test_files_are_those_of_one_step(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, size: int
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    whole = tmp_path / "whole"
    assert forecast.main([*flags(inputs, model), f"--monthly={inputs}", f"--forecasts={whole}"]) == 0
    parts = in_parts(inputs, model, tmp_path, size, monkeypatch)
    assert sorted(path.name for path in parts.iterdir()) == sorted(FILES)
    for name in FILES:
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name
    table = pd.read_parquet(parts / "forecasts.parquet")
    stores = set(table["StoreID"])
    assert not stores & {"S021", "S024"} and {"S022", "S025", "S044"} <= stores


def test_a_part_that_is_missing_ends_the_step(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    in_parts(inputs, "profile", tmp_path, 16, monkeypatch)
    names: Sequence[str] = json.loads((tmp_path / "everyone/parts.json").read_text())
    (tmp_path / f"batches/{Path(names[1]).stem}.ended.json").unlink()
    given = [f"--{name}={tmp_path / name}" for name in ("parts", "everyone", "batches", "forecasts")]
    with pytest.raises(
        StepError, match=rf"1 of {len(names)} parts were not forecast, part-00001 first: see their step"
    ):
        collect.main([*flags(inputs, "profile"), *given])


def test_an_azure_flag_does_not_disturb_the_worker(inputs: Path) -> None:
    known, more = part.build_parser().parse_known_args(
        [*flags(inputs, "profile"), "--everyone=e", "--batches=b", "--append_row_dataframe_header", "true"]
    )
    assert known.horizon == 4 and more == ["--append_row_dataframe_header", "true"]
