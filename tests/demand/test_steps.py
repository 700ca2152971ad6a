"""What a user reads, and the exit code, when a step ends."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from demand.errors import StepError
from demand.steps import as_of_day, read_rows, run

SRC = Path(__file__).parents[2] / "src"


def fails() -> int:
    raise StepError("sales.parquet:\n  Price is missing")


def test_user_error_is_one_line_and_exits_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fails) == 2
    assert capsys.readouterr().err == "error: sales.parquet: Price is missing\n"


def test_a_step_ends_with_the_return_code_of_its_main() -> None:
    assert run(lambda: 0) == 0
    assert run(lambda: 3) == 3


def test_any_other_exception_shows_its_traceback_and_exits_1() -> None:
    code = "from demand.steps import run\nraise SystemExit(run(lambda: 1 // 0))"
    done = subprocess.run([sys.executable, "-c", code], cwd=SRC, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" in done.stderr and "ZeroDivisionError" in done.stderr


def test_azure_logs_its_warnings_and_not_each_request() -> None:
    code = (
        "import logging\nfrom demand.steps import run\n"
        "def main():\n"
        "    logging.getLogger('azure.core.pipeline.policies').info('Request URL')\n"
        "    logging.getLogger('azure.identity').warning('no token')\n"
        "    logging.getLogger('demand').info('Read 3 rows')\n"
        "    return 0\n"
        "raise SystemExit(run(main))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=SRC, capture_output=True, text=True, check=True)
    assert "Request URL" not in done.stdout
    assert "no token" in done.stdout and "Read 3 rows" in done.stdout


def test_rows_of_several_files_come_in_their_order_and_without_what_is_not_asked_for(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": 0.5}).to_parquet(tmp_path / "first.parquet")
    pd.DataFrame({"a": [3], "b": ["y"], "c": 1.5}).to_parquet(tmp_path / "second.parquet")
    rows = read_rows(tmp_path, "first.parquet", (tmp_path, "second.parquet"), without=("c",))
    pd.testing.assert_frame_equal(rows, pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"]}))


def test_an_empty_file_beside_another_changes_no_type(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1.5], "b": ["x"]}).to_parquet(tmp_path / "first.parquet")
    pd.DataFrame({"a": [], "b": []}, dtype=object).to_parquet(tmp_path / "empty.parquet")
    rows = read_rows(tmp_path, "first.parquet", (tmp_path, "empty.parquet"))
    pd.testing.assert_frame_equal(rows, pd.DataFrame({"a": [1.5], "b": ["x"]}))


def test_a_file_that_is_not_there_is_named_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(StepError, match=r"rows\.parquet: not there; give the output folder of the step that writes"):
        read_rows(tmp_path, "rows.parquet")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-24", "2026-11-24"),
        ("2026-11-24Z", "2026-11-24"),
        ("2026-11-24T05:00:00Z", "2026-11-24"),
        ("2026-11-24T23:00:00-05:00", "2026-11-25"),
        ("11/24/2026 05:00:00", "2026-11-24"),
        ("11/24/2026 05:00:00 +00:00", "2026-11-24"),
    ],
)
def test_the_day_of_a_schedules_moment_is_read_in_each_form_that_azure_may_write(text: str, day: str) -> None:
    assert str(as_of_day(text)) == day


def test_no_day_is_none_and_another_word_is_refused() -> None:
    assert as_of_day("none") is None
    with pytest.raises(StepError, match="--as-of tomorrow"):
        as_of_day("tomorrow")
