"""Repeated values are found whichever way the search takes."""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sales import duplicates
from sales.duplicates import find_duplicates


def search(tmp_path: Path, values: str, kind: str, enough: int = 1000) -> tuple[int, list[object]]:
    con = duckdb.connect()
    con.execute(f"create table t as select cast(v as {kind}) as v from ({values}) as s (v)")
    count = find_duplicates(con, "t", '"v"', kind, tmp_path, enough)
    return count, sorted(value for (value,) in con.execute("select value from duplicated").fetchall())


@pytest.mark.parametrize("kind", ["BIGINT", "VARCHAR"])
def test_distinct_values_have_no_duplicates(tmp_path: Path, kind: str) -> None:
    assert search(tmp_path, "select range from range(500000)", kind) == (0, [])


@pytest.mark.parametrize("kind", ["BIGINT", "VARCHAR"])
def test_duplicates_far_apart_are_detected(tmp_path: Path, kind: str) -> None:
    values = "select range from range(500000) union all values (3), (499999), (499999)"
    expected = [3, 499999] if kind == "BIGINT" else ["3", "499999"]
    assert search(tmp_path, values, kind) == (2, expected)


@pytest.mark.parametrize("kind", ["BIGINT", "HUGEINT"])
def test_numbers_too_far_apart_for_bitmaps_are_searched_too(tmp_path: Path, kind: str) -> None:
    values = f"select range * {duplicates.SLICE} from range(1000) union all values (0)"
    assert search(tmp_path, values, kind) == (1, [0])


@given(
    values=st.lists(st.integers(-40, 60) | st.none(), max_size=40),
    width=st.integers(1, 30),
    most=st.integers(1, 12),
)
def test_slices_of_any_width_see_what_a_set_sees(values: list[int | None], width: int, most: int) -> None:
    rows = ", ".join(f"({'null' if each is None else each})" for each in [*values, None])
    counts = Counter(each for each in values if each is not None)
    expected = sorted(value for value, n in counts.items() if n > 1)
    with (
        patch.multiple(duplicates, SLICE=width, MAX_SLICES=most),
        tempfile.TemporaryDirectory() as folder,
    ):
        assert search(Path(folder), f"values {rows}", "BIGINT") == (len(expected), expected)


def test_only_the_slice_with_a_repeated_value_is_searched_by_hash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duplicates, "SLICE", 1000)
    searched: list[str] = []
    by_hash = duplicates._add_repeated

    def seen(con: duckdb.DuckDBPyConnection, rows: str, *rest: Any) -> int:
        searched.append(rows)
        return by_hash(con, rows, *rest)

    monkeypatch.setattr(duplicates, "_add_repeated", seen)
    assert search(tmp_path, "select range from range(5000) union all values (2345)", "BIGINT") == (1, [2345])
    assert searched == ['(select "v" from t where "v" between 2000 and 2999)']


def test_more_rows_are_spread_over_more_files_as_far_as_they_may_be_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates.resource, "getrlimit", lambda _: (1024, 4096))
    assert [duplicates.bucket_bits(rows) for rows in (10, 10**8, 3 * 10**8, 10**9, 10**11)] == [6, 6, 8, 9, 9]
    monkeypatch.setattr(duplicates.resource, "getrlimit", lambda _: (256, 4096))
    assert duplicates.bucket_bits(10**9) == 7


def test_a_search_over_many_files_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duplicates, "BUCKET_ROWS", 1000)
    values = "select range from range(300000) union all values (3), (299999)"
    assert search(tmp_path, values, "VARCHAR") == (2, ["299999", "3"])


def test_nulls_are_not_duplicates_of_each_other(tmp_path: Path) -> None:
    assert search(tmp_path, "values (null), (null), (1)", "BIGINT") == (0, [])
    assert search(tmp_path, "values (null), (null), ('a')", "VARCHAR") == (0, [])


def test_a_column_without_values_has_no_duplicates(tmp_path: Path) -> None:
    assert search(tmp_path, "select null where false", "BIGINT") == (0, [])


def test_the_search_ends_early_once_it_has_enough(tmp_path: Path) -> None:
    values = "select range % 100000 from range(200000)"
    count, _ = search(tmp_path, values, "VARCHAR", enough=10)
    assert 10 < count < 100000


def test_temporary_files_are_removed(tmp_path: Path) -> None:
    search(tmp_path, "select range from range(1000) union all values (1)", "VARCHAR")
    assert list(tmp_path.iterdir()) == []
