"""What a user reads, and the exit code, when a step ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from demand.errors import StepError
from demand.steps import run

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
