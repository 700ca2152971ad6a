"""The import's memory benchmark: the figure is the step's own, and the goal holds."""

import pytest

from bench.import_bench import GOAL_MB, bench_import_peak_mb


@pytest.mark.slow
def test_the_benchmark_imports_its_rows_and_stays_below_the_goal() -> None:
    result = bench_import_peak_mb(rows=360_000)
    assert 50 < result["value"] < GOAL_MB
    assert result["unit"] == "MB"
    assert result["detail"]["rows"] == 360_000
