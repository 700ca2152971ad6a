"""Growth curves: the same picture of the same figures, and one line where nothing was measured."""

import json
from pathlib import Path

import pytest

from amlspec.errors import UserError
from bench import curves, scale_bench

SIZES = [{"rows": 10**7, "seconds": 2.0, "peak_mb": 220.0, "read_seconds": 0.5}, {"rows": 10**8, "seconds": 14.0, "peak_mb": 260.0, "read_seconds": 3.7}]  # fmt: skip # noqa: E501
SERIES = [{"series_months": months, "seconds": 100.0, "peak_mb": 900.0, "forecast": {"seconds": 15.0, "peak_mb": 400.0}} for months in (60_000, 600_000)]  # fmt: skip # noqa: E501


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    known = {curves.NEEDED: {"detail": {"sizes": SIZES}}, "series_growth": {"detail": {"sizes": SERIES}}}
    (tmp_path / "bench.json").write_text(json.dumps(known))
    return tmp_path


def test_equal_figures_give_equal_pictures(measured: Path) -> None:
    first = [path.read_bytes() for path in curves.draw(measured / "a")]
    again = curves.draw(measured / "b")
    assert first == [path.read_bytes() for path in again] and len(first) == 4
    assert {path.name for path in again} == {path.name for path in Path("docs/images").glob("scale-*.svg")}


def test_what_was_not_measured_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    with pytest.raises(UserError, match="has no aggregate_growth_vs_read: make bench ONLY=aggregate_growth_vs_read"):
        curves.draw(tmp_path)


def test_the_largest_size_is_what_half_of_the_disk_holds() -> None:
    assert scale_bench.largest(54 * 10**8) == 100_000_000
    assert scale_bench.largest(10**15) == scale_bench.LARGEST
