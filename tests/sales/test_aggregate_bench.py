"""The aggregate bench measures two programs that give the same answer."""

from pathlib import Path

import pandas as pd
import pytest

from bench import aggregate_bench as bench

KEYS = ["StoreID", "MonthStart"]


@pytest.mark.slow
@pytest.mark.parametrize("text_ids", [False, True])
def test_the_step_and_pandas_agree_on_the_generated_sales(tmp_path: Path, text_ids: bool) -> None:
    (tmp_path / "sales").mkdir()
    bench.make_sales(tmp_path / "sales", 60_000, text_ids, files=3)
    ours, peer = bench.run_step(tmp_path / "sales", tmp_path), bench.run_pandas(tmp_path / "sales", tmp_path)
    assert ours.seconds > 0 and peer.peak_mb > 50
    step = pd.read_parquet(tmp_path / "monthly/monthly.parquet")
    pandas = pd.read_parquet(tmp_path / "pandas.parquet")
    step["MonthStart"] = pd.to_datetime(step["MonthStart"]).astype("datetime64[us]")
    pandas["MonthStart"] = pandas["MonthStart"].astype("datetime64[us]")
    pandas = pandas[pandas["MonthStart"].isin(step["MonthStart"])]
    assert len(step) > 15_000
    for name in ("Country", "City", "Weather", "Promotion", "Holiday", "Price", "TotalSales", "IsWeekend"):
        left, right = (frame.sort_values(KEYS)[name].reset_index(drop=True) for frame in (step, pandas))
        if name in ("Price", "TotalSales", "IsWeekend"):
            pd.testing.assert_series_equal(left, right, rtol=1e-9)
        else:
            assert left.astype(object).where(left.notna(), None).tolist() == right.where(right.notna(), None).tolist()


@pytest.mark.slow
def test_each_figure_has_value_unit_goal_peer_and_detail_and_leaves_no_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for figure in (bench.aggregate_vs_pandas_speedup(20_000), bench.aggregate_peak_mb(20_000)):
        assert set(figure) == {"value", "unit", "goal", "peer", "detail"}
        assert figure["value"] > 0
    assert list(tmp_path.iterdir()) == []


def test_a_program_that_fails_is_not_measured() -> None:
    with pytest.raises(RuntimeError, match="no such flag"):
        bench.measure(["python3", "-c", "raise SystemExit('no such flag')"])
