"""Ten commits with a known effect on the forecast, each on top of a repo whose one candidate is quick."""

from collections.abc import Callable
from pathlib import Path

TRAIN, FORECAST, SQL = "ml/pipelines/train.yml", "ml/pipelines/forecast.yml", "ml/data/monthly_sales.sql"


def edit(root: Path, name: str, before: str, after: str) -> None:
    path = root / name
    text = path.read_text(encoding="utf-8")
    assert text.count(before) == 1, f"{name}: {before}"
    path.write_text(text.replace(before, after), encoding="utf-8")


def docs_alone(root: Path) -> None:
    """Nothing that a run reads: the same recipe on both sides."""
    (root / "NOTES.md").write_text("# Notes\n")


def a_comment_in_the_pipeline(root: Path) -> None:
    """Another file, the same jobs: every step is reused."""
    edit(root, TRAIN, "  grain: store\n", "  # One row a store.\n  grain: store\n")


def a_stricter_gate(root: Path) -> None:
    """What is let in changes, what is forecast does not."""
    edit(root, "ml/gate.yml", "alpha: 0.10", "alpha: 0.05")


def fewer_months_judge(root: Path) -> None:
    """Other months judge; the model learns from all months as before."""
    edit(root, TRAIN, "  holdout_months: 4\n", "  holdout_months: 3\n")


def a_shorter_horizon(root: Path) -> None:
    """Three months ahead in the place of six."""
    edit(root, FORECAST, "  horizon: 6\n", "  horizon: 3\n")


def sales_count_double(root: Path) -> None:
    """A mistake in the SQL that every forecast follows."""
    edit(root, SQL, "cast(sum(Units) as double) as TotalSales", "cast(sum(Units) * 2 as double) as TotalSales")


def a_store_is_left_out(root: Path) -> None:
    """One store's rows go, and its forecasts with them."""
    edit(
        root,
        SQL,
        "        Holiday\n    from checked_sales\n",
        "        Holiday\n    from checked_sales\n    where StoreID <> 'S002'\n",
    )


def forecasts_a_tenth_higher(root: Path) -> None:
    """The profile answers higher: every series moves the same way."""
    edit(root, "src/demand/profile.py", *OF_PROFILE)


def wider_intervals(root: Path) -> None:
    """P10 and P90 move apart, the forecasts stay."""
    edit(root, "src/planning/batch.py", *OF_INTERVAL)


def a_larger_plan(root: Path) -> None:
    """A plan that names a store without any history: it is not forecast, planned or not."""
    (root / "ml/data/plan.csv").write_text(
        (root / "ml/data/plan.csv").read_text(encoding="utf-8") + PLANNED, encoding="utf-8"
    )


OF_PROFILE = ("return np.asarray(level[:, None] * season", "return np.asarray(1.1 * level[:, None] * season")
OF_INTERVAL = ('"P10": [one.low for one in forecasts]', '"P10": [one.low / 2 for one in forecasts]')
PLANNED = "S900,2025-01,,,\n"
COMMITS: list[Callable[[Path], None]] = [
    docs_alone, a_comment_in_the_pipeline, a_stricter_gate, fewer_months_judge, a_shorter_horizon, sales_count_double,
    a_store_is_left_out, forecasts_a_tenth_higher, wider_intervals, a_larger_plan,
]  # fmt: skip
